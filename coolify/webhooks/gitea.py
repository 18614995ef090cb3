"""Gitea and Forgejo: push and release.

Sources: "Webhooks" of docs.gitea.com and of forgejo.org/docs; the signature is in hexadecimal digits without a prefix.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import SecretStr

from coolify.webhooks.delivery import Delivery, Payload, Request
from coolify.webhooks.git_payloads import Commit, Release, Repository, is_deleted, pushed, released
from coolify.webhooks.model import Change
from coolify.webhooks.signatures import check_hexadecimal

__all__ = ["open_delivery"]


class _User(Payload):
    login: str = ""
    username: str = ""

    @property
    def name(self) -> str:
        return self.login or self.username


class _PushEvent(Payload):
    ref: str
    before: str = ""
    after: str
    commits: tuple[Commit, ...] | None = ()
    head_commit: Commit | None = None
    total_commits: int | None = None
    repository: Repository
    pusher: _User = _User()


class _ReleaseEvent(Payload):
    action: str
    release: Release
    repository: Repository
    sender: _User = _User()


def open_delivery(request: Request, secrets: Sequence[SecretStr], now: datetime) -> Delivery:  # noqa: ARG001 - as all
    """See `providers.open_delivery`."""
    header = "X-Forgejo-Signature" if "x-forgejo-signature" in request.headers else "X-Gitea-Signature"
    check_hexadecimal(request, header, secrets, prefix="")
    event = request.headers.get("x-gitea-event") or request.headers.get("x-forgejo-event", "")
    delivery = request.headers.get("x-gitea-delivery") or request.headers.get("x-forgejo-delivery", "")
    keys = (delivery or request.digest,)
    match event:
        case "push":
            told = _PushEvent.model_validate_json(request.document)
            return Delivery("push", keys, _changes(told))
        case "release":
            release = _ReleaseEvent.model_validate_json(request.document)
            changes = (
                released(release.release, release.repository.addresses, release.sender.name)
                if release.action == "published"
                else ()
            )
            return Delivery(f"release {release.action}", keys, changes)
        case _:
            return Delivery(event or "nameless", keys)


def _changes(told: _PushEvent) -> tuple[Change, ...]:
    commits = told.commits or ()
    # Newest first, unlike GitHub's.
    head = told.head_commit or (commits[0] if commits and commits[0].id == told.after else None)
    # A host may send no more than so many commits; without a count a forced push cannot be told from a plain one.
    complete = told.total_commits == len(commits) and not is_deleted(told.before)
    return pushed(
        told.ref,
        told.repository.addresses,
        after=told.after,
        before=told.before,
        head=head,
        commits=commits,
        all_commits=complete,
        author=told.pusher.name,
    )
