"""Completion in the shells themselves, as somebody presses Tab."""

import os
import sys
from pathlib import Path

import pytest

from tests.terminal import at_terminal

SHELLS = {
    "bash": ("bash", "--norc", "--noprofile", "-i"),
    "zsh": ("zsh", "--no-rcs", "-i"),
    "fish": ("fish", "--no-config", "--private"),
}
LOAD = {
    "bash": "source {script}",
    "zsh": "autoload -Uz compinit && compinit -D -u && source {script}",
    "fish": "source {script}",
}


@pytest.mark.parametrize("shell", [pytest.param(name, marks=pytest.mark.component(name)) for name in SHELLS])
async def test_tab_completes_a_command(shell, coolify, tmp_path) -> None:
    script = tmp_path / f"completion.{shell}"
    script.write_text((await coolify("completion", shell)).stdout)
    env = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    async with at_terminal(SHELLS[shell], tmp_path, env) as terminal:
        terminal.types(f"{LOAD[shell].format(script=script)}; echo lo''aded")
        await terminal.sees("loaded")
        terminal.presses("coolify resources all\t")
        await terminal.sees("coolify resources allocate")
        terminal.presses("--port-ma\t")
        await terminal.sees("--port-mapping")
