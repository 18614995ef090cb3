"""Loading `.coolify/config.yml`."""

import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest

from coolify.config import Config, ConfigError, find_config, load_config
from coolify.decisions import DOMAIN_NOT_POINTING, HEALTH_GATE_FAILED

SPECIFIED = """\
server: "https://coolify.example.com"
auth:
  token: "${COOLIFY_TOKEN}"
  expires: "2024-01-01T00:00:00Z"
project:
  name: "my-application"
  uuid: "123e4567-e89b-12d3-a456-426614174000"
domains:
  - primary: "app.example.com"
    ssl: true
  - staging: "staging.app.example.com"
    ssl: true
resources:
  cpu: "2"
  memory: "4Gi"
  storage: "20Gi"
monitoring:
  enabled: true
  alerts:
    email: "admin@example.com"
    slack: "#deployments"
"""
LEAST = "server: https://coolify.example.com\nproject: {name: shop}\n"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        file = tmp_path / "config.yml"
        file.write_text(dedent(text))
        return file

    return write


@pytest.fixture
def load(write: Write) -> Callable[..., Config]:
    return lambda text, environment=None: load_config(write(text), environment=environment)


def problems(write: Write, text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(ConfigError) as caught:
        load_config(write(text))
    assert caught.value.is_usage
    return [(one.line, one.path, one.message) for one in caught.value.problems]


def only(write: Write, more: str) -> tuple[int, str, str]:
    """Return the one problem of the smallest configuration and some more text (which starts on line 3)."""
    found = problems(write, LEAST + dedent(more))
    assert len(found) == 1, found
    return found[0]


def test_the_specified_example_loads_unchanged(load) -> None:
    config = load(SPECIFIED)
    assert config.server == "https://coolify.example.com"
    assert config.auth.token.variables == ("COOLIFY_TOKEN",)
    assert config.auth.expires == datetime(2024, 1, 1, tzinfo=UTC)
    assert config.auth.days_left(datetime(2023, 12, 30, tzinfo=UTC)) == 2
    assert config.project.uuid == "123e4567-e89b-12d3-a456-426614174000"
    assert [domain.url for domain in config.domains] == ["https://app.example.com"]
    assert (config.resources.docker_cpus, config.resources.docker_memory) == ("2", "4g")
    assert config.resources.storage_bytes == 20 * 1024**3
    assert config.monitoring.enabled
    assert (config.monitoring.alerts.email, config.monitoring.alerts.slack) == ("admin@example.com", "#deployments")


def test_a_server_and_a_project_are_enough(load) -> None:
    config = load(LEAST)
    assert config.environment == "production"
    assert config.application_name == "shop"
    assert config.source is None
    assert config.build.ports_exposes == "3000"
    assert config.auth.token.text == "${COOLIFY_TOKEN}"
    assert config.policy(HEALTH_GATE_FAILED) == "auto"


def test_a_configuration_holds_plain_text_and_can_be_pickled(load) -> None:
    config = load(SPECIFIED)
    assert type(config.project.name) is str
    assert type(config.domains[0].name) is str
    assert type(config.environment) is str
    assert pickle.loads(pickle.dumps(config)) == config


@pytest.mark.parametrize(
    ("written", "server"),
    [
        ("https://coolify.example.com/", "https://coolify.example.com"),
        ("https://coolify.example.com/api/v1/", "https://coolify.example.com"),
        ("http://127.0.0.1:8000/api", "http://127.0.0.1:8000"),
        ("https://example.com/coolify", "https://example.com/coolify"),
    ],
)
def test_a_server_address_loses_its_api_path(load, written: str, server: str) -> None:
    assert load(f"server: {written}\nproject: {{name: shop}}\n").server == server


@pytest.mark.parametrize("written", ["coolify.example.com", "ftp://x", "https://", "https://x:99999", "https://x?a=1"])
def test_a_server_that_is_no_http_url_is_refused(write: Write, written: str) -> None:
    ((line, path, _),) = problems(write, f"server: {written}\nproject: {{name: shop}}\n")
    assert (line, path) == (1, "server")


def test_scalars_stay_as_written(load) -> None:
    config = load(
        LEAST
        + dedent("""\
        source: {image: nginx, tag: 1.10}
        env:
          VERSION: 1.10
          ZIP: 01234
          DEBUG: true
          EMPTY:
        """)
    )
    assert config.source is not None
    assert config.source.tag == "1.10"
    values = {key: variable.value.text for key, variable in config.env.items() if variable.value}
    assert values == {"VERSION": "1.10", "ZIP": "01234", "DEBUG": "true", "EMPTY": ""}


def test_anchors_and_merge_keys_work(load) -> None:
    config = load(
        LEAST
        + dedent("""\
        env:
          A: &shared {value: x, comment: same}
          B: {<<: *shared, value: y}
        """)
    )
    assert (config.env["B"].value.text, config.env["B"].comment) == ("y", "same")


def test_all_problems_are_told_at_once_each_with_its_line(write: Write) -> None:
    file = write("""\
        server: https://coolify.example.com
        project:
          name: shop
          colour: blue
        health:
          path: healthz
          sucesses: 3
        domains:
          - primary: https://app.example.com
          - staging: staging.example.com
            ssl: perhaps
        """)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert str(caught.value).splitlines() == [
        f"{file}:4: project.colour: unknown key: known are `name`, `uuid`, `description`.",
        f"{file}:6: health.path: must start with `/`.",
        f"{file}:7: health.sucesses: unknown key: did you mean `successes`?",
        f"{file}:9: domains[0].primary: write the host name alone, as in app.example.com, without https:// and path.",
        f"{file}:11: domains[1].ssl: must be true or false.",
    ]


@pytest.mark.parametrize(
    ("text", "line", "path", "says"),
    [
        ("projects: {}", 3, "projects", "did you mean `project`"),
        ("domain: []", 3, "domain", "did you mean `domains`"),
        ("enviroments: {}", 3, "enviroments", "did you mean `environments`"),
        ("path: /etc", 3, "path", "unknown key"),
        ("all_domains: []", 3, "all_domains", "did you mean `domains`"),
        ("health: {version: {expect: x}}", 3, "health.version.expect", "did you mean `expected`"),
        ("env:\n  A: {valu: x}", 4, "env.A.valu", "did you mean `value`"),
        ("env:\n  A-B: x", 4, "env.A-B", "not a variable's name"),
        ("env:\n  A: {}", 4, "env.A", "either `value` or `from_file`"),
        ("env:\n  A: [x]", 4, "env.A", "must be text"),
        ("env: [A]", 3, "env", "mapping"),
        ("build: x", 3, "build", "mapping"),
        ("build: {pack: docker}", 3, "build.pack", "'nixpacks'"),
        ("build: {port: 70000}", 3, "build.port", "at most 65535"),
        ("build: {port: web}", 3, "build.port", "whole number"),
        ("build: {port: 80, ports: [80]}", 3, "build", "keep one"),
        ("build:\n  start_command: run; rm", 4, "build.start_command", "`;` (character 4)"),
        ("source: {branch: main}", 3, "source", "has none"),
        ("source: {image: a, repository: b}", 3, "source", "has repository and image"),
        ("source: {image: 'a:1'}", 3, "source.image", "source.tag"),
        ("resources: {memory: 4GB}", 3, "resources.memory", "not a quantity"),
        ("resources: {memory: 4}", 3, "resources.memory", "less than 6Mi"),
        ("resources: {memory: 4Gi, memory_swap: 1Gi}", 3, "resources", "together"),
        ("domains:\n  - ssl: true", 4, "domains[0]", "has none"),
        ("domains:\n  - a: x.com\n    b: y.com", 4, "domains[0]", "has `a`, `b`"),
        ("domains:\n  - a: x.com\n  - b: X.com.", 3, "domains", "twice"),
        ("domains:\n  - primry: x.com", 4, "domains[0].primry", "did you mean `primary`?"),
        ("domains:\n  - a: x.com\n  - stagin: y.com", 5, "domains[1].stagin", "did you mean `staging`?"),
        ("environments: {preview: {}}\ndomains: [{previw: x.com}]", 4, "domains[0].previw", "`preview`"),
        (
            "environments:\n  staging:\n    domains:\n      - Staging: x.com",
            6,
            "environments.staging.domains[0].Staging",
            "did you mean `staging`?",
        ),
        ("health: {expect: 700}", 3, "health.expect", "at most 599"),
        ("health: {expect: []}", 3, "health.expect", "not be empty"),
        ("health: {successes: 100}", 3, "health", "cannot be passed"),
        ("auth: {expires: '2024-01-01 00:00'}", 3, "auth.expires", "time zone"),
        (
            "decisions:\n  domain-not-pointin: ask",
            4,
            "decisions.domain-not-pointin",
            "did you mean `domain-not-pointing`",
        ),
        ("decisions:\n  build-failed: retri", 4, "decisions.build-failed", "did you mean `retry`"),
        ("network: {resolvers: [dns.example]}", 3, "network.resolvers[0]", "not an IP address"),
        ("network: {resolvers: ['1.1.1.1:0']}", 3, "network.resolvers[0]", "at least 1"),
        ("monitoring: {alerts: {slack: deployments}}", 3, "monitoring.alerts.slack", "not written"),
        ("environment: [a]", 3, "environment", "must be text"),
        ("environments: [a]", 3, "environments", "mapping"),
        ("environments:\n  a b: {}", 4, "environments.a b", "not an environment's name"),
        ("environments:\n  x: {environment: y}", 4, "environments.x.environment", "cannot be set"),
        ("environments:\n  x:\n    health: {path: y}", 5, "environments.x.health.path", "start with"),
    ],
)
def test_a_problem_names_line_path_and_remedy(write: Write, text: str, line: int, path: str, says: str) -> None:
    found_line, found_path, message = only(write, text + "\n")
    assert (found_line, found_path) == (line, path), message
    assert says in message
    assert message.endswith((".", "?"))


@pytest.mark.parametrize("name", ["staging2", "staging-eu", "stage", "product", "api", "production", "preview-eu-2"])
def test_a_name_of_its_own_is_no_slip_of_the_pen(name: str) -> None:
    text = f"{LEAST}environments: {{preview-eu-1: {{}}}}\ndomains: [{{{name}: app.example.com}}]\n"
    assert load_config(Path("config.yml"), text=text).all_domains[0].name == name


def test_a_missing_key_is_named_with_its_section(write: Write) -> None:
    assert problems(write, "auth: {}\nproject:\n  uuid: abc\n") == [
        (1, "", "`server` is missing: add `server: ...`."),
        (2, "project", "`name` is missing: add `name: ...`."),
    ]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 0, "is empty"),
        ("# nothing\n", 0, "is empty"),
        ("null\n", 0, "is empty"),
        ("- a\n- b\n", 1, "not a mapping"),
        ("text\n", 1, "not a mapping"),
        ("server: [a\nproject: b\n", 2, "not valid YAML"),
        ("a: 1\n\tb: 2\n", 2, "not valid YAML"),
        ("a: *nowhere\n", 1, "not valid YAML"),
        ("a: \x07\n", 0, "character"),
    ],
)
def test_text_that_is_no_configuration_is_refused_with_its_line(write: Write, text: str, line: int, says: str) -> None:
    ((found_line, _, message),) = problems(write, text)
    assert found_line == line
    assert says in message


def test_a_folded_text_is_one_line(load) -> None:
    text = LEAST + "build:\n  start_command: >-\n    python -m shop\n    --port 3000\n"
    assert load(text).build.start_command == "python -m shop --port 3000"


def test_an_address_in_a_mapping_on_one_line_needs_no_quotes(load) -> None:
    text = LEAST + "source: {repository: git@git.example.com:shop/shop.git, branch: main}\n"
    assert load(text).source.repository == "git@git.example.com:shop/shop.git"


def test_a_key_written_twice_is_refused(write: Write) -> None:
    assert problems(write, LEAST + "env:\n  A: x\n  A: y\n") == [
        (5, "env.A", "is written twice, first on line 4: keep one.")
    ]


def test_an_alias_that_contains_itself_is_refused(write: Write) -> None:
    _, path, message = only(write, "env: &loop\n  A: *loop\n")
    assert path == "env.A"
    assert "contains itself" in message


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "config.yml")
    assert str(caught.value) == f"{tmp_path}/config.yml: not found: write one with `coolify project init`."


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_config(tmp_path / "config.yml")


def test_the_default_file_is_searched_upwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = tmp_path / "src" / "deep"
    below.mkdir(parents=True)
    file = tmp_path / ".coolify" / "config.yml"
    file.parent.mkdir()
    file.write_text(LEAST)
    monkeypatch.chdir(below)
    assert find_config(Path(".coolify/config.yml")) == file
    with pytest.raises(ConfigError, match="not found"):
        find_config(Path("other.yml"))
    file.unlink()
    with pytest.raises(ConfigError, match="or above"):
        find_config(Path(".coolify/config.yml"))


OVERLAID = LEAST + dedent("""\
    domains:
      - primary: app.example.com
      - staging: staging.example.com
      - review: review.example.com
      - shop: shop.example.com
    resources: {cpu: 2, memory: 4Gi}
    health: {expect: [200, 204]}
    decisions: {domain-not-pointing: ask}
    environments:
      staging:
        resources: {memory: 1Gi}
        health: {expect: [200]}
      review:
    """)


def test_an_overlay_is_merged_deeply_and_replaces_lists(load) -> None:
    config = load(OVERLAID, "staging")
    assert config.environment == "staging"
    assert (config.resources.cpu, config.resources.memory) == ("2", "1Gi")
    assert config.health.expect == (200,)
    assert load(OVERLAID).resources.memory == "4Gi"
    assert config.policy(DOMAIN_NOT_POINTING) == "ask"


def test_an_environment_without_overlay_is_only_a_name(load) -> None:
    config = load(OVERLAID, "qa")
    assert config.environment == "qa"
    assert config.resources.memory == "4Gi"


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        (None, ["primary", "shop"]),
        ("staging", ["staging", "shop"]),
        ("review", ["review", "shop"]),
        ("qa", ["primary", "shop"]),
    ],
)
def test_a_domain_named_after_an_environment_belongs_to_it_alone(load, environment: str | None, names) -> None:
    config = load(OVERLAID, environment)
    assert [domain.name for domain in config.domains] == names
    assert len(config.all_domains) == 4


def test_the_environment_of_the_file_chooses_its_overlay(load) -> None:
    assert load("environment: staging\n" + OVERLAID).resources.memory == "1Gi"


def test_an_overlay_section_with_nothing_in_it_changes_nothing(load) -> None:
    assert load(OVERLAID + "  qa: {resources: , health: {path: /qa}}\n", "qa").resources.memory == "4Gi"


def test_a_key_that_cannot_be_printed_does_not_steer_the_terminal(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write(LEAST + '"\\e[2J\\n": x\n'))
    assert str(caught.value).isprintable()


def test_a_refusal_can_be_pickled(write: Write) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write("colour: blue\n"))
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
