"""A deployment in the sandbox is a real build and a real process, and goes wrong as a real one does."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.settings import ServerSettings

LONG = "sleep 4242"
SERVING = "python3 server.py"


@pytest.fixture
def server_of(sandbox, processes_below, until):
    """Find the one process that serves an application."""

    async def find(application, *, other_than: int | None = None) -> int:
        async def running() -> list[int]:
            below = processes_below(sandbox.directory / "images" / application.uuid)
            return [pid for pid, command in below.items() if command[-1] == "server.py" and pid != other_than]

        (pid,) = await until(running, lambda pids: len(pids) == 1)
        return pid

    return find


@pytest.fixture
def commands_in(sandbox, processes_below):
    """Commands of all processes that the sandbox has started, programs without their directories."""

    async def find() -> list[str]:
        found = processes_below(sandbox.directory).values()
        return [" ".join([Path(program).name, *arguments]) for program, *arguments in found]

    return find


# Deploying


async def test_a_deployed_commit_is_served_over_https(application, repository, log_of) -> None:
    commit = repository.commit("1.0.0", message="The first one")
    deployment = await application.deploy()
    assert deployment["commit"] == commit
    assert deployment["commit_message"] == "The first one"
    assert "New container is healthy." in log_of(deployment)
    page = await application.visit()
    assert page.status_code == 200
    assert "Hello from version 1.0.0" in page.text
    assert (await application.call("GET"))["server_status"] is True


async def test_the_next_deployment_follows_the_branch(served, repository) -> None:
    repository.commit("2.0.0")
    assert await served.version() == "1.0.0", "nothing is deployed by itself"
    await served.deploy()
    assert await served.version() == "2.0.0"


async def test_a_pinned_commit_is_deployed_though_the_branch_moved_on(served, repository) -> None:
    pinned = repository.commit("2.0.0")
    repository.commit("3.0.0")
    await served.call("PATCH", git_commit_sha=pinned)
    assert (await served.deploy())["commit"] == pinned
    assert await served.version() == "2.0.0"


async def test_visitors_notice_nothing_of_a_deployment(served, repository) -> None:
    repository.commit("2.0.0")
    uuid = await served.queue()
    seen = set()
    while (await served.deployment(uuid))["status"] in {"queued", "in_progress"}:
        answer = await served.visit("/version")
        seen.add((answer.status_code, answer.text.strip()))
    assert seen <= {(200, "1.0.0"), (200, "2.0.0")}
    assert (200, "1.0.0") in seen
    assert await served.version() == "2.0.0"


async def test_the_process_is_told_its_port_and_nothing_of_the_operators(
    application, repository, monkeypatch, server_of
) -> None:
    monkeypatch.setenv("OPERATORS_SECRET", "s3cret")
    monkeypatch.setenv("PORT", "1")
    repository.commit_server("1.0.0")
    await application.deploy()
    environment = (await application.visit("/environment")).json()
    assert int(environment["PORT"]) > 1024
    assert environment["COOLIFY_FQDN"] == application.host
    assert environment["COOLIFY_RESOURCE_UUID"] == application.uuid
    assert "OPERATORS_SECRET" not in environment


async def test_variables_reach_the_process_only_with_the_next_deployment(served, server_of) -> None:
    await served.call("POST", "/envs", 201, key="GREETING", value="Good morning", is_buildtime=False)
    assert "Hello from" in (await served.visit()).text
    os.kill(crashed := await server_of(served), signal.SIGKILL)
    await server_of(served, other_than=crashed)
    await served.deploy()
    assert "Good morning from version 1.0.0" in (await served.visit()).text


async def test_a_restart_brings_the_variables_and_builds_nothing(served, log_of) -> None:
    await served.call("POST", "/envs", 201, key="GREETING", value="Good evening", is_buildtime=False)
    restarted = await served.end_of((await served.call("POST", "/restart"))["deployment_uuid"])
    assert restarted["status"] == "finished"
    assert "Building docker image" not in log_of(restarted)
    assert "Good evening from version 1.0.0" in (await served.visit()).text


async def test_the_same_commit_is_not_built_again(served, log_of) -> None:
    again = await served.deploy()
    assert "Build step skipped." in log_of(again)
    assert "Building docker image" not in log_of(again)
    assert await served.version() == "1.0.0"


@pytest.mark.parametrize(
    ("change", "deploy"),
    [({"build_command": "echo built"}, {}), ({}, {"force": True})],
    ids=["the build changed", "it is forced"],
)
async def test_the_same_commit_is_built_again_when(served, log_of, change, deploy) -> None:
    if change:
        await served.call("PATCH", **change)
    again = await served.deploy(**deploy)
    assert "Building docker image completed." in log_of(again)
    assert await served.version() == "1.0.0"


async def test_what_the_application_prints_is_in_its_log(application, repository, until) -> None:
    repository.commit_server("1.0.0")
    assert (await application.call("GET", "/logs", 400))["message"] == "Application is not running."
    await application.deploy()
    await until(lambda: application.call("GET", "/logs"), lambda answer: "1.0.0 is up" in answer["logs"])


async def test_a_stopped_application_is_gone_until_it_is_started(served, until, server_of) -> None:
    await server_of(served)
    await served.call("POST", "/stop")
    await until(served.status_for_visitors, lambda status: status == 404)
    await until(lambda: served.call("GET"), lambda one: one["status"].startswith("exited"))
    await served.end_of((await served.call("POST", "/start"))["deployment_uuid"])
    assert await served.version() == "1.0.0"


async def test_a_deleted_application_leaves_nothing_behind(served, sandbox, until, processes_below) -> None:
    await served.call("DELETE")
    await until(lambda: served.outsider.call("GET", "/applications"), lambda found: found == [])
    assert await served.status_for_visitors() == 404
    assert not processes_below(sandbox.directory / "images" / served.uuid)


# Going wrong


async def test_a_version_that_is_unhealthy_inside_fails_and_the_old_one_keeps_serving(
    served, repository, log_of, commands_in
) -> None:
    # Each attempt is a line of the container's log, of which the last fifty are shown.
    await served.call("PATCH", health_check_retries=20)
    repository.commit_server("2.0.0", health=500)
    failed = await served.deploy("failed")
    log = log_of(failed)
    assert "Attempt 20 of 20" in log
    assert "2.0.0 is up" in log, "what the new version printed helps to understand"
    assert "New container is not healthy, rolling back to the old container." in log
    assert await served.version() == "1.0.0"
    assert (await commands_in()).count(SERVING) == 1


async def test_an_unhealthy_version_is_served_where_nobody_checks(served, repository) -> None:
    await served.call("PATCH", health_check_enabled=False)
    repository.commit_server("2.0.0", health=500)
    await served.deploy()
    assert await served.version() == "2.0.0"
    assert (await served.visit("/health")).status_code == 500


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"build_command": "echo useful words && false"}, "useful words"),
        ({"build_command": "false"}, "Command execution failed (exit code 1): false"),
        ({"git_branch": "nowhere"}, "couldn't find remote ref refs/heads/nowhere"),
        ({"git_commit_sha": "0" * 40}, "Deployment failed:"),
        ({"base_directory": "/elsewhere"}, "Base directory /elsewhere does not exist"),
        ({"start_command": None}, "No start command could be found"),
        ({"health_check_path": "/nowhere", "health_check_retries": 3}, "New container is not healthy"),
    ],
    ids=["talkative build", "silent build", "branch", "commit", "directory", "no start command", "health path"],
)
async def test_a_failure_is_told_by_the_log_and_the_old_version_keeps_serving(
    served, repository, log_of, fields, words
) -> None:
    repository.commit("2.0.0")
    await served.call("PATCH", **fields)
    failed = await served.deploy("failed")
    assert words in log_of(failed)
    assert await served.version() == "1.0.0"
    assert len(await served.images()) <= 2


async def test_a_failed_first_deployment_leaves_no_application(application, repository) -> None:
    await application.call("PATCH", health_check_retries=3)
    repository.commit_server("1.0.0", health=500)
    await application.deploy("failed")
    assert await application.status_for_visitors() == 404
    assert (await application.call("GET"))["status"].startswith("exited")


async def test_a_repaired_build_is_served(served, repository) -> None:
    repository.commit("2.0.0")
    await served.call("PATCH", build_command="false")
    await served.deploy("failed")
    await served.call("PATCH", build_command="true")
    await served.deploy()
    assert await served.version() == "2.0.0"


async def test_a_crashed_application_comes_back(served, server_of, until) -> None:
    os.kill(crashed := await server_of(served), signal.SIGKILL)
    assert await server_of(served, other_than=crashed) != crashed
    await until(served.visit, lambda answer: answer.status_code == 200)
    assert await served.version() == "1.0.0"


async def test_a_crash_takes_along_what_the_application_had_started(
    application, repository, server_of, until, commands_in
) -> None:
    repository.commit_server("1.0.0", prelude='subprocess.Popen(["sleep", "4343"])')
    await application.deploy()
    os.kill(crashed := await server_of(application), signal.SIGKILL)
    await server_of(application, other_than=crashed)
    await until(application.visit, lambda answer: answer.status_code == 200)
    await until(commands_in, lambda commands: commands.count("sleep 4343") == 1, seconds=5)


# Rolling back


async def test_a_rollback_runs_the_kept_image_and_builds_nothing(served, repository, log_of) -> None:
    (first,) = await served.images()
    repository.commit("2.0.0")
    await served.deploy()
    back = await served.roll_back(first)
    assert back["status"] == "finished"
    assert back["rollback"] is True
    assert back["commit"] == first
    assert "Building docker image" not in log_of(back)
    assert await served.version() == "1.0.0"


async def test_a_rollback_needs_the_repository_no_more(served, repository) -> None:
    (first,) = await served.images()
    repository.commit("2.0.0")
    await served.deploy()
    repository.path.rename(repository.path.with_name("moved"))
    assert (await served.roll_back(first))["status"] == "finished"
    assert await served.version() == "1.0.0"


async def test_a_rollback_builds_again_when_the_build_changed_meanwhile(served, repository, log_of) -> None:
    (first,) = await served.images()
    repository.commit("2.0.0")
    await served.call("PATCH", build_command="echo built")
    await served.deploy()
    back = await served.roll_back(first)
    assert "Building docker image completed." in log_of(back)
    assert await served.version() == "1.0.0"


async def test_a_rollback_is_not_for_good(served, repository) -> None:
    (first,) = await served.images()
    repository.commit("2.0.0")
    await served.deploy()
    await served.roll_back(first)
    await served.deploy()
    assert await served.version() == "2.0.0", "the next deployment follows the branch again"


async def test_a_rollback_to_what_never_was_fails_and_the_current_version_stays(served) -> None:
    assert (await served.roll_back("0" * 40))["status"] == "failed"
    assert await served.version() == "1.0.0"


async def test_two_old_images_are_kept(served, repository, log_of) -> None:
    commits = await served.images()
    for version in ("2.0.0", "3.0.0", "4.0.0"):
        commits.append(repository.commit(version))
        await served.deploy()
    assert await served.images() == commits[:0:-1]
    back = await served.roll_back(commits[0])
    assert "Building docker image completed." in log_of(back), "its image is gone"
    assert await served.version() == "1.0.0"


async def test_the_current_image_survives_a_rollback_however_old_it_is(served, repository) -> None:
    (first,) = await served.images()
    second = repository.commit("2.0.0")
    await served.deploy()
    third = repository.commit("3.0.0")
    await served.deploy()
    await served.roll_back(first)
    assert set(await served.images()) == {first, second, third}


async def test_no_old_image_is_kept_where_none_is_wanted(served, repository) -> None:
    await served.call("PATCH", docker_images_to_keep=0)
    commit = repository.commit("2.0.0")
    await served.deploy()
    assert await served.images() == [commit]


# The queue


async def test_a_cancelled_build_ends_with_all_its_processes_and_the_old_version_serves(
    served, repository, until, commands_in
) -> None:
    commit = repository.commit("2.0.0")
    await served.call("PATCH", build_command=LONG)
    uuid = await served.queue()
    await until(commands_in, lambda commands: LONG in commands)
    answer = await served.outsider.call("POST", f"/deployments/{uuid}/cancel")
    assert answer["status"] == "cancelled-by-user"
    assert (await served.end_of(uuid))["status"] == "cancelled-by-user"
    await until(commands_in, lambda commands: LONG not in commands)
    assert await served.version() == "1.0.0"
    assert commit not in await served.images()
    await served.outsider.call("POST", f"/deployments/{uuid}/cancel", 400)


async def test_a_deployment_cancelled_while_its_health_is_awaited_leaves_only_the_old_version(
    served, repository, until, commands_in
) -> None:
    repository.commit_server("2.0.0", health=500)
    await served.call("PATCH", health_check_retries=1000)
    uuid = await served.queue()
    await served.until_logged(uuid, "Attempt 2 of 1000")
    await served.outsider.call("POST", f"/deployments/{uuid}/cancel")
    await until(commands_in, lambda commands: commands.count(SERVING) == 1)
    assert (await served.end_of(uuid))["status"] == "cancelled-by-user"
    assert await served.version() == "1.0.0"


async def test_a_waiting_deployment_is_cancelled_without_ever_running(served, until, commands_in, log_of) -> None:
    await served.call("PATCH", build_command=LONG)
    running = await served.queue()
    await until(commands_in, lambda commands: LONG in commands)
    waiting = await served.queue()
    assert (await served.deployment(waiting))["status"] == "queued"
    for uuid in (waiting, running):
        await served.outsider.call("POST", f"/deployments/{uuid}/cancel")
        assert (await served.end_of(uuid))["status"] == "cancelled-by-user"
    assert log_of(await served.deployment(waiting)) == ""
    assert await served.outsider.call("GET", "/deployments") == []


async def test_a_second_wish_for_what_is_queued_gets_a_uuid_that_leads_nowhere(
    served, until, commands_in, repository
) -> None:
    await served.call("PATCH", build_command=LONG)
    running = await served.queue()
    await until(commands_in, lambda commands: LONG in commands)
    waiting = await served.queue()
    answer = await served.outsider.call("POST", "/deploy", uuid=served.uuid)
    (skipped,) = answer["deployments"]
    assert skipped["message"] == "Deployment already queued for this commit."
    await served.outsider.call("GET", f"/deployments/{skipped['deployment_uuid']}", 404)
    listed = await served.outsider.call("GET", f"/deployments/applications/{served.uuid}?take=10")
    assert [one["deployment_uuid"] for one in listed["deployments"]][:2] == [waiting, running]
    for uuid in (waiting, running):
        await served.outsider.call("POST", f"/deployments/{uuid}/cancel")


async def test_deployments_of_one_application_run_one_after_the_other(served, repository, until, commands_in) -> None:
    await served.call("PATCH", build_command=LONG)
    first = await served.queue()
    await until(commands_in, lambda commands: LONG in commands)
    await served.call("PATCH", build_command="true")
    repository.commit("2.0.0")
    second = await served.queue()
    assert (await served.deployment(second))["status"] == "queued"
    await served.outsider.call("POST", f"/deployments/{first}/cancel")
    assert (await served.end_of(second))["status"] == "finished"
    assert await served.version() == "2.0.0"


async def test_applications_are_deployed_side_by_side(outsider, repository) -> None:
    repository.commit("1.0.0")
    shops = [await outsider.create_application(repository.path, f"shop{number}.sandbox.test") for number in range(3)]
    await asyncio.gather(*(shop.deploy() for shop in shops))
    assert [await shop.version() for shop in shops] == ["1.0.0"] * 3


async def test_an_application_that_cannot_be_updated_rolling_is_replaced_at_once(served, repository, log_of) -> None:
    await served.call("PATCH", is_consistent_container_name_enabled=True)
    repository.commit_server("2.0.0", health=500)
    replaced = await served.deploy()
    assert "Rolling update is not supported." in log_of(replaced)
    assert await served.version() == "2.0.0", "nobody waits for health then"


async def test_cancelling_such_a_replacement_leaves_no_process_behind(served, until, commands_in) -> None:
    deaf = "exec sleep 4444"
    await served.call("PATCH", is_consistent_container_name_enabled=True, start_command=deaf)
    uuid = await served.queue()
    await until(commands_in, lambda commands: "sleep 4444" in commands)
    await served.outsider.call("POST", f"/deployments/{uuid}/cancel")
    await served.end_of(uuid)
    await served.call("POST", "/stop")
    await until(commands_in, lambda commands: commands == [])


async def test_states_of_containers_are_noted_although_nobody_asks_about_the_application(
    outsider_of, repository, until
) -> None:
    repository.commit("1.0.0")
    async with (
        Sandbox(settings=ServerSettings(rate_limit=10**6, status_seconds=0.2)) as sandbox,
        outsider_of(sandbox) as outsider,
    ):
        application = await outsider.create_application(repository.path)

        async def listed() -> str:
            (one,) = await outsider.call("GET", "/applications")
            return str(one["status"])

        await application.deploy()
        await until(listed, lambda status: status.startswith("running"))
        await sandbox.runtime.stop(application.uuid)
        await until(listed, lambda status: status == "exited:unhealthy")
