"""`coolify deploy` beyond the plain start: commits, cancelling, not waiting."""

from coolify.api import ApplicationSettings


def statuses(shop) -> list[str]:
    return [row["status"] for row in shop.sandbox.state.all("deployment")]


async def test_a_commit_is_deployed_once_and_the_application_is_not_pinned_to_it(
    shop, coolify, released, prefect_server
) -> None:
    first = shop.repository._git("rev-parse", "HEAD")
    shop.repository.commit("1.1.0")
    await released()
    done = await coolify("deploy", "start", "--commit", first, "--local", "--json", **prefect_server.environment)
    assert done.code == 0, done.text
    assert (done.json["commit"], done.json["healthy"]) == (first, True)
    assert await shop.version() == "1.0.0"
    assert shop.sandbox.state.all("application")[0]["git_commit_sha"] == "HEAD"


async def test_half_a_commit_is_refused_before_anything_is_asked(coolify) -> None:
    done = await coolify("deploy", "start", "--commit", "abc1234")
    assert done.code == 2
    assert "full sha" in done.text


async def test_what_is_not_to_be_deployed_is_refused_and_nothing_is_queued(
    shop, coolify, released, prefect_server
) -> None:
    await released()
    done = await coolify("deploy", "start", "--tag", "v2", "--local", **prefect_server.environment)
    assert done.code == 1
    assert "no image of a registry" in done.text
    shop.configure(release={"freeze": [{"from": "2020-01-01", "until": "2199-12-31", "reason": "Stocktaking"}]})
    done = await coolify("deploy", "start", "--local", **prefect_server.environment)
    assert done.code == 1
    assert "Stocktaking" in done.text
    assert "--override" in done.text
    assert statuses(shop) == ["finished"]


async def test_a_deployment_is_left_alone_by_one_who_does_not_wait_and_cancelled_afterwards(
    shop, coolify, released, prefect_server
) -> None:
    await released()
    shop.repository.commit("1.1.0")
    async with shop.client() as client:
        (application,) = await client.applications.list()
        await client.applications.update(application.uuid, ApplicationSettings(build_command="sleep 600"))
    done = await coolify("deploy", "start", "--no-wait", "--local", "--json", **prefect_server.environment)
    assert done.code == 0, done.text
    assert done.json["healthy"] is None
    uuid = done.json["deployment_uuid"]
    assert (await coolify("deploy", "cancel", "--no-input")).code == 2
    dry = await coolify("deploy", "cancel", "--dry-run", "--json")
    assert dry.json == {"deployment_uuid": uuid, "cancelled": False, "dry_run": True}
    assert statuses(shop)[-1] == "in_progress"
    done = await coolify("deploy", "cancel", "--yes", "--json")
    assert done.code == 0, done.text
    assert done.json == {"deployment_uuid": uuid, "cancelled": True, "dry_run": False}
    assert statuses(shop)[-1] == "cancelled-by-user"
    again = await coolify("deploy", "cancel", uuid, "--yes")
    assert again.code == 1
    assert "ended already" in again.text
    assert await shop.version() == "1.0.0"
