"""Whatever stands in the file, loading it gives a configuration or a list of problems, never a traceback."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from coolify.config import ConfigError, load_config
from coolify.config.reference import examples, json_schema

SECTIONS = list(json_schema()["properties"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
keys = st.sampled_from([*SECTIONS, "name", "path", "host", "primary", "ssl", "expect", "version", "value", "staging"])
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | st.text(max_size=5), inner, max_size=4)
)
quick = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def load(folder: Path, text: str) -> None:
    file = folder / "config.yml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        load_config(file)
    except ConfigError as error:
        refusal = error
    else:
        return
    assert refusal.problems
    assert all(problem.message.endswith((".", "?")) for problem in refusal.problems)
    assert len(str(refusal).splitlines()) == len(refusal.problems)


@quick
@given(st.dictionaries(keys, values, max_size=6))
def test_any_structure(tmp_path: Path, data: dict[str, object]) -> None:
    with (tmp_path / "data.yml").open("w") as stream:
        YAML(typ="safe").dump(data, stream)
    load(tmp_path, (tmp_path / "data.yml").read_text())


@quick
@given(st.text(max_size=60))
def test_any_text(tmp_path: Path, text: str) -> None:
    load(tmp_path, text)


@pytest.mark.parametrize("section", ["domains", "env", "health"])
@quick
@given(data=st.data())
def test_any_damage_to_an_example(tmp_path: Path, section: str, data: st.DataObject) -> None:
    text = "server: https://c.example.com\nproject: {name: shop}\n" + examples()[section]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 5)))
    load(tmp_path, text[:start] + data.draw(st.text(max_size=3)) + text[end:])
