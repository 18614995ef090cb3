"""The token in a real keyring of the desktop: the Secret Service of GNOME, over D-Bus."""

import asyncio
import os
import shlex
from pathlib import Path

import pytest

from tests.integration.command.conftest import COMMAND

pytestmark = [pytest.mark.component("gnome-keyring-daemon"), pytest.mark.component("dbus-run-session")]


async def test_a_token_is_kept_in_the_keyring_and_forgotten(shop, home) -> None:
    coolify, server = shlex.join(COMMAND), shop.sandbox.url
    # The daemon takes the password of the keyring from its input, and ends with the session's bus.
    script = f"""
        printf secret | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1 || exit 10
        printf %s "$TOKEN" | {coolify} auth login {server} --name shop --token-stdin || exit 11
        unset TOKEN
        {coolify} auth status || exit 12
        {coolify} project list || exit 13
        {coolify} auth logout shop || exit 14
        {coolify} project list && exit 15
        exit 0
    """
    env = os.environ | {name: value for name, value in home.items() if value is not None}
    for name in ("COOLIFY_TOKEN", "PYTHON_KEYRING_BACKEND"):
        env.pop(name, None)
    runtime = shop.directory / "runtime"
    runtime.mkdir(mode=0o700)
    process = await asyncio.create_subprocess_exec(
        "dbus-run-session", "--", "sh", "-c", script,
        cwd=shop.directory,
        env=env | {"TOKEN": shop.sandbox.token, "XDG_RUNTIME_DIR": str(runtime)},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(100):
        stdout, stderr = await process.communicate()
    told = stdout.decode() + stderr.decode()
    assert process.returncode == 0, told
    assert "the keyring" in told
    assert "There is no API token" in told
    assert shop.sandbox.token not in told
    written = [one for one in Path(home["HOME"]).rglob("*") if one.is_file()]
    assert written
    assert not [one for one in written if shop.sandbox.token.encode() in one.read_bytes()]
