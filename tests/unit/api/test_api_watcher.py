"""Following deployments: one look for all, patience with what is not visible yet, an end for what never comes."""

import asyncio
import gc
import json

import pytest

from coolify.api.errors import DeploymentNotStoredError, FollowTimeoutError, NotFoundError, ServerError
from coolify.api.models import Deployment, DeploymentStatus
from coolify.api.watcher import DeploymentWatcher, LogLines, StatusChanged


class Coolify:
    """Deployments as scripts of states; one step is taken with every look at the running ones."""

    def __init__(self, **scripts: list[str]) -> None:
        self.scripts = scripts
        self.looks = 0
        self.gets: list[str] = []
        self.pauses: list[float] = []

    def _state(self, uuid: str) -> str:
        script = self.scripts.get(uuid, ["unknown"])
        return script[min(self.looks - 1, len(script) - 1)]

    def _deployment(self, uuid: str) -> Deployment:
        lines = [{"output": f"line {number}", "order": number} for number in range(self.looks)]
        answer = {"deployment_uuid": uuid, "status": self._state(uuid), "logs": json.dumps(lines)}
        return Deployment.model_validate(answer)

    async def running(self) -> tuple[Deployment, ...]:
        self.looks += 1
        await asyncio.sleep(0)
        return tuple(self._deployment(uuid) for uuid in self.scripts if self._state(uuid) in {"queued", "in_progress"})

    async def get(self, uuid: str) -> Deployment:
        self.gets.append(uuid)
        if self._state(uuid) == "unknown":
            raise NotFoundError(status=404, message="Deployment not found.", method="GET", path="/deployments/x")
        return self._deployment(uuid)

    def watcher(self) -> DeploymentWatcher:
        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)
            await asyncio.sleep(0)

        return DeploymentWatcher(self.running, self.get, sleep)


async def states(watcher: DeploymentWatcher, uuid: str, **options) -> list[DeploymentStatus]:
    options = {"logs": False, "interval": 1.0, "limit": None} | options
    events = [event async for event in watcher.follow(uuid, **options)]
    return [event.deployment.status for event in events if isinstance(event, StatusChanged)]


async def test_each_state_is_told_once_and_a_terminal_one_is_the_last() -> None:
    coolify = Coolify(a=["queued", "queued", "in_progress", "in_progress", "finished"])
    told = await states(coolify.watcher(), "a")
    assert told == [DeploymentStatus.QUEUED, DeploymentStatus.IN_PROGRESS, DeploymentStatus.FINISHED]
    # Only what is not running any more is asked for by itself.
    assert coolify.gets == ["a"]


async def test_all_followers_share_one_look() -> None:
    script = ["queued", "in_progress", "in_progress", "finished"]
    coolify = Coolify(**{f"d{number}": script for number in range(10)})
    watcher = coolify.watcher()
    told = await asyncio.gather(*(states(watcher, f"d{number}") for number in range(10)))
    assert {one[-1] for one in told} == {DeploymentStatus.FINISHED}
    assert coolify.looks <= len(script) + 1


async def test_many_followers_look_less_often() -> None:
    script = ["in_progress", "in_progress", "finished"]
    alone, many = Coolify(a=script), Coolify(**{f"d{number}": script for number in range(10)})
    await states(alone.watcher(), "a")
    watcher = many.watcher()
    await asyncio.gather(*(states(watcher, f"d{number}") for number in range(10)))
    assert set(alone.pauses) == {1.0}
    assert set(many.pauses) == {3.0}


async def test_a_deployment_may_become_visible_late() -> None:
    coolify = Coolify(a=["unknown", "unknown", "unknown", "in_progress", "finished"])
    assert (await states(coolify.watcher(), "a"))[-1] is DeploymentStatus.FINISHED


async def test_a_deployment_that_never_becomes_visible_was_dropped() -> None:
    coolify = Coolify()
    with pytest.raises(DeploymentNotStoredError, match=r"does not know the deployment a.*Run again"):
        await states(coolify.watcher(), "a")
    assert coolify.looks == 4


async def test_a_deployment_that_does_not_end_is_left_after_the_limit() -> None:
    coolify = Coolify(a=["in_progress"])
    with pytest.raises(FollowTimeoutError, match="still in_progress"):
        await states(coolify.watcher(), "a", limit=0.0)


async def test_only_new_lines_are_told_in_order() -> None:
    coolify = Coolify(a=["queued", "in_progress", "in_progress", "finished"])
    events = [event async for event in coolify.watcher().follow("a", logs=True, interval=1.0, limit=None)]
    told = [line.output for event in events if isinstance(event, LogLines) for line in event.lines]
    assert told == [f"line {number}" for number in range(4)]
    # The look at all of them shows the log: nothing is asked for one deployment before it has ended.
    assert coolify.gets == ["a"]


async def test_a_follower_who_leaves_does_not_disturb_the_others() -> None:
    coolify = Coolify(a=["in_progress", "in_progress", "finished"])
    watcher = coolify.watcher()
    leaving = asyncio.create_task(states(watcher, "a"))
    staying = asyncio.create_task(states(watcher, "a"))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying)[-1] is DeploymentStatus.FINISHED


def failing(coolify: Coolify, times: int) -> DeploymentWatcher:
    """Return a watcher whose next looks fail, as while Coolify restarts."""
    original, left = coolify.running, [times]

    async def running() -> tuple[Deployment, ...]:
        if left[0]:
            left[0] -= 1
            raise ServerError(status=500, message="Server Error", method="GET", path="/deployments")
        return await original()

    coolify.running = running
    return coolify.watcher()


async def test_looks_that_fail_for_a_while_do_not_end_following() -> None:
    coolify = Coolify(a=["in_progress", "finished"])
    assert await states(failing(coolify, 5), "a") == [DeploymentStatus.IN_PROGRESS, DeploymentStatus.FINISHED]


async def test_looks_that_fail_for_good_end_with_the_reason() -> None:
    with pytest.raises(ServerError):
        await states(failing(Coolify(a=["in_progress"]), 6), "a")


async def test_a_look_that_fails_after_everybody_has_left_is_not_told() -> None:
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(str(context["message"])))
    left = asyncio.Event()
    coolify = Coolify(a=["in_progress"])

    async def running() -> tuple[Deployment, ...]:
        await left.wait()
        raise ServerError(status=500, message="Server Error", method="GET", path="/deployments")

    coolify.running = running
    leaving = asyncio.create_task(states(coolify.watcher(), "a"))
    await asyncio.sleep(0.01)
    leaving.cancel()
    await asyncio.wait([leaving])
    del leaving, coolify
    left.set()
    await asyncio.sleep(0.01)
    gc.collect()
    assert told == []
