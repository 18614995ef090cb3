"""Webhooks of Git hosts that a user sets up by hand: `/webhooks/source/{host}/events/manual` (reference 2.7).

Everything is answered with 200, whatever came of it; only a full queue is not (trap 29).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response

from coolify_sandbox.server.http import answer
from coolify_sandbox.server.previews import forget_preview, preview_of, remember_preview
from coolify_sandbox.server.queue import DeploymentQueue, enqueue
from coolify_sandbox.server.state import Row, State

__all__ = ["HOSTS", "receive"]

Payload = Mapping[str, Any]
_SKIP: Final = re.compile(r"\[skip (ci|cd)\]", re.IGNORECASE)
_QUEUE_FULL: Final = "Deployment queue is full. Please wait for existing deployments to complete."
_EVENT_REFUSED: Final = {
    "status": "failed",
    "message": "Event not allowed. Only push and merge_request events are allowed.",
}


@dataclass(frozen=True, slots=True)
class Event:
    """What a delivery says, whoever sent it."""

    repository: str
    branch: str | None
    """The branch that was pushed to, or that a pull request is to be merged into."""
    commit: str = "HEAD"
    messages: tuple[str, ...] = ()
    files: frozenset[str] = frozenset()
    pull_request: int | None = None
    action: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """A Git host: how its deliveries are told and proved."""

    name: str
    read: Callable[[Request, Payload], Event | Response]
    is_genuine: Callable[[Request, bytes, str], bool]


class _QueueFullError(Exception):
    """The only thing that is told by the status."""


async def receive(request: Request, host: Host, state: State, queue: DeploymentQueue) -> Response:
    """Answer a delivery."""
    raw = await request.body()
    event = host.read(request, _payload(request, raw))
    if isinstance(event, Response):
        return event
    if not event.branch:
        return _nothing(host, "No branch found in the request.")
    fitting = [row for row in state.all("application") if _fits(row, event)]
    if not fitting:
        return _text(
            f"Nothing to do. No applications found with deploy key set, branch is '{event.branch}' and Git Repository "
            f"name has {event.repository}."
            if event.pull_request is None
            else f"Nothing to do. No applications found with branch '{event.branch}'."
        )
    told = []
    try:
        for row in fitting:
            if not host.is_genuine(request, raw, row[f"manual_webhook_secret_{host.name}"] or ""):
                told.append({"status": "failed", "message": "Invalid signature."})
            elif event.pull_request is None:
                told.append(_pushed(state, row, event))
            else:
                told.append(await _pull_request(state, queue, row, event))
    except _QueueFullError:
        return answer(429, _QUEUE_FULL, {"Retry-After": "60"})
    queue.start_what_may_run()
    return _json(told)


def _pushed(state: State, row: Row, event: Event) -> dict[str, Any]:
    named = {"application_uuid": row.uuid, "application_name": row["name"]}
    if not row["settings"]["is_auto_deploy_enabled"]:
        return {"status": "failed", "message": "Deployments disabled."} | named
    paths = [one.strip() for one in (row["watch_paths"] or "").splitlines() if one.strip()]
    if paths and not any(fnmatchcase(file, path) for file in event.files for path in paths):
        message = "Changed files do not match watch paths. Ignoring deployment."
        details = {"changed_files": sorted(event.files), "watch_paths": paths}
        return {"status": "failed", "message": message} | named | {"details": details}
    if event.messages and all(_SKIP.search(one) for one in event.messages):
        return {"status": "skipped", "message": "All commits contain [skip cd] or [skip ci]."} | named
    verdict, uuid = enqueue(state, row, commit=event.commit, by_webhook=True)
    return (
        _queued(verdict, row, "Deployment queued.") | named | ({"deployment_uuid": uuid} if verdict != "full" else {})
    )


async def _pull_request(state: State, queue: DeploymentQueue, row: Row, event: Event) -> dict[str, Any]:
    number = event.pull_request or 0
    head = {"application": row["name"]}
    if event.action in {"closed", "close", "merge", "merged", "rejected", "fulfilled"}:
        found = preview_of(state, row, number)
        if found is None:
            return head | {"status": "failed", "message": "No preview deployment found."}
        await forget_preview(state, queue, row, found)
        return head | {"status": "success", "message": "Preview deployment closed."}
    if not row["settings"]["is_preview_deployments_enabled"]:
        return head | {"status": "failed", "message": "Preview deployments disabled."}
    remember_preview(state, row, number)
    verdict, _ = enqueue(state, row, commit=event.commit, pull_request_id=number, by_webhook=True)
    return _queued(verdict, row, "Preview deployment queued.")


def _queued(verdict: str, row: Row, message: str) -> dict[str, Any]:
    if verdict == "full":
        raise _QueueFullError
    if verdict == "skipped":
        message = "Deployment already queued for this commit."
    return {
        "application": row["name"],
        "status": "skipped" if verdict == "skipped" else "success",
        "message": message,
    }


def _fits(row: Row, event: Event) -> bool:
    """Coolify compares the branch and the path of the repository, whatever the host."""
    stored = str(row["git_repository"] or "").removesuffix("/").removesuffix(".git")
    path = re.sub(r"^(?:\w+://)?(?:[^/@]+@)?[^/:]+[:/](?:\d+/)?(?=.*/)", "", stored) if ":" in stored else stored
    wanted = event.repository.lower()
    return bool(wanted) and row["git_branch"] == event.branch and path.lower() == wanted


def _payload(request: Request, raw: bytes) -> Payload:
    """Read JSON, also in a form's field `payload`, as GitHub sends it on demand."""
    text = raw.decode(errors="replace")
    if "form-urlencoded" in request.headers.get("content-type", ""):
        text = parse_qs(text).get("payload", [""])[0]
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _at(payload: object, path: str) -> Any:  # noqa: ANN401 - JSON
    for name in path.split("."):
        payload = payload.get(name) if isinstance(payload, dict) else None
    return payload


def _push(payload: Payload, repository: str) -> Event:
    commits = [one for one in payload.get("commits") or [] if isinstance(one, dict)]
    files = (file for one in commits for kind in ("added", "removed", "modified") for file in one.get(kind) or ())
    return Event(
        str(_at(payload, repository) or ""),
        str(payload.get("ref") or "").removeprefix("refs/heads/"),
        str(payload.get("after") or "HEAD"),
        tuple(str(one.get("message") or "") for one in commits),
        frozenset(map(str, files)),
    )


def _github(request: Request, payload: Payload, header: str = "X-GitHub-Event") -> Event | Response:
    """GitHub, and Gitea that speaks like it."""
    kind = request.headers.get(header, "").lower()
    if kind == "ping":
        return _text("pong")
    repository = "repository.full_name"
    if kind == "push":
        return _push(payload, repository)
    if kind != "pull_request":
        return Event("", None)
    return Event(
        str(_at(payload, repository) or ""),
        _at(payload, "pull_request.base.ref"),
        str(_at(payload, "pull_request.head.sha") or "HEAD"),
        pull_request=int(payload.get("number") or 0),
        action=str(payload.get("action") or ""),
    )


def _gitea(request: Request, payload: Payload) -> Event | Response:
    return _github(request, payload, "X-Gitea-Event")


def _gitlab(request: Request, payload: Payload) -> Event | Response:
    kind = payload.get("object_kind")
    if kind not in {"push", "merge_request"}:
        return _json([_EVENT_REFUSED])
    if not request.headers.get("X-Gitlab-Token"):
        return _json([{"status": "failed", "message": "Invalid signature."}])
    repository = "project.path_with_namespace"
    if kind == "push":
        return _push(payload, repository)
    return Event(
        str(_at(payload, repository) or ""),
        _at(payload, "object_attributes.target_branch"),
        str(_at(payload, "object_attributes.last_commit.id") or "HEAD"),
        pull_request=int(_at(payload, "object_attributes.iid") or 0),
        action=str(_at(payload, "object_attributes.action") or ""),
    )


def _bitbucket(request: Request, payload: Payload) -> Event | Response:
    kind = request.headers.get("X-Event-Key", "")
    repository = str(_at(payload, "repository.full_name") or "")
    if kind == "repo:push":
        changes = _at(payload, "push.changes") or []
        new = _at(changes[0], "new") if changes else None
        return Event(repository, _at(new, "name"), str(_at(new, "target.hash") or "HEAD"))
    if not kind.startswith("pullrequest:"):
        return _json([{"status": "failed", "message": "Nothing to do. Event not handled."}])
    return Event(
        repository,
        _at(payload, "pullrequest.destination.branch.name"),
        str(_at(payload, "pullrequest.source.commit.hash") or "HEAD"),
        pull_request=int(_at(payload, "pullrequest.id") or 0),
        action=kind.partition(":")[2],
    )


def _signed(header: str) -> Callable[[Request, bytes, str], bool]:
    def is_genuine(request: Request, raw: bytes, secret: str) -> bool:
        wanted = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        sent = request.headers.get(header, "").removeprefix("sha256=")
        return bool(secret) and hmac.compare_digest(wanted.encode(), sent.encode())

    return is_genuine


def _gitlab_token(request: Request, _: bytes, secret: str) -> bool:
    return bool(secret) and hmac.compare_digest(secret.encode(), request.headers.get("X-Gitlab-Token", "").encode())


def _nothing(host: Host, reason: str) -> Response:
    message = f"Nothing to do. {reason}"
    return _json({"status": "failed", "message": message}) if host.name == "bitbucket" else _text(message)


def _json(payload: object) -> Response:
    return answer(200, payload, _HEADERS)


def _text(text: str) -> Response:
    return answer(200, text, _HEADERS)


_HEADERS: Final = {"cache-control": "no-cache, private"}
HOSTS: Final[Mapping[str, Host]] = {
    host.name: host
    for host in (
        Host("github", _github, _signed("X-Hub-Signature-256")),
        Host("gitea", _gitea, _signed("X-Hub-Signature-256")),
        Host("gitlab", _gitlab, _gitlab_token),
        Host("bitbucket", _bitbucket, _signed("X-Hub-Signature")),
    )
}
"""Git hosts with a manual webhook."""
