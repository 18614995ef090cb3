"""What would have to change, and what is not looked at."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from coolify.api import Application, ApplicationSettings, Variable, VariableWrite
from coolify.plan import Change, plan_settings, plan_variables

SECRET = "s3cret-value"


def application(**raw: Any) -> Application:
    fields = {"uuid": "a" * 24, "name": "shop"} | raw
    return Application.model_validate({**fields, "raw": fields})


def stored(key: str = "TOKEN", value: str | None = SECRET, **changes: Any) -> Variable:
    return Variable.model_validate({"uuid": "v" * 24, "key": key, "value": value} | changes)


def wanted(key: str = "TOKEN", value: str | None = SECRET, **changes: Any) -> VariableWrite:
    return VariableWrite.model_validate({"key": key, "value": value} | changes)


def test_settings_that_are_as_wanted_need_nothing() -> None:
    actual = application(git_branch="main", limits_cpus="2", health_check_enabled=True, fqdn="https://shop.example.com")
    plan = plan_settings(
        actual,
        ApplicationSettings(
            git_branch="main", limits_cpus="2", health_check_enabled=True, domains="https://shop.example.com"
        ),
    )
    assert plan.is_empty
    assert plan.update == ApplicationSettings()


def test_only_what_differs_is_sent_and_told() -> None:
    actual = application(git_branch="main", build_command="make")
    plan = plan_settings(actual, ApplicationSettings(git_branch="next", build_command="make", start_command="./run"))
    assert not plan.is_empty
    assert plan.update.model_dump(exclude_unset=True) == {"git_branch": "next", "start_command": "./run"}
    assert [str(change) for change in plan.changes] == ["git_branch: main -> next", "start_command: nothing -> ./run"]


def test_what_the_configuration_does_not_mention_is_not_managed() -> None:
    assert plan_settings(application(build_command="make", custom_labels="a=b"), ApplicationSettings()).is_empty


def test_a_setting_can_be_taken_back() -> None:
    plan = plan_settings(application(start_command="./run"), ApplicationSettings(start_command=None))
    assert plan.update.model_fields_set == {"start_command"}
    assert str(plan.changes[0]) == "start_command: ./run -> nothing"


@pytest.mark.parametrize(
    ("name", "present", "desired"),
    [
        ("health_check_return_code", "200", 200),
        ("health_check_port", 3000, "3000"),
        ("limits_cpus", 2, "2"),
        ("start_command", None, None),
        ("start_command", "", None),
        ("is_auto_deploy_enabled", 1, True),
        ("is_auto_deploy_enabled", 0, False),
        ("is_auto_deploy_enabled", None, False),
        ("noindex_domains", ["https://shop.example.com"], ("https://shop.example.com",)),
        ("git_repository", "example/shop", "https://github.com/example/shop"),
        ("git_repository", "example/shop", "https://github.com/example/shop.git"),
        ("git_repository", "https://git.example.com/a/shop.git", "https://git.example.com/a/shop"),
        ("git_repository", "git@github.com:example/shop.git", "git@github.com:example/shop.git"),
    ],
)
def test_the_same_in_other_words_is_no_difference(name, present, desired) -> None:
    assert plan_settings(application(**{name: present}), ApplicationSettings(**{name: desired})).is_empty


@pytest.mark.parametrize(
    ("name", "present", "desired"),
    [
        ("health_check_return_code", "204", 200),
        ("is_auto_deploy_enabled", True, False),
        ("is_auto_deploy_enabled", None, True),
        ("noindex_domains", ["https://shop.example.com"], ()),
        ("git_repository", "example/shop", "https://git.example.com/example/shop"),
        ("git_repository", "example/shop", "https://github.com/example/shop2"),
    ],
)
def test_a_real_difference_is_one(name, present, desired) -> None:
    plan = plan_settings(application(**{name: present}), ApplicationSettings(**{name: desired}))
    assert [change.subject for change in plan.changes] == [name]


@pytest.mark.parametrize(
    ("present", "desired", "same"),
    [
        ("https://a.example.com,https://b.example.com", "https://b.example.com,https://a.example.com", True),
        ("https://a.example.com/ , https://b.example.com", "https://a.example.com,https://b.example.com", True),
        ("https://A.example.com", "https://a.example.com", True),
        (None, None, True),
        ("http://a.example.com", "https://a.example.com", False),
        ("https://a.example.com", "https://a.example.com/api", False),
        ("https://a.example.com,https://b.example.com", "https://a.example.com", False),
        (None, "https://a.example.com", False),
    ],
)
def test_domains_are_a_set_of_urls(present, desired, same) -> None:
    assert plan_settings(application(fqdn=present), ApplicationSettings(domains=desired)).is_empty is same


def test_the_password_of_a_site_is_compared_but_never_shown() -> None:
    actual = application(http_basic_auth_password="0ld-s3cret")
    same = ApplicationSettings(http_basic_auth_password=SecretStr("0ld-s3cret"))
    assert plan_settings(actual, same).is_empty
    plan = plan_settings(actual, ApplicationSettings(http_basic_auth_password=SecretStr(SECRET)))
    assert [change.subject for change in plan.changes] == ["http_basic_auth_password"]
    assert "s3cret" not in repr(plan)
    assert "s3cret" not in str(plan.changes[0])


names = st.sampled_from(["git_branch", "build_command", "start_command", "limits_memory", "description"])
settings = st.dictionaries(names, st.none() | st.text("ab ", max_size=3))


@given(settings, settings)
def test_after_the_update_nothing_is_left_to_do(present, desired) -> None:
    plan = plan_settings(application(**present), ApplicationSettings(**desired))
    changed = present | plan.update.model_dump(exclude_unset=True)
    assert plan_settings(application(**changed), ApplicationSettings(**desired)).is_empty
    assert plan.update.model_fields_set == {change.subject for change in plan.changes} <= set(desired)


def test_a_missing_variable_is_created() -> None:
    plan = plan_variables([], [wanted()])
    assert plan.writes == (wanted(),)
    assert plan.changes == (Change("create", "variable TOKEN"),)
    assert str(plan.changes[0]) == "variable TOKEN created"


def test_a_variable_that_is_as_wanted_needs_nothing() -> None:
    plan = plan_variables([stored()], [wanted()])
    assert plan.is_empty
    assert plan.writes == ()


@pytest.mark.parametrize(
    "difference",
    [
        {"value": "other"},
        {"value": None},
        {"is_literal": True},
        {"is_multiline": True},
        {"is_runtime": False},
        {"is_buildtime": False},
        {"comment": "why"},
    ],
)
def test_a_variable_that_differs_is_written_whole(difference) -> None:
    new = wanted(**difference)
    plan = plan_variables([stored()], [new])
    assert plan.writes == (new,)
    assert [change.kind for change in plan.changes] == ["update"]


@pytest.mark.parametrize(("present", "new"), [("a", "  a\n"), (None, ""), (None, "  "), (None, None), ("", None)])
def test_what_coolify_makes_of_a_value_is_no_difference(present, new) -> None:
    assert plan_variables([stored(value=present)], [wanted(value=new)]).is_empty


def test_a_comment_that_is_not_wanted_stays() -> None:
    assert plan_variables([stored(comment="by hand")], [wanted(comment=None)]).is_empty


def test_preview_twins_are_another_scope() -> None:
    twin = stored(value="preview", is_preview=True)
    assert plan_variables([stored(), twin], [wanted()]).is_empty
    assert plan_variables([twin, stored()], [wanted()]).is_empty
    assert [change.kind for change in plan_variables([twin], [wanted()]).changes] == ["create"]
    assert plan_variables([twin], []).unmanaged == ()


@pytest.mark.parametrize(
    "hidden",
    [
        stored(value=None, is_shown_once=True),
        Variable(uuid="v", key="TOKEN", is_shown_once=True),
        Variable(uuid="v", key="TOKEN"),
    ],
)
def test_a_value_that_coolify_does_not_tell_is_written_again_and_is_no_change(hidden) -> None:
    plan = plan_variables([hidden], [wanted()])
    assert plan.is_empty
    assert [one.key for one in plan.writes] == ["TOKEN"]
    assert plan.writes[0].is_shown_once == hidden.is_shown_once, "what was hidden stays hidden"


def test_variables_that_nobody_mentions_stay_and_are_named() -> None:
    actual = [
        stored("ZEBRA"),
        stored("BY_HAND"),
        stored("COOLIFY_URL", is_coolify=True),
        stored("NIXPACKS_NODE_VERSION", is_buildpack_control=True),
        stored(),
    ]
    assert plan_variables(actual, [wanted()]).unmanaged == ("BY_HAND", "ZEBRA")


def test_no_value_shows_in_a_plan() -> None:
    plan = plan_variables([stored(value="old-s3cret-value")], [wanted(), wanted("OTHER", "an0ther-s3cret-value")])
    assert "s3cret" not in repr(plan)
    assert not any("s3cret" in str(change) for change in plan.changes)


keys = st.sampled_from("ABCD")
values = st.none() | st.text("ab \n", max_size=3)
writes = st.lists(st.builds(wanted, keys, values, is_literal=st.booleans()), max_size=4, unique_by=lambda one: one.key)
variables = st.lists(
    st.builds(stored, keys, values.map(lambda one: (one or "").strip() or None), is_preview=st.booleans()),
    max_size=6,
    unique_by=lambda one: (one.key, one.is_preview),
)


@given(variables, writes)
def test_after_the_writes_nothing_is_left_to_do(actual, desired) -> None:
    plan = plan_variables(actual, desired)
    assert {one.key for one in plan.writes} == {change.subject.removeprefix("variable ") for change in plan.changes}
    written = {one.key: one for one in plan.writes}
    after = [one for one in actual if one.is_preview or one.key not in written]
    after += [
        stored(one.key, one.value.get_secret_value().strip() if one.value else None, is_literal=one.is_literal)
        for one in plan.writes
    ]
    assert plan_variables(after, desired).is_empty
    assert plan_variables(after, desired).writes == ()
