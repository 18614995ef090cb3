"""In which order the applications of a set are released: pure, from their configurations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import ClassVar

from coolify.databases import database_name
from coolify.errors import OperatorError
from coolify.release_set.members import Member

__all__ = ["SetOrderError", "Stage", "needs_of", "stages_of"]

Needs = Mapping[str, frozenset[str]]
"""Name of an application -> names of those of the set that must be released before it."""


class SetOrderError(OperatorError):
    """The applications of a set cannot be released in any order."""

    is_usage: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Stage:
    """Applications that are released side by side."""

    applications: tuple[str, ...]
    is_canary: bool = False


def needs_of(members: Sequence[Member]) -> Needs:
    """Return what has to be released before what.

    An application waits for those of its environment that `release.requires` names, as far as they are in the set;
    the others have to run already, which its preflight checks. Applications that share a database wait for the one
    that makes its tables (`databases.NAME.schema`), or for the first, which creates it.

    Raises:
        SetOrderError: Applications require each other in a circle; names them.
    """
    required = {one.name: frozenset(_required(one, members)) for one in members}
    position = {name: index for index, name in enumerate(_sorted(required))}
    needs = {name: set(before) for name, before in required.items()}
    for users in _sharing(members):
        makers = sorted((one.name for one, makes in users if makes), key=position.__getitem__)
        others = sorted((one.name for one, makes in users if not makes), key=position.__getitem__)
        first = makers or others[:1]
        for earlier, later in pairwise(first):
            needs[later].add(earlier)
        for name in others:
            needs[name] |= set(first) - {name}
    found = {name: frozenset(before) for name, before in needs.items()}
    _sorted(found)
    return found


def stages_of(names: Iterable[str], needs: Needs) -> tuple[Stage, ...]:
    """Return the stages of a release of some applications; what they need and is not among them counts as done.

    Args:
        names: The applications, in the order of the file, which they keep within a stage.
        needs: See `needs_of`.
    """
    left = list(names)
    stages: list[Stage] = []
    while left:
        ready = tuple(name for name in left if not needs[name] & set(left))
        stages.append(Stage(ready))
        left = [name for name in left if name not in ready]
    return tuple(stages)


def _required(one: Member, members: Iterable[Member]) -> Iterable[str]:
    wanted = set(one.config.release.requires)
    return (other.name for other in members if other.place == one.place and other.config.application_name in wanted)


def _sharing(members: Iterable[Member]) -> Iterable[list[tuple[Member, bool]]]:
    """Yield the applications that name the same database, and whether they make its tables."""
    users: dict[tuple[object, ...], list[tuple[Member, bool]]] = {}
    for one in members:
        for key, section in one.config.databases.items():
            identity = (*one.place, database_name(one.config, key))
            users.setdefault(identity, []).append((one, section.schema_ is not None))
    return (found for found in users.values() if len(found) > 1)


def _sorted(needs: Needs) -> list[str]:
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        # The sorter names each before those that need it, the first again at the end.
        circle = list(reversed(error.args[1]))
        told = ", ".join(f"{one} waits for {other}" for one, other in pairwise(circle))
        raise SetOrderError(
            f"The applications of the set wait for each other in a circle: {told}. Correct release.requires or "
            "databases in one of them."
        ) from None
