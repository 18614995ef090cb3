"""The published reference of the configuration is current and true."""

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from coolify.config import load_config
from coolify.config.model import Config
from coolify.config.reference import examples, json_schema, reference_markdown

ROOT = Path(__file__).parents[3]
BASE = {"server": "server: https://coolify.example.com\n", "project": "project: {name: shop}\n"}
NEEDED = {
    "backups": "databases: {main: {engine: postgresql}}\n"
    "resources: {volumes: [{name: uploads, mount_path: /app/uploads}]}\n"
}
"""What a section's example refers to."""
SCHEMA = json_schema()


def complete(section: str, example: str) -> str:
    return "".join(text for name, text in BASE.items() if name != section) + NEEDED.get(section, "") + example


def schema_problems(text: str) -> list[str]:
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(YAML(typ="safe").load(text))]


def test_the_schema_in_docs_is_current() -> None:
    assert json.loads((ROOT / "docs/config.schema.json").read_text()) == SCHEMA, (
        "run `python -m coolify.config.reference`"
    )


def test_the_page_in_docs_is_current() -> None:
    assert (ROOT / "docs/configuration.md").read_text() == reference_markdown(), (
        "run `python -m coolify.config.reference docs`"
    )


def test_the_schema_is_valid_and_hides_what_the_file_does_not_hold() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert not {"path", "environment_names", "all_domains"} & set(SCHEMA["properties"])
    assert SCHEMA["required"] == ["server", "project"]
    assert SCHEMA["additionalProperties"] is False


def test_there_is_an_example_for_each_section_and_no_other() -> None:
    files = {file.stem for file in (ROOT / "coolify/config/examples").glob("*.yml")}
    assert files == set(SCHEMA["properties"]) == set(examples())


@pytest.mark.parametrize("section", examples())
def test_an_example_loads_and_fits_the_schema(section: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text(complete(section, examples()[section]))
    assert isinstance(load_config(file), Config)
    assert schema_problems(file.read_text()) == []


def test_all_examples_together_are_one_configuration(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text("".join(examples().values()))
    config = load_config(file, environment="staging")
    assert config.resources.memory == "1Gi"
    assert schema_problems(file.read_text()) == []


def test_every_key_of_the_page_has_a_meaning() -> None:
    rows = re.findall(r"^\| `\w+` \|.*$", reference_markdown(), re.MULTILINE)
    assert len(rows) > 50
    assert not [row for row in rows if row.endswith("|  |")]


@pytest.mark.parametrize(
    "wrong",
    [
        "colour: blue",
        "domains: [{primary: app.example.com, ssl: perhaps}]",
        "build: {pack: docker}",
        "decisions: {build-failed: sometimes}",
        "environments: {staging: {environment: x}}",
        "environments: {staging: {health: {sucesses: 1}}}",
    ],
)
def test_an_editor_sees_the_mistakes_that_loading_refuses(wrong: str) -> None:
    assert schema_problems("".join(BASE.values()) + wrong)


@pytest.mark.parametrize(
    "right",
    ["resources: {cpu: 2}", "env: {A: 1, B: true, C: null, D: {value: x}}", "environments: {x: {project: {uuid: a}}}"],
)
def test_an_editor_accepts_what_loading_accepts(right: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text("".join(BASE.values()) + right)
    load_config(file)
    assert schema_problems(file.read_text()) == []
