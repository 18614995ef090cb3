"""The compose file and the systemd unit name only what exists. That it works together: tests/e2e/test_composed.py."""

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import click
import pytest
from prefect.settings import Settings
from prefect_redis.cleanup_queue import RedisWorkerCleanupQueueSettings
from prefect_redis.client import RedisMessagingSettings
from pydantic import AliasChoices, BaseModel
from ruamel.yaml import YAML

from coolify_cli.main import cli
from deployments.automations import ALERTS, REPAIRS
from deployments.declared import read_declarations

FOLDER = Path(__file__).parents[3] / "deployments"
COMPOSE = YAML(typ="safe").load(FOLDER / "compose.yaml")
SERVICES = COMPOSE["services"]
UNIT = (FOLDER / "systemd" / "coolify-flows.service").read_text()
COMMANDS = [one["command"] for one in SERVICES.values() if one.get("command", [""])[0] in {"prefect", "coolify"}]
COMMANDS.append(["coolify", *shlex.split(re.search(r"ExecStart=\S+ (.*)", UNIT)[1])])


def _names(model: type[BaseModel]) -> set[str]:
    """The environment variables of Prefect's settings."""
    found = set()
    for field in model.model_fields.values():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= _names(field.annotation)
        if isinstance(field.validation_alias, AliasChoices):
            found |= {one.upper() for one in field.validation_alias.choices if isinstance(one, str)}
    prefix = str(model.model_config.get("env_prefix", "")).upper()
    return found | {f"{prefix}{name}".upper() for name in model.model_fields}


@cache
def _help(*words: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "prefect", *words, "--help"], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("name", SERVICES)
def test_every_setting_of_prefect_exists(name) -> None:
    known = _names(Settings) | _names(RedisMessagingSettings) | _names(RedisWorkerCleanupQueueSettings)
    # Read from the environment, not through its settings.
    known.add("PREFECT_SERVER_ENCRYPTION_KEY")
    given = {one for one in SERVICES[name].get("environment", {}) if one.startswith("PREFECT_")}
    assert given <= known, given - known


@pytest.mark.parametrize("name", ["server", "services", "worker"])
def test_links_lead_to_where_browsers_find_the_ui(name) -> None:
    # Its address in the network of the containers would be taken otherwise.
    assert SERVICES[name]["environment"]["PREFECT_UI_URL"].startswith("${PREFECT_PUBLIC_URL")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_and_option_exists(command) -> None:
    program, *words = command
    names = [one for one in words if not one.startswith("-")]
    if program == "coolify":
        found: click.Command = cli
        while isinstance(found, click.Group):
            found = found.get_command(click.Context(found), names.pop(0))
        known = {option for parameter in found.params for option in parameter.opts}
        assert {one for one in words if one.startswith("--")} <= known
        return
    path = words[: next((place for place, one in enumerate(words) if one.startswith("-")), len(words))]
    text = _help(*path)
    for option in (one for one in words if one.startswith("--")):
        assert option in text, f"prefect {' '.join(path)} has no {option}"


def test_what_a_service_waits_for_can_become_so() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            match how["condition"]:
                case "service_healthy":
                    assert "healthcheck" in SERVICES[other], f"{name} waits for the health of {other}"
                case "service_completed_successfully":
                    assert SERVICES[other]["restart"] == "no", f"{name} waits for the end of {other}"
                case condition:
                    raise AssertionError(condition)


def test_secrets_come_from_the_environment_and_the_example_names_them_all() -> None:
    text = (FOLDER / "compose.yaml").read_text()
    # One that may be empty is named too; one that may be missing otherwise would be empty without a word.
    named = r"\$\{(\w+)(?::\?|:-)\}"
    example = (FOLDER / "env.example").read_text()
    assert set(re.findall(named, text)) == set(re.findall(r"^(\w+)=", example, flags=re.MULTILINE))
    assert "$" not in re.sub(named, "", text), "a variable that may be missing"
    may_be_empty = set(re.findall(r"\$\{(\w+):-\}", text))
    assert may_be_empty == {"COOLIFY_WEBHOOK_SECRET_OLD"}
    assert not [
        value for key, value in re.findall(r"^(\w*(?:PASSWORD|AUTH|KEY|SECRET|OLD))=(.+)$", example, flags=re.MULTILINE)
    ]


def test_volumes_are_declared_and_only_the_machine_itself_reaches_the_server() -> None:
    used = {one.partition(":")[0] for service in SERVICES.values() for one in service.get("volumes", ())}
    assert used == set(COMPOSE["volumes"])
    ports = [one for service in SERVICES.values() for one in service.get("ports", ())]
    assert all(one.startswith("127.0.0.1:") for one in ports)


def test_a_volume_of_ours_belongs_to_the_user_that_writes_to_it() -> None:
    """Docker gives a new volume the owner that the image has at its place, and root where there is nothing."""
    image = (FOLDER / "Dockerfile").read_text()
    ours = [one for one in SERVICES.values() if one.get("image") == COMPOSE["x-ours"]["image"]]
    places = [volume.partition(":")[2] for service in ours for volume in service.get("volumes", ())]
    assert places
    for place in places:
        assert re.search(rf"install --directory --owner coolify .* {place}$", image, flags=re.MULTILINE), place


def test_the_receiver_listens_where_it_is_reached_and_asked_for_its_health() -> None:
    receiver = SERVICES["receiver"]
    port = receiver["command"][receiver["command"].index("--port") + 1]
    assert receiver["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f":{port}/health" in receiver["healthcheck"]["test"][-1]
    (volume,) = receiver["volumes"]
    assert receiver["command"][receiver["command"].index("--spool") + 1] == volume.partition(":")[2]
    # What it has accepted waits for the server: it has no reason to wait itself.
    assert "depends_on" not in receiver


def test_the_unit_tells_what_lets_webhooks_be_received() -> None:
    assert "COOLIFY_WEBHOOK_SECRET" in UNIT
    assert "EnvironmentFile=/etc/coolify-flows.env" in UNIT
    directory = re.search(r"--directory (\S+)", UNIT)[1]
    assert f"ReadWritePaths={directory}" in UNIT, "the spool lies below it"


def test_the_image_of_the_server_is_the_version_that_is_tested() -> None:
    from importlib.metadata import version

    assert SERVICES["server"]["image"].startswith(f"prefecthq/prefect:{version('prefect')}-")


def test_the_operators_page_names_commands_automations_and_schedules_as_they_are() -> None:
    page = (FOLDER.parent / "docs" / "operators.md").read_text()
    for line in re.findall(r"^\$ coolify (.*)$", page, flags=re.MULTILINE):
        test_every_command_and_option_exists(["coolify", *shlex.split(line)])
    for one in (*ALERTS, *REPAIRS):
        assert f"| {one.name.removeprefix('coolify: ')} |" in page
    for deployment in read_declarations():
        for schedule in deployment.schedules:
            assert f"| `{deployment.name}` | `{schedule.slug}` |" in page
