"""What the configuration wants, in the words of Coolify's API."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from coolify.api import ApplicationSettings, VariableWrite
from coolify.config import Config, ConfigError, ResolvedVariable
from coolify.plan import desired_domains, desired_settings, desired_variables, fingerprint
from coolify.security import WantedSecurity, resolve_security

LEAST: dict[str, Any] = {"server": "https://coolify.example.com", "project": {"name": "shop"}}
FULL: dict[str, Any] = LEAST | {
    "application": {"description": "The shop"},
    "source": {"repository": "https://github.com/example/shop", "branch": "main"},
    "build": {"pack": "dockerfile", "dockerfile": "/Dockerfile", "start_command": "./run", "port": 3000},
    "domains": [{"primary": "shop.example.com"}, {"api": "api.example.com", "ssl": False, "path": "/v1"}],
    "resources": {"cpu": "500m", "memory": "1Gi", "memory_swap": "2Gi"},
    "health": {"path": "/health", "expect": [204, 200], "port": 3001},
}
# What Coolify hides from a token without `read:sensitive`.
SENSITIVE = {"custom_labels", "http_basic_auth_password", "custom_nginx_configuration"}


def wanted(**sections: Any) -> dict[str, Any]:
    return settings(**sections).model_dump(exclude_unset=True)


def settings(**sections: Any) -> ApplicationSettings:
    return desired_settings(Config.model_validate(LEAST | sections))


def test_a_configuration_that_says_little_manages_little() -> None:
    assert set(wanted()) == {
        "is_auto_deploy_enabled",
        "health_check_enabled",
        "health_check_path",
        "health_check_return_code",
        "health_check_interval",
        "health_check_timeout",
        "health_check_retries",
        "health_check_start_period",
    }


def test_pushes_do_not_deploy_past_the_gate_unless_that_is_wanted() -> None:
    assert wanted()["is_auto_deploy_enabled"] is False
    assert wanted(release={"auto_deploy": True})["is_auto_deploy_enabled"] is True


def test_every_section_finds_its_settings() -> None:
    assert wanted(**FULL) == {
        "description": "The shop",
        "domains": "https://shop.example.com,http://api.example.com/v1",
        "git_repository": "https://github.com/example/shop",
        "git_branch": "main",
        "git_commit_sha": "HEAD",
        "build_pack": "dockerfile",
        "base_directory": "/",
        "dockerfile_location": "/Dockerfile",
        "start_command": "./run",
        "ports_exposes": "3000",
        "limits_cpus": "0.5",
        "limits_memory": "1g",
        "limits_memory_swap": "2g",
        "health_check_enabled": True,
        "health_check_path": "/health",
        "health_check_port": "3001",
        "health_check_return_code": 204,
        "health_check_interval": 5,
        "health_check_timeout": 5,
        "health_check_retries": 10,
        "health_check_start_period": 5,
        "is_auto_deploy_enabled": False,
    }


def test_nothing_is_wanted_that_a_token_may_not_see() -> None:
    assert not settings(**FULL).model_fields_set & SENSITIVE


def test_an_image_has_a_tag_and_no_repository() -> None:
    found = wanted(source={"image": "ghcr.io/example/shop", "tag": "1.27"})
    assert found["docker_registry_image_name"] == "ghcr.io/example/shop"
    assert found["docker_registry_image_tag"] == "1.27"
    assert not {"git_repository", "git_branch", "git_commit_sha", "build_pack", "base_directory"} & set(found)


def test_a_pinned_commit_is_wanted_instead_of_the_newest() -> None:
    source = {"repository": "https://github.com/example/shop", "commit": "c0ffee"}
    assert wanted(source=source)["git_commit_sha"] == "c0ffee"


def test_the_check_inside_of_the_container_can_be_switched_off() -> None:
    found = wanted(health={"container": {"enabled": False}})
    assert {name: value for name, value in found.items() if name.startswith("health_check")} == {
        "health_check_enabled": False
    }


def test_domains_of_another_environment_are_not_wanted() -> None:
    domains = [{"primary": "shop.example.com"}, {"staging": "staging.example.com"}]
    assert desired_domains(Config.model_validate(LEAST | {"domains": domains})) == "https://shop.example.com"
    staging = Config.model_validate(LEAST | {"domains": domains, "environment": "staging"})
    assert desired_domains(staging) == "https://staging.example.com"
    assert desired_domains(Config.model_validate(LEAST)) is None


def test_variables_are_written_with_all_of_their_flags() -> None:
    variable = ResolvedVariable(
        key="KEY", value=SecretStr("a\nb"), literal=True, multiline=True, build=False, runtime=True, comment="why"
    )
    assert desired_variables([variable]) == (
        VariableWrite(
            key="KEY",
            value=SecretStr("a\nb"),
            is_literal=True,
            is_multiline=True,
            is_buildtime=False,
            is_runtime=True,
            comment="why",
        ),
    )


TOKEN = VariableWrite(key="TOKEN", value=SecretStr("s3cret"))
GREETING = VariableWrite(key="GREETING", value=SecretStr("Hello"))


def test_the_same_configuration_has_the_same_fingerprint_in_any_order() -> None:
    first = fingerprint(settings(**FULL), [TOKEN, GREETING])
    assert first == fingerprint(settings(**dict(reversed(FULL.items()))), [GREETING, TOKEN])


@pytest.mark.parametrize(
    "difference",
    [
        {"source": {"repository": "https://github.com/example/shop", "branch": "next"}},
        {"source": {"repository": "https://github.com/example/shop", "commit": "c0ffee"}},
        {"build": {"port": 3000}},
        {"build": FULL["build"] | {"start_command": "./run --fast"}},
        {"domains": FULL["domains"][:1]},
        {"domains": [{"primary": "shop.example.com", "ssl": False}, FULL["domains"][1]]},
        {"resources": {"cpu": "1"}},
        {"health": FULL["health"] | {"path": "/ready"}},
        {"health": FULL["health"] | {"container": {"enabled": False}}},
    ],
)
def test_a_change_of_what_is_deployed_changes_the_fingerprint(difference) -> None:
    assert fingerprint(settings(**FULL), [TOKEN]) != fingerprint(settings(**FULL | difference), [TOKEN])


@pytest.mark.parametrize(
    "variables",
    [
        [],
        [GREETING],
        [TOKEN, GREETING],
        [TOKEN.model_copy(update={"key": "OTHER"})],
        [TOKEN.model_copy(update={"value": SecretStr("s3cret2")})],
        [TOKEN.model_copy(update={"value": None})],
        [TOKEN.model_copy(update={"is_literal": True})],
        [TOKEN.model_copy(update={"is_multiline": True})],
        [TOKEN.model_copy(update={"is_runtime": False})],
        [TOKEN.model_copy(update={"is_buildtime": False})],
    ],
)
def test_a_change_of_a_variable_changes_the_fingerprint(variables) -> None:
    assert fingerprint(settings(**FULL), [TOKEN]) != fingerprint(settings(**FULL), variables)


@pytest.mark.parametrize(
    "difference",
    [
        {"auth": {"token": "${ANOTHER_TOKEN}"}},
        {"health": FULL["health"] | {"successes": 5, "interval": 1, "deadline": 60, "version": {"path": "/v"}}},
        {"release": {"deploy_timeout": 60}},
        {"network": {"resolvers": ["192.0.2.53"]}},
        {"monitoring": {"enabled": True}},
        {"decisions": {"health-gate-failed": "keep"}},
    ],
)
def test_how_a_release_is_run_and_proved_does_not_change_the_fingerprint(difference) -> None:
    assert fingerprint(settings(**FULL), [TOKEN]) == fingerprint(settings(**FULL | difference), [TOKEN])


@given(st.dictionaries(st.text("ABC", min_size=1, max_size=3), st.text(min_size=8), max_size=4))
def test_a_fingerprint_is_a_digest_that_shows_no_value(values) -> None:
    digest = fingerprint(
        settings(**FULL), [VariableWrite(key=key, value=SecretStr(one)) for key, one in values.items()]
    )
    assert len(digest) == 64
    assert set(digest) <= set("0123456789abcdef")
    assert not any(one in digest for one in values.values())


def protected(environ: dict[str, str], **section: object) -> WantedSecurity:
    return resolve_security(Config.model_validate(LEAST | {"security": section}), environ)


BCRYPT = "$2y$10$35ag5eNkasU4q9XA/uZcV..FeVA7Iy4T2q5DkirtVT3t8HghoQYye"
LOGIN = {"basic_auth": {"users": [{"name": "preview", "password": "${P}"}]}}


def test_one_user_with_a_password_is_handed_to_coolify() -> None:
    found = desired_settings(Config.model_validate(LEAST), protected({"P": "s3cret"}, **LOGIN))
    assert found.is_http_basic_auth_enabled is True
    assert found.http_basic_auth_username == "preview"
    assert found.http_basic_auth_password == SecretStr("s3cret")


def test_users_with_hashes_are_ours_and_coolify_does_not_ask_too() -> None:
    users = {"users": [{"name": "preview", "hash": "${H}"}]}
    found = desired_settings(Config.model_validate(LEAST), protected({"H": f"preview:{BCRYPT}"}, basic_auth=users))
    assert found.is_http_basic_auth_enabled is False
    assert "http_basic_auth_password" not in found.model_fields_set


def test_what_is_not_configured_leaves_coolifys_password_alone() -> None:
    found = desired_settings(Config.model_validate(LEAST), protected({}, max_body="1Mi"))
    assert "is_http_basic_auth_enabled" not in found.model_fields_set


def test_a_text_that_is_no_hash_is_refused_without_being_repeated() -> None:
    users = {"users": [{"name": "preview", "hash": "${H}"}]}
    with pytest.raises(ConfigError) as refusal:
        protected({"H": "hunter2"}, basic_auth=users)
    assert "htpasswd -nB preview" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


def test_all_missing_variables_of_the_users_are_told_at_once() -> None:
    users = {"users": [{"name": "a", "hash": "${A}"}, {"name": "b", "hash": "${B}"}]}
    with pytest.raises(ConfigError) as refusal:
        protected({}, basic_auth=users)
    assert [name in str(refusal.value) for name in ("A is not set", "B is not set")] == [True, True]


def test_security_changes_the_fingerprint_and_how_it_is_checked_does_not() -> None:
    plain = fingerprint(settings(**FULL), [TOKEN])
    assert fingerprint(settings(**FULL), [TOKEN], protected({}, required=True, ports=[22])) == plain
    limited = fingerprint(settings(**FULL), [TOKEN], protected({}, max_body="1Mi"))
    assert limited not in {plain, fingerprint(settings(**FULL), [TOKEN], protected({}, max_body="2Mi"))}
    one = fingerprint(settings(**FULL), [TOKEN], protected({"P": "one"}, **LOGIN))
    assert one != fingerprint(settings(**FULL), [TOKEN], protected({"P": "two"}, **LOGIN))
