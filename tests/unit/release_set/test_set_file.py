"""What a set file may say, and what is told about one that is wrong."""

import re
from pathlib import Path

import pytest

from coolify.config import ConfigError
from coolify.release_set import MembersError, OnFailure, Strategy, find_set, read_set

PAGE = Path(__file__).parents[3] / "docs" / "sets.md"


def refusal(folder, text: str) -> str:
    folder.set_file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        read_set(folder.set_file)
    return str(refused.value).replace(str(folder.set_file), "set.yml")


def test_the_example_of_the_page_is_a_set_file(folder) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    folder.set_file.write_text(example)
    declared = read_set(folder.set_file)
    assert [one.config for one in declared.applications] == ["services/*", "shop/.coolify/config.yml", "shop"]
    assert declared.strategy is Strategy.CANARY
    assert declared.on_failure is OnFailure.STOP


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("applications: []\n", "set.yml:1: applications: must not be empty."),
        ("aplications: [api]\n", "set.yml:1: aplications: unknown key: did you mean `applications`?"),
        ("applications: [api]\ncanary:\n  soack: 5\n", "set.yml:3: canary.soack: unknown key: did you mean `soak`?"),
        ("applications:\n- {confg: api}\n", "set.yml:2: applications[0].confg: unknown key: did you mean `config`?"),
        ("applications: [api]\nparallel: 0\n", "set.yml:2: parallel: must be at least 1."),
        ("applications: [api]\non_failure: retry\n", "set.yml:2: on_failure: must be one of"),
        ("applications: [api]\ncanary: {application: a, server: b}\n", "exclude each other"),
        ("applications: [{config: '*', name: a}]\n", "`name` names one application"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(folder, text, told) -> None:
    assert told in refusal(folder, text)


def test_a_file_that_is_not_there_is_told_with_what_to_write(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"not found in .*write one that begins with `applications:"):
        find_set(Path(".coolify/set.yml"))


def test_the_default_file_is_found_above(folder, monkeypatch) -> None:
    folder.application("api")
    monkeypatch.chdir(folder.path / "services" / "api")
    assert find_set(Path(".coolify/set.yml")) == folder.set_file


def test_a_pattern_stands_for_directories_and_files_and_not_for_the_set_file(folder) -> None:
    folder.application("api")
    folder.application("web")
    (folder.path / "services" / "nothing").mkdir()
    assert list(folder.plan().members) == ["api", "web"]
    (folder.path / ".coolify" / "one.yml").write_text((folder.path / "services/api/.coolify/config.yml").read_text())
    folder.set(".coolify/*.yml")
    assert list(folder.plan().members) == ["api"]


def test_a_pattern_that_fits_nothing_is_refused(folder) -> None:
    with pytest.raises(MembersError, match=r"No configuration file fits 'services/\*'"):
        folder.plan()


def test_problems_of_all_applications_are_told_at_once(folder, monkeypatch) -> None:
    folder.application("api", projekt={"name": "x"})
    folder.application("web", nothing=1)
    with pytest.raises(MembersError) as refused:
        folder.plan()
    assert "api/.coolify/config.yml:" in str(refused.value)
    assert "web/.coolify/config.yml:" in str(refused.value)


def test_variables_and_tokens_that_are_missing_are_told_before_anything_is_released(folder, monkeypatch) -> None:
    folder.application("api", env={"KEY": "${NOT_SET_HERE}"})
    folder.application("web", auth={"token": "${NO_TOKEN_HERE}"})
    with pytest.raises(MembersError) as refused:
        folder.plan()
    assert "NOT_SET_HERE" in str(refused.value)
    assert "NO_TOKEN_HERE" in str(refused.value)
    assert list(folder.plan(to_run_here=False).members) == ["api", "web"]


def test_tags_choose_and_an_unknown_one_is_refused(folder) -> None:
    for name in ("api", "web", "worker"):
        folder.application(name)
    folder.set(
        {"config": "services/api", "tags": ["back"]}, {"config": "services/web", "tags": "front"}, "services/worker"
    )
    assert list(folder.plan(tags=["back", "front"]).members) == ["api", "web"]
    with pytest.raises(MembersError, match="There is no tag 'bakc' in the set: did you mean `back`"):
        folder.plan(tags=["bakc"])


def test_one_application_in_two_environments_is_told_apart(folder) -> None:
    folder.application("shop", environments={"eu": {}, "us": {}})
    folder.set({"config": "services/shop", "environment": "eu"}, {"config": "services/shop", "environment": "us"})
    assert list(folder.plan().members) == ["shop@eu", "shop@us"]
    folder.set("services/shop", {"config": "services/shop", "environment": "us", "name": "shop-us"})
    members = folder.plan(environment="eu").members
    assert {name: one.config.environment for name, one in members.items()} == {"shop": "eu", "shop-us": "us"}


def test_an_application_that_is_there_twice_is_refused(folder) -> None:
    folder.application("shop")
    folder.set("services/shop", "services/*")
    with pytest.raises(MembersError, match="is in the set twice"):
        folder.plan()
