"""Whether an application answers at all: what its proxy says on its own has nothing to do with its security."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

import httpx

from coolify.api import CoolifyClient
from coolify.config import Config
from coolify.errors import OperatorError
from coolify.finding import Finding, Severity
from coolify.locating import find_application
from coolify.security.look import Door, Seen

__all__ = ["Knock", "Standing", "absent", "is_of_proxy", "knock", "of_proxy", "standing_of"]

_STRANGER: Final = "coolify-flows.invalid"
"""A name that nobody has (RFC 6761 section 6.4): what it is answered comes from the proxy."""
_PAGES: Final = {
    404: "404 page not found",
    502: "Bad Gateway",
    503: "no available server",
    504: "Gateway Timeout",
}
"""What Traefik writes by itself; the first is also what servers written in Go say, so that it proves nothing."""
_ALONE: Final = frozenset({404, 502, 503, 504})
"""What is answered where the proxy knows no container, or one that does not run."""
_REDIRECTS: Final = frozenset({301, 302, 307, 308})
"""Coolify lets the operator of a server send unknown names elsewhere."""
_LEAVING: Final = frozenset({"starting", "restarting", "created", "degraded"})
"""States in which some container may answer (reference 4.5)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What Coolify knows of the application."""

    runs: bool | None
    """None where Coolify could not be asked, or does not know."""
    told: str
    deployed: bool = True
    """False where nothing has ever been deployed; the state of a container is written late."""

    @classmethod
    def unknown(cls, error: OperatorError) -> Standing:
        """Return what is known where Coolify does not tell; what is seen from the outside is told all the same."""
        return cls(runs=None, told=f"Coolify could not be asked: {error}")


@dataclass(frozen=True, slots=True)
class Knock:
    """The answer of one door, and what the same address answers to a name that nobody has."""

    door: Door
    subject: str
    seen: Seen
    stranger: Seen | None = None
    """None where the answer is the application's without doubt."""

    @property
    def is_alike(self) -> bool:
        """Whether the name makes no difference; headers are compared by name, as dates and numbers change."""
        other = self.stranger
        return other is not None and other.status is not None and _shape(self.seen) == _shape(other)

    @property
    def is_suspect(self) -> bool:
        """Whether the answer may be the proxy's own."""
        status = self.seen.status
        return self._is_known_page or (self.is_alike and status in _ALONE | _REDIRECTS)

    @property
    def _is_known_page(self) -> bool:
        return self.seen.body.strip() == _PAGES.get(self.seen.status or 0)


async def knock(door: Door, subject: str) -> Knock:
    """Ask as a visitor, and again under a foreign name where the answer may be the proxy's own."""
    seen = await door.ask()
    if seen.status not in _ALONE | _REDIRECTS:
        return Knock(door, subject, seen)
    foreign = replace(door, url=str(httpx.URL(door.url).copy_with(host=_STRANGER)))
    return Knock(door, subject, seen, await foreign.ask())


async def standing_of(client: CoolifyClient, config: Config) -> Standing:
    """Return what Coolify knows of an application."""
    try:
        application = await find_application(client, config)
        if application is None:
            return Standing(
                runs=False, told=f"Coolify has no application {config.application_name} yet", deployed=False
            )
        state = application.parsed_status.state
        if application.parsed_status.is_running:
            return Standing(runs=True, told=f"Coolify says that {application.name} runs")
        if state in _LEAVING:
            return Standing(runs=None, told=f"Coolify calls {application.name} {state}")
        if await client.deployments.last_finished(application.uuid) is None:
            told = f"No deployment of {application.name} has finished yet, and Coolify calls it {state}"
            return Standing(runs=False, told=told, deployed=False)
        return Standing(runs=False, told=f"{application.name} does not run, Coolify calls it {state}")
    except OperatorError as error:
        return Standing.unknown(error)


def is_of_proxy(one: Knock, standing: Standing, expected: Sequence[int]) -> bool:
    """Decide whether a suspect answer is not judged as the application's.

    Args:
        one: The answer.
        standing: What Coolify knows.
        expected: Answers that `health.expect` calls good; those of an application that was deployed are its own.
    """
    status = one.seen.status
    if status in expected:
        return not standing.deployed
    if standing.runs is False:
        return True
    if status not in _ALONE:
        return False
    # An application may well say 404 itself; where the name makes a difference, or Coolify sees it run, it did.
    silent = one.stranger is None or one.stranger.status is None
    return one.is_alike or status != 404 or (silent and standing.runs is None)


def absent(name: str, knocks: Sequence[Knock], standing: Standing) -> Finding:
    """Return what is told when Coolify knows that the application does not run.

    Args:
        name: The application.
        knocks: The answers that its proxy gave alone.
        standing: What Coolify knows.
    """
    where = ", ".join(dict.fromkeys(one.door.url for one in knocks))
    return Finding(
        name="security-not-running",
        severity=Severity.ERROR,
        subject=name,
        summary=f"{standing.told}; at {where} the proxy alone answers, so that nothing about its security is known.",
        evidence=tuple(_told(one) for one in knocks),
        remedy="Deploy it first, with `coolify release`.",
    )


def of_proxy(one: Knock, standing: Standing) -> Finding:
    """Return what is told when an answer looks like the proxy's own, and nobody knows that nothing runs."""
    return Finding(
        name="security-proxy-answers",
        severity=Severity.ERROR,
        subject=one.subject,
        summary=f"{one.subject} answers {one.seen.status} as a proxy does that reaches no application, so that "
        "nothing about its security is known.",
        evidence=(_told(one), standing.told),
        remedy="Deploy it first, with `coolify release`; when it runs, look at its domains with `coolify domain list`, "
        "and set `health.path` to a page that it has.",
    )


def _told(one: Knock) -> str:
    page = " ".join(one.seen.body.split())
    said = f'"{page}"' if page else "without a text"
    same = "; a name that nobody has is answered alike" if one.is_alike else ""
    return f"{one.subject}: {one.seen.status}, {said}{same}"


def _shape(seen: Seen) -> tuple[object, ...]:
    location = urlsplit(seen.headers.get("location", ""))
    # A redirect to the own name is of the name, not of the proxy.
    return (seen.status, seen.body, frozenset(seen.headers), location)
