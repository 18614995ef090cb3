"""`coolify demo`, as somebody runs it for the first time."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import descendants
from tests.integration.command import documented_json

pytestmark = pytest.mark.timeout(240)


def heed_interrupts() -> None:
    """A job in the background of a shell inherits that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


async def start(*arguments: str, cwd: Path) -> asyncio.subprocess.Process:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "COOLIFY_"))}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "coolify_cli.main",
        "demo",
        *arguments,
        cwd=cwd,
        env=environment | {"TMPDIR": str(cwd), "HOME": str(cwd), "COLUMNS": "120"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=heed_interrupts,
    )


async def test_three_releases_with_outcomes_observed_over_https(tmp_path) -> None:
    process = await start("--json", "--keep", cwd=tmp_path)
    assert process.stdout is not None
    text = ""
    async with asyncio.timeout(180):
        while not text.endswith("\n}\n"):
            line = await process.stdout.readline()
            assert line, "ended before it told the outcomes"
            text += line.decode()
    result = json.loads(text)
    documented_json.check(("demo",), result)
    assert result["ok"] is True
    seen = [(one["version"], one["outcome"], one["served_version"]) for one in result["releases"]]
    assert seen == [("1.0.0", "completed", "1.0.0"), ("1.1.0", "completed", "1.1.0"), ("2.0.0", "rolled_back", "1.1.0")]
    assert "Good morning from version 1.1.0" in result["releases"][2]["served_page"]
    # It was told to keep everything running: the runs can be looked at in Prefect's UI until Ctrl-C.
    async with httpx.AsyncClient(trust_env=False, follow_redirects=True) as client:
        assert "<html" in (await client.get(result["prefect_ui"])).text.lower()
        wanted = {"flows": {"name": {"any_": ["release"]}}}
        runs = (await client.post(f"{result['prefect_ui']}/api/flow_runs/filter", json=wanted)).json()
    assert sorted(run["state_name"] for run in runs) == ["Completed", "Completed", "RolledBack"]
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(60):
        _, stderr = await process.communicate()
    assert process.returncode == 130
    assert b"Traceback" not in stderr
    assert list(tmp_path.glob("coolify-*")) == []


async def test_ctrl_c_ends_everything_that_was_started(tmp_path) -> None:
    process = await start(cwd=tmp_path)
    assert process.stdout is not None
    async with asyncio.timeout(120):
        while b"preflight" not in await process.stdout.readline():
            pass
    started = descendants(process.pid)
    assert started
    process.send_signal(signal.SIGINT)
    async with asyncio.timeout(60):
        _, stderr = await process.communicate()
    assert process.returncode == 130
    assert b"Traceback" not in stderr
    assert not {pid for pid in started if Path(f"/proc/{pid}").exists()}
    assert list(tmp_path.glob("coolify-*")) == []
