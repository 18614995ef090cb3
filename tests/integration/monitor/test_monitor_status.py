"""`coolify monitor status`: everything about every application in one table, what is wrong first."""

import os

import pytest

from coolify.config.monitoring import Aspect
from tests.integration.command.conftest import COMMAND
from tests.terminal import at_terminal


async def test_all_aspects_are_looked_at_and_what_is_wrong_comes_first(shop, coolify, home, released) -> None:
    await released()
    done = await coolify("monitor", "status", "--json")
    assert done.code == 0, done.text
    by_name = {one["application"]: one for one in done.json}
    assert set(by_name["shop"]["aspects"]) == set(Aspect) - {Aspect.BACKUP, Aspect.SERVER}
    assert set(by_name["shop"]["aspects"].values()) == {"ok"}, done.text
    # It is reached, and has never cleaned up, so that nothing is known of its disk.
    assert by_name[""]["aspects"] == {"server": "info"}

    (server,) = shop.sandbox.state.all("server")
    shop.sandbox.state.update(server, settings=server["settings"] | {"is_reachable": False})
    done = await coolify("monitor", "status", "--json")
    assert done.code == 2
    assert [one["name"] for one in done.json[0]["findings"]] == ["watch-server-unreachable"]

    shop.sandbox.state.update(server, settings=server["settings"] | {"is_reachable": True})
    (application,) = shop.sandbox.state.all("application")
    shop.sandbox.state.update(application, status="exited:unhealthy")
    text = (await coolify("monitor", "status")).text
    assert "shop does not run: Coolify calls it exited" in text
    assert "1 of 2 with problems" in text

    environment = {name: value for name, value in (os.environ | home).items() if value is not None}
    words = (*COMMAND, "monitor", "status", "--watch", "--interval", "1")
    # Coolify notes the real state again when somebody asks about the application: the next look is good.
    shop.sandbox.state.update(application, status="exited:unhealthy")
    async with at_terminal(words, shop.directory, environment) as terminal:
        await terminal.sees("shop does not run")
        await terminal.sees("Nothing is wrong with 1 application")
        assert await terminal.ends_when_interrupted() == 130


async def test_applications_without_a_file_are_seen_with_all_and_coolify_may_be_down(shop, coolify, released) -> None:
    await released()
    login = await coolify("auth", "login", shop.sandbox.url, "--name", "here", "--token-env", "COOLIFY_TOKEN")
    assert login.code == 0, login.text
    done = await coolify("monitor", "status", "--all", "--json")
    (shown,) = (one for one in done.json if one["application"])
    assert (shown["project"], shown["environment"]) == ("shop", "production")
    assert {"container", "deployment"} <= set(shown["aspects"])
    assert "drift" not in shown["aspects"]

    shop.configure(server="http://127.0.0.1:9")
    done = await coolify("monitor", "status", "--json")
    assert done.code == 2
    assert [one["name"] for one in done.json[0]["findings"]] == ["watch-coolify-unreachable"]
    # What visitors see is looked at all the same, and what Coolify would tell is not called bad.
    assert done.json[1]["aspects"] == {"health": "ok", "certificate": "ok"}


@pytest.mark.parametrize("arguments", [("--watch", "--json"), ("--config", "nowhere.yml")])
async def test_a_wrong_call_is_told_in_one_sentence(shop, coolify, arguments) -> None:
    done = await coolify("monitor", "status", *arguments)
    assert done.code == 2
    assert "Traceback" not in done.stderr
