"""GitHub: push, release, packages of its container registry, ping.

Sources: "Webhook events and payloads", "Validating webhook deliveries" and "Best practices for using webhooks" of
docs.github.com; the examples in octokit/webhooks (payload-examples/api.github.com).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from pydantic import SecretStr

from coolify.webhooks.delivery import Delivery, Payload, Request
from coolify.webhooks.git_payloads import Commit, Release, Repository, pushed, released
from coolify.webhooks.model import Change, PushKind
from coolify.webhooks.signatures import check_hexadecimal

__all__ = ["open_delivery"]

_COMMITS: Final = 2048
"""The most commits that a push payload holds."""


class _Sender(Payload):
    login: str = ""


class _PushedRepository(Repository):
    pushed_at: int | str | None = None
    """Seconds since 1970 in push events, a text elsewhere."""


class _PushEvent(Payload):
    ref: str
    before: str
    after: str
    created: bool = False
    forced: bool = False
    commits: tuple[Commit, ...] = ()
    head_commit: Commit | None = None
    repository: _PushedRepository
    sender: _Sender = _Sender()


class _ReleaseEvent(Payload):
    action: str
    release: Release
    repository: Repository
    sender: _Sender = _Sender()


class _Tag(Payload):
    name: str = ""
    digest: str = ""


class _Container(Payload):
    tag: _Tag | None = None


class _Version(Payload):
    container_metadata: _Container | None = None
    package_url: str = ""


class _Package(Payload):
    package_version: _Version | None = None


class _PackageEvent(Payload):
    action: str
    registry_package: _Package | None = None
    package: _Package | None = None
    sender: _Sender = _Sender()


def open_delivery(request: Request, secrets: Sequence[SecretStr], now: datetime) -> Delivery:  # noqa: ARG001 - as all
    """See `providers.open_delivery`.

    The identifier of a delivery is a header and not signed: the body counts as one too. It is never twice the same,
    because it holds the time of the push.
    """
    check_hexadecimal(request, "X-Hub-Signature-256", secrets)
    event = request.headers.get("x-github-event", "")
    keys = tuple(one for one in (request.headers.get("x-github-delivery", ""), request.digest) if one)
    match event:
        case "push":
            return _push(keys, _PushEvent.model_validate_json(request.document))
        case "release":
            told = _ReleaseEvent.model_validate_json(request.document)
            changes = (
                released(told.release, told.repository.addresses, told.sender.login)
                if told.action == "published"
                else ()
            )
            return Delivery(f"release {told.action}", keys, changes)
        case "registry_package" | "package":
            package = _PackageEvent.model_validate_json(request.document)
            return Delivery(f"{event} {package.action}", keys, _packages(package))
        case _:
            return Delivery(event or "nameless", keys)


def _push(keys: tuple[str, ...], told: _PushEvent) -> Delivery:
    at = told.repository.pushed_at
    changes = pushed(
        told.ref,
        told.repository.addresses,
        after=told.after,
        before=told.before,
        head=told.head_commit,
        commits=told.commits,
        all_commits=len(told.commits) < _COMMITS and not told.created and not told.forced,
        author=told.sender.login,
    )
    return Delivery("push", keys, changes, datetime.fromtimestamp(at, UTC) if isinstance(at, int) else None)


def _packages(told: _PackageEvent) -> tuple[Change, ...]:
    """Return the image, where one with a tag was published: every layer of the registry tells of itself too."""
    package = told.registry_package or told.package
    version = package.package_version if package else None
    tag = version.container_metadata.tag if version and version.container_metadata else None
    if version is None or tag is None or not tag.name or told.action not in {"published", "updated"}:
        return ()
    image = version.package_url.removesuffix(f":{tag.name}").rstrip(":").lower()
    if not image:
        return ()
    return (Change(kind=PushKind.IMAGE, addresses=(image,), ref=tag.name, commit=tag.digest, author=told.sender.login),)
