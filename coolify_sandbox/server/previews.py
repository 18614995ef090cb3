"""Previews of pull requests: what Coolify knows of them, and their end (reference 2.3)."""

from __future__ import annotations

from typing import Any

from coolify_sandbox.server.http import Call, refuse, route
from coolify_sandbox.server.queue import IN_PROGRESS, QUEUED, DeploymentQueue, container_of
from coolify_sandbox.server.state import Row, State

__all__ = ["forget_preview", "preview_of", "remember_preview"]


@route("DELETE", "/applications/{uuid}/previews/{number}", "write")
async def delete_preview(call: Call) -> tuple[int, Any]:
    application = call.find("application", call.path["uuid"], "Application")
    number = call.path["number"]
    if not number.isdigit() or int(number) < 1:
        refuse(422, "Invalid pull_request_id.")
    found = preview_of(call.state, application, int(number))
    if found is None:
        refuse(404, "Preview not found.")
    await forget_preview(call.state, call.request.app.state.queue, application, found)
    return 200, {"message": "Preview deletion request queued."}


def preview_of(state: State, application: Row, number: int) -> Row | None:
    """Return the preview of a pull request."""
    return state.first("preview", application_id=application.id, number=number)


def remember_preview(state: State, application: Row, number: int) -> None:
    """Note that a pull request has a preview."""
    if preview_of(state, application, number) is None:
        state.insert("preview", {"application_id": application.id, "number": number})


async def forget_preview(state: State, queue: DeploymentQueue, application: Row, preview: Row) -> None:
    """Cancel what is under way for a preview, and remove it."""
    number = preview["number"]
    for row in state.all("deployment", application_id=str(application.id), pull_request_id=number):
        if row["status"] in {QUEUED, IN_PROGRESS}:
            queue.cancel(row)
    state.delete(preview)
    await queue.delete_container(container_of(application, number))
