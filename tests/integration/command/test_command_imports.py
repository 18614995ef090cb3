"""Commands that only read never load Prefect, which would take longer than all they do."""

import pytest

READING = (
    "--version",
    "--help",
    "release --help",
    "auth status",
    "project list",
    "project config show",
    "project config validate",
    "environment list",
    "plan",
    "domain list",
    "domain verify",
    "deploy status",
    "deploy logs",
    "ssl status",
    "ssl renew --dry-run",
    "completion bash",
)


@pytest.mark.parametrize("command", READING)
async def test_a_reading_command_does_not_load_prefect(coolify, command) -> None:
    done = await coolify(*command.split(), PYTHONPROFILEIMPORTTIME="1")
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "coolify_cli.main" in loaded or "click" in loaded
    assert not {one for one in loaded if one.partition(".")[0] in {"prefect", "flows", "tasks", "blocks"}}


@pytest.mark.parametrize("command", ["auth status", "project list", "deploy status", "deploy logs"])
async def test_looking_at_coolify_loads_no_more_than_that_needs(coolify, command) -> None:
    done = await coolify(*command.split(), PYTHONPROFILEIMPORTTIME="1")
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert {"coolify.api.client", "coolify.config.coordinates"} <= loaded
    assert not loaded & {"coolify.config.model", "coolify.api.settings", "coolify.plan", "h2.connection"}
