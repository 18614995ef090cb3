"""From a push to the event of Prefect that tells of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from coolify.source.address import parse_address
from coolify.webhooks import Change, Delivery, Push, PushKind, WebhookProvider

__all__ = ["PushEvent", "events_of"]

_NAMESPACE: Final = uuid.UUID("6f1c7a52-7b0b-5d3a-9c7e-2f4b6f0f5a11")
_WORDS: Final = {True: "yes", False: "no"}


class PushEvent(BaseModel):
    """An event as Prefect's API takes it; what it holds is described in docs/events.md."""

    model_config = ConfigDict(frozen=True)

    id: uuid.UUID
    """Made from the delivery, so that Prefect knows it again when it is sent twice."""
    event: str
    occurred: datetime
    resource: dict[str, str]
    """Labels, which triggers match."""
    payload: dict[str, Any]
    """A `Push`."""


def events_of(source: str, provider: WebhookProvider, delivery: Delivery, now: datetime) -> Iterator[PushEvent]:
    """Return one event for each change of a delivery."""
    for index, change in enumerate(delivery.changes):
        push = Push(
            **change.model_dump(),
            provider=provider.value,
            source=source,
            delivery=delivery.keys[0],
            received_at=now,
        )
        yield PushEvent(
            id=uuid.uuid5(_NAMESPACE, f"{source}\n{delivery.keys[0]}\n{index}"),
            event=f"coolify.{'registry' if change.kind is PushKind.IMAGE else 'git'}.push",
            occurred=now,
            resource=_labels(change, source),
            payload=push.model_dump(mode="json"),
        )


def _labels(change: Change, source: str) -> dict[str, str]:
    if change.kind is PushKind.IMAGE:
        image = change.addresses[0]
        return {
            "prefect.resource.id": f"coolify.image.{image}",
            "prefect.resource.name": f"{image}:{change.ref}",
            "registry.image": image,
            "registry.tag": change.ref,
            "coolify.source": source,
            "coolify.skip": "no",
        }
    address = parse_address(change.addresses[0])
    return {
        "prefect.resource.id": f"coolify.repository.{address.name}",
        "prefect.resource.name": address.name,
        "git.repository": address.slug or address.text,
        "git.kind": change.kind.value,
        f"git.{change.kind.value}": change.ref,
        "coolify.source": source,
        "coolify.skip": _WORDS[change.skip],
    }
