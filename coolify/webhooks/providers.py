"""The kinds of hosts that deliver webhooks, and how one delivery is opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from pydantic import SecretStr, ValidationError

from coolify.webhooks import bitbucket, dockerhub, generic, gitea, github, gitlab, harbor
from coolify.webhooks.delivery import Delivery, MalformedError, RefusedError, Request

__all__ = ["MAX_AGE", "WebhookProvider", "open_delivery"]

MAX_AGE: Final = timedelta(days=3)
"""Deliveries about what happened longer ago are refused; GitHub can redeliver for three days."""

_Opener: TypeAlias = Callable[[Request, Sequence[SecretStr], datetime], Delivery]


class WebhookProvider(StrEnum):
    """Kinds of hosts whose webhooks are understood."""

    GITHUB = "github"
    GITLAB = "gitlab"
    BITBUCKET = "bitbucket"
    """Bitbucket Cloud."""
    GITEA = "gitea"
    """Gitea and Forgejo."""
    DOCKERHUB = "dockerhub"
    HARBOR = "harbor"
    GENERIC = "generic"
    """Everything else that can sign, a pipeline for example."""


_OPENERS: Final[Mapping[WebhookProvider, _Opener]] = {
    WebhookProvider.GITHUB: github.open_delivery,
    WebhookProvider.GITLAB: gitlab.open_delivery,
    WebhookProvider.BITBUCKET: bitbucket.open_delivery,
    WebhookProvider.GITEA: gitea.open_delivery,
    WebhookProvider.DOCKERHUB: dockerhub.open_delivery,
    WebhookProvider.HARBOR: harbor.open_delivery,
    WebhookProvider.GENERIC: generic.open_delivery,
}


def open_delivery(
    provider: WebhookProvider,
    request: Request,
    secrets: Sequence[SecretStr],
    now: datetime,
    max_age: timedelta = MAX_AGE,
) -> Delivery:
    """Check that a delivery is genuine and recent, and read what was pushed.

    Args:
        provider: Kind of the host.
        request: What was sent.
        secrets: All secrets that are valid now; at least one.
        now: The time.
        max_age: How long ago what it tells of may have happened, where it tells that.

    Raises:
        RefusedError: It is not genuine, or too old.
        MalformedError: It is genuine and cannot be read.
    """
    if not secrets or not all(one.get_secret_value() for one in secrets):
        raise RefusedError("the source has no secret")
    try:
        delivery = _OPENERS[provider](request, secrets, now)
    except ValidationError as error:
        places = ", ".join(".".join(str(part) for part in one["loc"]) or "the body" for one in error.errors()[:3])
        raise MalformedError(f"The payload is not as {provider.value} documents it: {places}.") from None
    except (OverflowError, OSError, ValueError):
        raise MalformedError(f"The payload holds no time as {provider.value} documents it.") from None
    if delivery.happened_at is not None and now - delivery.happened_at > max_age:
        raise RefusedError(f"it tells of what happened at {delivery.happened_at:%Y-%m-%d %H:%M:%S} UTC")
    return delivery
