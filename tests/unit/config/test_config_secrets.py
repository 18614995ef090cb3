"""Secrets stay out of the file, out of messages, and are resolved only when they are used."""

import traceback
from pathlib import Path

import pytest

from coolify.config import Config, ConfigError, load_config, resolve_variables

LEAST = "server: https://coolify.example.com\nproject: {name: shop}\n"
KEY = "-----BEGIN OPENSSH " + "PRIVATE KEY-----"


def load(folder: Path, more: str) -> Config:
    file = folder / "config.yml"
    file.write_text(LEAST + more)
    return load_config(file)


@pytest.mark.parametrize(
    ("more", "secret", "path"),
    [
        ("auth: {token: hunter2}", "hunter2", "auth.token"),
        ("auth: {token: '${T:-hunter2}'}", "hunter2", "auth.token"),
        ("auth: {token: '7|" + "a1" * 20 + "'}", "a1a1", "auth.token"),
        ("environments: {staging: {auth: {token: hunter2}}}", "hunter2", "environments.staging.auth.token"),
        ("dns: {records: {zone: x.test, cloudflare: {token: hunter2}}}", "hunter2", "dns.records.cloudflare.token"),
        (
            "environments: {s: {dns: {records: {route53: {secret_access_key: hunter2}}}}}",
            "hunter2",
            "environments.s.dns.records.route53.secret_access_key",
        ),
        ("dns: {records: {rfc2136: {key_secret: aHVudGVyMg==}}}", "aHVud", "dns.records.rfc2136.key_secret"),
        ("env: {API: '7|" + "a1" * 20 + "'}", "a1a1", "env.API"),
        ("env: {X: ghp_" + "a1" * 18 + "}", "a1a1", "env.X"),
        ("env: {X: github_pat_" + "a1" * 18 + "}", "a1a1", "env.X"),
        ("env: {X: glpat-" + "a1" * 10 + "}", "a1a1", "env.X"),
        ("env: {X: AKIA" + "A1" * 8 + "}", "A1A1", "env.X"),
        ("env: {X: xoxb-" + "1a" * 8 + "}", "1a1a", "env.X"),
        ("env: {X: sk_live_" + "a1" * 8 + "}", "a1a1", "env.X"),
        ("env: {X: '" + KEY + "'}", "OPENSSH", "env.X"),
        ("env: {X: 'postgres://shop:hunter2@db/shop'}", "hunter2", "env.X"),
        ("env: {X: 'postgres://shop:${P:-hunter2}@db/shop'}", "hunter2", "env.X"),
        ("source: {image: a, registry: {user: a, password: hunter2}}", "hunter2", "source.registry.password"),
        ("source: {repository: 'https://a:hunter2@git.example.com/a/b'}", "hunter2", "source.repository"),
        ("env: {DB_PASSWORD: hunter2}", "hunter2", "env.DB_PASSWORD"),
        ("env: {db_password: hunter2}", "hunter2", "env.db_password"),
        ("env: {APP_SECRET: {value: hunter2}}", "hunter2", "env.APP_SECRET.value"),
        ("env: {API_TOKEN: 12345}", "12345", "env.API_TOKEN"),
        (
            "environments: {staging: {env: {X_PRIVATE_KEY: hunter2}}}",
            "hunter2",
            "environments.staging.env.X_PRIVATE_KEY",
        ),
        ("source: {repository: 'https://bot:hunter2@git.example.com/x'}", "hunter2", "source.repository"),
        ("project: {}\nbuild: {start_command: run ghp_" + "a1" * 18 + "}", "a1a1", "build.start_command"),
    ],
)
def test_a_literal_secret_is_refused_and_never_repeated(tmp_path: Path, more: str, secret: str, path: str) -> None:
    file = tmp_path / "config.yml"
    file.write_text(
        more + "\nserver: https://c.example.com\n" + ("" if "project:" in more else "project: {name: shop}\n")
    )
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    first = next(one for one in caught.value.problems if one.path == path)
    assert "export" in first.message or "environment variable" in first.message
    assert secret not in "".join(traceback.format_exception(caught.value))
    assert secret not in repr(caught.value)


@pytest.mark.parametrize(
    "more",
    [
        "auth: {token: '${DEPLOY_TOKEN}'}",
        "auth: {token: '${DEPLOY_TOKEN:-}'}",
        "env: {DB_PASSWORD: '${DB_PASSWORD}'}",
        "env: {DB_PASSWORD: ''}",
        "env: {DB_PASSWORD: {from_file: /run/secrets/db}}",
        "env: {URL: 'postgres://shop:${P}@db/shop'}",
        "env: {PASSWORD_MIN_LENGTH: 12}",
        "env: {TOKENIZER: bpe}",
    ],
)
def test_what_is_no_literal_secret_is_allowed(tmp_path: Path, more: str) -> None:
    load(tmp_path, more)


def test_a_refused_server_address_does_not_show_its_password(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text("server: https://me:hunter2@coolify.example.com\nproject: {name: shop}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert "hunter2" not in str(caught.value)
    assert len(caught.value.problems) == 1


def test_a_syntax_error_does_not_show_the_line(tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text("auth:\n  token: 'hunter2\nserver: x\n")
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def test_references_are_resolved_when_used(tmp_path: Path) -> None:
    config = load(tmp_path, "auth: {token: '${T}'}")
    assert config.auth.token.resolve({"T": "real"}) == "real"
    assert "real" not in repr(config)


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("${A}", "a"),
        ("x-${A}-${B}-y", "x-a-b-y"),
        ("${NONE:-default}", "default"),
        ("${NONE:-}", ""),
        ("${A:-default}", "a"),
        ("${EMPTY:-default}", "default"),
        ("$${A}", "${A}"),
        ("$A $$ {A}", "$A $$ {A}"),
        ("${A:-}}", "a}"),
    ],
)
def test_a_reference_replaces_what_a_shell_user_expects(tmp_path: Path, text: str, resolved: str) -> None:
    (variable,) = resolve_variables(load(tmp_path, f"env: {{X: '{text}'}}"), {"A": "a", "B": "b", "EMPTY": ""})
    assert variable.value.get_secret_value() == resolved


def test_all_missing_variables_are_named_with_line_and_remedy(tmp_path: Path) -> None:
    config = load(tmp_path, "env:\n  A: ${ONE}\n  B: ${TWO} ${ONE}\n")
    with pytest.raises(ConfigError) as caught:
        resolve_variables(config, {})
    file = tmp_path / "config.yml"
    assert str(caught.value).splitlines() == [
        f"{file}:4: env.A: the environment variable ONE is not set: run `export ONE=...` first.",
        f"{file}:5: env.B: the environment variable TWO is not set: run `export TWO=...` first.",
        f"{file}:5: env.B: the environment variable ONE is not set: run `export ONE=...` first.",
    ]


def test_variables_keep_their_order_and_settings(tmp_path: Path) -> None:
    more = 'env:\n  Z: 1\n  A: {value: $HOME, literal: false, build: false, comment: why}\n  M: "a\\nb"\n  D: a$b\n'
    variables = resolve_variables(load(tmp_path, more), {})
    assert [one.key for one in variables] == ["Z", "A", "M", "D"]
    _, a, m, d = variables
    assert (a.literal, a.build, a.runtime, a.comment) == (False, False, True, "why")
    assert m.multiline
    assert d.literal
    assert not d.multiline


def test_a_value_from_a_file_lies_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("line 1\nline 2\n")
    (variable,) = resolve_variables(load(tmp_path, "env: {KEY: {from_file: key.pem}}"), {})
    assert variable.value.get_secret_value() == "line 1\nline 2"
    assert variable.multiline


def test_a_missing_file_of_a_variable_is_named(tmp_path: Path) -> None:
    config = load(tmp_path, "env: {KEY: {from_file: key.pem}}")
    with pytest.raises(ConfigError, match=r"env\.KEY\.from_file: the file .*key\.pem cannot be read"):
        resolve_variables(config, {})


def test_a_resolved_variable_does_not_show_its_value(tmp_path: Path) -> None:
    (variable,) = resolve_variables(load(tmp_path, "env: {X: '${A}'}"), {"A": "hunter2"})
    assert "hunter2" not in repr(variable)
