"""GitLab: push, tag push and release.

Sources: "Webhooks" and "Webhook events" of docs.gitlab.com. A hook has a secret token, sent as it is in
`X-Gitlab-Token`, or a signing token, with which GitLab signs as the Standard Webhooks specification says.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import Field, SecretStr

from coolify.webhooks.delivery import Delivery, Payload, RefusedError, Request
from coolify.webhooks.git_payloads import Commit, is_deleted, pushed
from coolify.webhooks.model import Change, PushKind, first_line, wants_skip
from coolify.webhooks.signatures import check_standard, check_token, has_standard_signature

__all__ = ["open_delivery"]

_PUSHES: Final = {"Push Hook", "Tag Push Hook"}


class _Project(Payload):
    path_with_namespace: str = Field(min_length=1)
    web_url: str = ""
    git_http_url: str = ""
    git_ssh_url: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        every = (self.web_url, self.git_http_url, self.git_ssh_url, self.path_with_namespace)
        return tuple(dict.fromkeys(one for one in every if one))


class _PushEvent(Payload):
    ref: str
    before: str
    after: str
    checkout_sha: str | None = None
    user_username: str = ""
    message: str | None = None
    project: _Project
    commits: tuple[Commit, ...] = ()
    total_commits_count: int = 0


class _ReleaseCommit(Payload):
    id: str = ""
    message: str = ""


class _ReleaseEvent(Payload):
    action: str
    tag: str = Field(min_length=1)
    name: str | None = None
    project: _Project
    commit: _ReleaseCommit = _ReleaseCommit()


def open_delivery(request: Request, secrets: Sequence[SecretStr], now: datetime) -> Delivery:
    """See `providers.open_delivery`."""
    if has_standard_signature(request):
        identifier = check_standard(request, secrets, now)
    else:
        token = request.headers.get("x-gitlab-token")
        if not token:
            raise RefusedError("X-Gitlab-Token is missing")
        check_token(token, secrets, "X-Gitlab-Token")
        # The same for all attempts of one delivery, unlike X-Gitlab-Webhook-UUID, which names the hook.
        identifier = request.headers.get("idempotency-key") or request.headers.get("x-gitlab-event-uuid", "")
    keys = (identifier or request.digest,)
    event = request.headers.get("x-gitlab-event", "")
    if event in _PUSHES:
        return Delivery(event, keys, _changes(_PushEvent.model_validate_json(request.document)))
    if event == "Release Hook":
        told = _ReleaseEvent.model_validate_json(request.document)
        return Delivery(f"{event} {told.action}", keys, _released(told))
    return Delivery(event or "nameless", keys)


def _changes(told: _PushEvent) -> tuple[Change, ...]:
    # Of an annotated tag `after` is the tag; `checkout_sha` is the commit. Commits are told up to 20, the newest last.
    commit = told.checkout_sha or told.after
    known = next((one for one in told.commits if one.id == commit), None)
    return pushed(
        told.ref,
        told.project.addresses,
        after=told.after,
        before=told.before,
        head=Commit(id=commit, message=known.message if known else told.message or ""),
        commits=told.commits,
        all_commits=len(told.commits) == told.total_commits_count and not is_deleted(told.before),
        author=told.user_username,
    )


def _released(told: _ReleaseEvent) -> tuple[Change, ...]:
    if told.action != "create":
        return ()
    return (
        Change(
            kind=PushKind.TAG,
            addresses=told.project.addresses,
            ref=told.tag,
            commit=told.commit.id,
            message=first_line(told.name or ""),
            skip=wants_skip(told.commit.message),
        ),
    )
