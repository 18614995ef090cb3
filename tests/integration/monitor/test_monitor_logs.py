"""`coolify monitor logs`: what containers print, each line once."""

import asyncio
import json

from tests.integration.command.conftest import COMMAND
from tests.integration.monitor.prometheus import process


async def test_logs_are_shown_filtered_and_followed_without_secrets(shop, coolify, released, monkeypatch) -> None:
    monkeypatch.setenv("SHOP_SECRET", "very-hidden")
    shop.configure(env={"GREETING": "Hello", "SECRET": "${SHOP_SECRET}"})
    await released()
    (log,) = (shop.sandbox.directory / "logs").glob("*.log")

    def says(*texts: str) -> None:
        with log.open("a") as file:
            file.writelines(f"{text}\n" for text in texts)

    says("tick", "tick", "the secret is very-hidden", "\x1b[2Jtock")
    done = await coolify("monitor", "logs", "--json")
    assert done.code == 0, done.text
    texts = [one["line"] for one in done.json]
    assert texts[-4:] == ["tick", "tick", "the secret is [secret]", "[2Jtock"]
    assert all(one["application"] == "shop (production)" and one["at"] for one in done.json)
    assert [one["line"] for one in (await coolify("monitor", "logs", "--grep", "tock$", "--json")).json] == ["[2Jtock"]
    assert "tock" in (await coolify("monitor", "logs", "--since", "1h", "-n", "1")).stdout
    assert (await coolify("monitor", "logs", "--since", "soon")).code == 2
    assert (await coolify("monitor", "logs", "--grep", "(")).code == 2

    words = ("monitor", "logs", "--follow", "--json", "--interval", "1", "-n", "2")
    async with (
        asyncio.timeout(100),
        process(*COMMAND, *words, cwd=shop.directory, stdout=asyncio.subprocess.PIPE) as following,
    ):

        async def next_line() -> str:
            return json.loads(await following.stdout.readline())["line"]

        assert [await next_line(), await next_line()] == ["the secret is [secret]", "[2Jtock"]
        says("tick")
        assert await next_line() == "tick"
        says("tick")
        assert await next_line() == "tick"
        says("end")
        assert await next_line() == "end"

    (application,) = shop.sandbox.state.all("application")
    await shop.sandbox.runtime.stop(application.uuid)
    stopped = await coolify("monitor", "logs")
    assert stopped.code == 1
    assert "shop (production): Coolify" in stopped.text
