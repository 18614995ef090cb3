"""Bitbucket Cloud: pushes, of which one delivery may tell several.

Sources: "Event payloads" and "Manage webhooks" (secrets, `X-Hub-Signature`) of support.atlassian.com. The files that a
push changes are not told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import Field, SecretStr

from coolify.webhooks.delivery import Delivery, Payload, Request
from coolify.webhooks.model import Change, PushKind, first_line, wants_skip
from coolify.webhooks.signatures import check_hexadecimal

__all__ = ["open_delivery"]

_KINDS: Final = {"branch": PushKind.BRANCH, "named_branch": PushKind.BRANCH, "tag": PushKind.TAG}


class _Target(Payload):
    hash: str
    message: str = ""


class _Ref(Payload):
    type: str
    name: str
    target: _Target


class _Change(Payload):
    new: _Ref | None = None
    """None for a ref that was deleted."""
    old: _Ref | None = None


class _Changes(Payload):
    changes: tuple[_Change, ...] = ()


class _Link(Payload):
    href: str = ""


class _Links(Payload):
    html: _Link = _Link()


class _Repository(Payload):
    full_name: str = Field(min_length=1)
    links: _Links = _Links()


class _Actor(Payload):
    nickname: str = ""
    display_name: str = ""


class _PushEvent(Payload):
    push: _Changes
    repository: _Repository
    actor: _Actor = _Actor()


def open_delivery(request: Request, secrets: Sequence[SecretStr], now: datetime) -> Delivery:  # noqa: ARG001 - as all
    """See `providers.open_delivery`."""
    check_hexadecimal(request, "X-Hub-Signature", secrets)
    event = request.headers.get("x-event-key", "")
    keys = (request.headers.get("x-request-uuid") or request.digest,)
    if event != "repo:push":
        return Delivery(event or "nameless", keys)
    told = _PushEvent.model_validate_json(request.document)
    page = told.repository.links.html.href or f"https://bitbucket.org/{told.repository.full_name}"
    addresses = (page, told.repository.full_name)
    author = told.actor.nickname or told.actor.display_name
    changes = (_change(one.new, one.old, addresses, author) for one in told.push.changes if one.new is not None)
    return Delivery(event, keys, tuple(one for one in changes if one is not None))


def _change(new: _Ref, old: _Ref | None, addresses: tuple[str, ...], author: str) -> Change | None:
    kind = _KINDS.get(new.type)
    if kind is None:
        return None
    return Change(
        kind=kind,
        addresses=addresses,
        ref=new.name,
        commit=new.target.hash,
        before=old.target.hash if old else "",
        message=first_line(new.target.message),
        author=author,
        skip=wants_skip(new.target.message),
    )
