"""`/deploy`, `/deployments`, and the actions on an application (reference 4)."""

from __future__ import annotations

import re
from typing import Any, Final

from coolify_sandbox.server.applications import embedded_application
from coolify_sandbox.server.databases import find_team_database
from coolify_sandbox.server.http import Call, Refusal, present, refuse, route, truthy
from coolify_sandbox.server.previews import preview_of, remember_preview
from coolify_sandbox.server.queue import IN_PROGRESS, QUEUED, DeploymentQueue, Verdict, enqueue
from coolify_sandbox.server.services import find_team_service
from coolify_sandbox.server.state import Row
from coolify_sandbox.server.validation import (
    NOT_ALLOWED,
    REQUIRED,
    at_least,
    integer,
    not_null,
    refuse_invalid,
    validate,
)
from coolify_sandbox.server.versions import at_least_version

__all__: list[str] = []

_SKIPPED: Final = "Deployment already queued for this commit."
_QUEUE_FULL: Final = "Deployment queue is full. Please wait for existing deployments to complete."


@route("POST", "/deploy", "deploy")
async def deploy(call: Call) -> tuple[int, Any]:
    uuids, tags = call.parameter("uuid"), call.parameter("tag")
    pull_request = call.parameter("pull_request_id", call.parameter("pr"))
    docker_tag = call.parameter("docker_tag")
    if uuids and tags:
        refuse(400, "You can only use uuid or tag, not both.")
    if tags and pull_request:
        refuse(400, "You can only use tag or pr, not both.")
    if docker_tag and not pull_request:
        refuse(400, "docker_tag requires pull_request_id.")
    force = truthy(call.parameter("force"))
    if tags:
        return 200, _deploy_tags(call, str(tags), force=force)
    if not uuids:
        refuse(400, "You must provide uuid or tag.")
    if not isinstance(uuids, str):
        raise Refusal(500, {"message": "Server Error"})
    wanted = [uuid.strip() for uuid in uuids.split(",")]
    found = [row for uuid in wanted if (row := _of_team(call, uuid))]
    databases = [row for uuid in wanted if (row := find_team_database(call, uuid))]
    if any(find_team_service(call, uuid) for uuid in wanted):
        # Starting a service happens within the request, and its server is not to be reached: they are not run here.
        raise Refusal(500, {"message": "Server Error"})
    if not found and not databases:
        refuse(404, "No resources found.")
    items = [{"message": f"Database {row['name']} started.", "resource_uuid": row.uuid} for row in databases]
    for row in found:
        if (
            pull_request
            and row["build_pack"] != "dockerimage"
            and preview_of(call.state, row, int(pull_request)) is None
        ):
            message = f"Pull request {pull_request} not found for this resource."
            items.append({"message": message, "resource_uuid": row.uuid})
            continue
        number = int(pull_request or 0)
        if number:
            remember_preview(call.state, row, number)
        verdict, uuid = enqueue(call.state, row, force=force, pull_request_id=number, docker_tag=docker_tag)
        items.append(_item(row, verdict, uuid))
    return 200, {"deployments": items}


def _deploy_tags(call: Call, tags: str, *, force: bool) -> dict[str, Any]:
    wanted = {tag.strip() for tag in tags.split(",")}
    found = [row for row in call.state.all("application", team_id=call.team_id) if wanted & set(row["tags"])]
    if not found:
        refuse(404, "No resources found with this tag.")
    items = [_item(row, *enqueue(call.state, row, force=force)) for row in found]
    details = [{name: item[name] for name in ("resource_uuid", "deployment_uuid")} for item in items]
    return {"message": [item["message"] for item in items], "details": details}


def _item(row: Row, verdict: Verdict, uuid: str) -> dict[str, Any]:
    if verdict == "full":
        raise Refusal(429, {"message": _QUEUE_FULL}, {"Retry-After": "60"})
    message = _SKIPPED if verdict == "skipped" else f"Application {row['name']} deployment queued."
    # A skipped deployment's UUID was never stored (trap 1).
    return {"message": message, "resource_uuid": row.uuid, "deployment_uuid": uuid}


def _of_team(call: Call, uuid: str) -> Row | None:
    row = call.state.by_uuid("application", uuid)
    return row if row is not None and row["team_id"] == call.team_id else None


@route("POST", "/applications/{uuid}/start", "deploy")
async def start(call: Call) -> tuple[int, Any]:
    row = call.find("application", call.path["uuid"], "Application")
    verdict, uuid = enqueue(
        call.state,
        row,
        force=truthy(call.parameter("force")),
        unconditional=truthy(call.parameter("instant_deploy")),
    )
    if verdict == "skipped":
        return 200, {"message": _SKIPPED}
    # A full queue is answered like success, with a dead UUID (trap 2).
    return 200, {"message": "Deployment request queued.", "deployment_uuid": uuid}


@route("POST", "/applications/{uuid}/restart", "deploy")
async def restart(call: Call) -> tuple[int, Any]:
    row = call.find("application", call.path["uuid"], "Application")
    verdict, uuid = enqueue(call.state, row, restart_only=True)
    if verdict == "skipped":
        return 200, {"message": _SKIPPED}
    return 200, {"message": "Restart request queued.", "deployment_uuid": uuid}


@route("POST", "/applications/{uuid}/stop", "deploy")
async def stop(call: Call) -> tuple[int, Any]:
    row = call.find("application", call.path["uuid"], "Application")
    await _queue(call).stop_application(row)
    return 200, {"message": "Application stopping request queued."}


@route("GET", "/applications/{uuid}/logs", "read")
async def logs(call: Call) -> tuple[int, Any]:
    row = call.find("application", call.path["uuid"], "Application")
    lines = str(call.request.query_params.get("lines", "100"))
    times = at_least_version(call.state.settings.version, "4.2.0") and truthy(
        call.request.query_params.get("show_timestamps")
    )
    number = min(int(lines), 10_000) if lines.isdigit() else 100
    text = await _queue(call).runtime.logs(str(row.uuid), number, times=times)
    if text is None:
        refuse(400, "Application is not running.")
    return 200, {"logs": text}


@route("POST", "/applications/{uuid}/rollback", "deploy", body=True, since="4.3.0")
async def rollback(call: Call) -> tuple[int, Any]:
    row = call.find("application", call.path["uuid"], "Application")
    errors = {name: [NOT_ALLOWED] for name in call.body if name != "commit"}
    commit = call.body.get("commit")
    if commit is None:
        errors = {"commit": [REQUIRED]} | errors
    elif problem := not_null("commit", commit):
        errors["commit"] = [problem]
    refuse_invalid(errors)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", str(commit)):
        message = (
            "Invalid rollback commit: contains disallowed characters. Only alphanumeric characters, dots, hyphens, "
            "underscores, and slashes are allowed."
        )
        refuse_invalid({"commit": [message]})
    verdict, uuid = enqueue(call.state, row, commit=str(commit), rollback=True)
    if verdict == "full":
        refuse(400, _QUEUE_FULL)
    return 200, {"message": "Rollback deployment queued.", "deployment_uuid": uuid}


@route("GET", "/applications/{uuid}/rollback-images", "read", since="4.3.0")
async def rollback_images(call: Call) -> tuple[int, Any]:
    row = call.find("application", call.path["uuid"], "Application")
    images = await _queue(call).runtime.images(str(row.uuid))
    # It inspects a container that is named like the application, which only a consistent name is (reference 4.6).
    is_found = row["settings"]["is_consistent_container_name_enabled"]
    return 200, {
        "current": next((image.tag for image in images if is_found and image.is_current), None),
        "images": [
            {
                "tag": image.tag,
                "created_at": image.created_at.strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
                "is_current": bool(is_found and image.is_current),
            }
            for image in images
        ],
    }


@route("GET", "/deployments", "read")
async def list_deployments(call: Call) -> tuple[int, Any]:
    rows = [row for row in call.state.all("deployment", team_id=call.team_id) if row["status"] in {QUEUED, IN_PROGRESS}]
    shown = [present(row, call, id=row.id) for row in rows]
    ordered = sorted(enumerate(shown), key=lambda one: one[1]["status"] == QUEUED)
    if [index for index, _ in ordered] != list(range(len(shown))):
        # Sorting a collection keeps its keys: the list becomes an object (trap 17).
        return 200, {str(index): one for index, one in ordered}
    return 200, shown


@route("GET", "/deployments/{uuid}", "read")
async def get_deployment(call: Call) -> tuple[int, Any]:
    row = call.find("deployment", call.path["uuid"], "Deployment")
    application = call.state.by_id("application", int(row["application_id"]))
    return 200, present(
        row,
        call,
        id=row.id,
        application=embedded_application(application, call, environment=True) if application else None,
    )


@route("GET", "/deployments/applications/{uuid}", "read")
async def application_deployments(call: Call) -> tuple[int, Any]:
    application = call.find("application", call.path["uuid"], "Application", period=False)
    query = dict(call.request.query_params)
    rules = {"skip": (integer, at_least(0)), "take": (integer, at_least(1))}
    errors = validate({name: query[name] for name in rules if name in query}, rules)
    if errors:
        first, *others = [text for texts in errors.values() for text in texts]
        more = f" (and {len(others)} more error{'s' * (len(others) > 1)})" if others else ""
        raise Refusal(422, {"message": first + more, "errors": errors})
    rows = list(reversed(call.state.all("deployment", application_id=str(application.id))))
    skip, take = int(query.get("skip", 0)), int(query.get("take", 10))
    return 200, {"count": len(rows), "deployments": [present(row, call, id=row.id) for row in rows[skip : skip + take]]}


@route("POST", "/deployments/{uuid}/cancel", "deploy")
async def cancel(call: Call) -> tuple[int, Any]:
    row = call.state.by_uuid("deployment", call.path["uuid"])
    if row is None:
        refuse(404, "Deployment not found.")
    if row["team_id"] != call.team_id:
        refuse(403, "You do not have permission to cancel this deployment.")
    if row["status"] not in {QUEUED, IN_PROGRESS}:
        refuse(400, f"Deployment cannot be cancelled. Current status: {row['status']}")
    _queue(call).cancel(row)
    return 200, {
        "message": "Deployment cancelled successfully.",
        "deployment_uuid": row["deployment_uuid"],
        "status": "cancelled-by-user",
    }


def _queue(call: Call) -> DeploymentQueue:
    queue = call.request.app.state.queue
    assert isinstance(queue, DeploymentQueue)  # noqa: S101 - set by create_app
    return queue
