"""One thing that `apply` may do: what it is, and how it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from prefect.client.orchestration import PrefectClient

from coolify.plan import Action, Kind

__all__ = ["Step", "changed_fields", "create", "unchanged", "update"]

Do = Callable[[PrefectClient], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Step:
    """An action and the call that performs it."""

    action: Action
    do: Do | None = None
    """None where there is nothing to do."""


def create(resource: str, name: str, do: Do) -> Step:
    """Return the step that makes something that is missing."""
    return Step(Action(kind=Kind.CREATE, resource=resource, name=name), do)


def update(resource: str, name: str, what: str, do: Do) -> Step:
    """Return the step that changes something.

    Args:
        resource: Kind of thing.
        name: Its name.
        what: What of it differs.
        do: Changes it.
    """
    return Step(Action(kind=Kind.UPDATE, resource=resource, name=name, after=what), do)


def unchanged(resource: str, name: str) -> Step:
    """Return the step of something that is as it should be."""
    return Step(Action(kind=Kind.UNCHANGED, resource=resource, name=name))


def changed_fields(wanted: Mapping[str, object], actual: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of the wanted fields whose actual value is another one."""
    return tuple(name for name, value in wanted.items() if actual.get(name) != value)
