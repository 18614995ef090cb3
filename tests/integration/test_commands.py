"""A command on this machine: real processes, ended whatever they do."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from coolify.commands import CommandResult, run_here
from coolify.redaction import Redaction

ENVIRON = {"PATH": os.environ["PATH"], "WHO": "world"}


async def ran(command: str, directory: Path, limit: float = 60.0, secrets: tuple[str, ...] = ()):
    lines: list[str] = []
    result = await run_here(command, directory, ENVIRON, limit, lines.append, Redaction(secrets))
    return result, lines


def processes_of(marker: str) -> list[str]:
    """Return the processes that have a text in their environment."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            found += [file.parent.name] if f"WHO={marker}".encode() in file.read_bytes() else []
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that has ended and that nobody has waited for yet is not alive.
    return ") Z " not in Path(f"/proc/{pid}/stat").read_text() if Path("/proc").exists() else True


async def gone(pid: int) -> None:
    async with asyncio.timeout(60):
        while is_alive(pid):
            await asyncio.sleep(0.05)


async def written(file: Path) -> str:
    async with asyncio.timeout(60):
        while not file.exists() or not file.read_text().strip():
            await asyncio.sleep(0.02)
    return file.read_text().strip()


async def test_a_command_runs_in_its_directory_with_its_environment_and_tells_both_outputs(tmp_path) -> None:
    result, lines = await ran("pwd; echo hello $WHO; echo oops >&2", tmp_path)
    assert result == CommandResult("", (str(tmp_path), "hello world", "oops"))
    assert lines == list(result.tail)


@pytest.mark.parametrize(
    ("command", "problem"),
    [("exit 3", "ended with 3"), ("kill -KILL $$", "was ended by SIGKILL"), ("no-such-program", "ended with 127")],
)
async def test_a_command_that_does_not_end_well_says_how(tmp_path, command, problem) -> None:
    result, _ = await ran(command, tmp_path)
    assert result.problem == problem
    assert not result.ok


async def test_a_directory_that_is_not_there_is_a_failure_and_no_crash(tmp_path) -> None:
    result, _ = await ran("true", tmp_path / "nowhere")
    assert "cannot be started" in result.problem


async def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("coolify.commands._STOP_GRACE", 0.5)
    monkeypatch.setitem(ENVIRON, "WHO", str(tmp_path))
    result, _ = await ran("trap '' TERM; sleep 600 & sleep 600", tmp_path, limit=1.0)
    assert result.problem == "took longer than 1 s"
    async with asyncio.timeout(60):
        while processes_of(str(tmp_path)):
            await asyncio.sleep(0.05)


async def test_a_cancelled_release_ends_the_command(tmp_path) -> None:
    running = asyncio.create_task(ran("echo $$ > leader; exec sleep 600", tmp_path))
    pid = int(await written(tmp_path / "leader"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await gone(pid)


async def test_what_stays_in_the_background_does_not_hold_the_release(tmp_path) -> None:
    result, lines = await ran("sleep 600 & echo $! > child; echo done", tmp_path)
    assert result.ok
    assert lines == ["done"]
    await gone(int(await written(tmp_path / "child")))


async def test_it_asks_nobody(tmp_path) -> None:
    result, _ = await ran("read answer || echo nobody there", tmp_path)
    assert result.tail == ("nobody there",)


async def test_output_is_shown_without_secrets_and_without_steering_the_terminal(tmp_path) -> None:
    secret = "s3cr3t-value"
    command = r"printf 'token %s\r\n\033[31mred\033[0m\a\n' s3cr3t-value; head -c 3000000 /dev/zero | tr '\0' x; echo"
    result, lines = await ran(command, tmp_path, secrets=(secret,))
    assert result.ok
    assert lines[:2] == ["token [secret]", "[31mred[0m"]
    assert lines[2].startswith("xxx")
    assert len(lines[2]) < 1000


async def test_a_flood_of_lines_is_cut_and_its_end_is_kept(tmp_path) -> None:
    result, lines = await ran("seq 1 20000", tmp_path)
    assert len(lines) == 2000
    assert "not shown" in lines[-1]
    assert result.tail[-1] == "20000"


async def test_a_daemon_that_leaves_its_group_does_not_hold_the_release_either(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("coolify.commands._AFTER_END", 0.2)
    monkeypatch.setitem(ENVIRON, "WHO", str(tmp_path))
    result, lines = await ran("setsid sleep 600 & echo done", tmp_path)
    assert result.ok
    assert lines == ["done"]
    for pid in processes_of(str(tmp_path)):
        os.kill(int(pid), signal.SIGKILL)
