"""What a run over a set will do: which applications, in which stages, with which strategy."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from coolify.config.coordinates import DEFAULT_PATH
from coolify.config.load import resolve_variables
from coolify.contexts import ContextStore, connection_for
from coolify.decisions import ABORT
from coolify.errors import OperatorError
from coolify.release_set.file import Canary, OnFailure, ReleaseSet, Strategy, find_set, read_set
from coolify.release_set.members import Member, MembersError, load_members
from coolify.release_set.order import Needs, SetOrderError, Stage, needs_of, stages_of
from coolify.security import resolve_security
from coolify.suggest import nearest

__all__ = ["SetPlan", "make_plan"]


@dataclass(frozen=True, slots=True)
class SetPlan:
    """A set that is ready to be released."""

    name: str
    path: Path
    members: Mapping[str, Member]
    """Name -> application, in the order of the file."""
    needs: Needs
    stages: tuple[Stage, ...]
    strategy: Strategy
    parallel: int
    soak_seconds: float
    """How long the canary has to stay healthy; 0 without one."""
    on_failure: OnFailure

    @property
    def policy(self) -> str:
        """How `SET_MEMBER_FAILED` is decided."""
        return ABORT if self.on_failure is OnFailure.STOP else self.on_failure.value

    def waits_for(self, name: str, others: frozenset[str]) -> str | None:
        """Return the first of the others that an application needs, directly or through what it needs."""
        seen: set[str] = set()
        open_ends = [name]
        while open_ends:
            for before in sorted(self.needs[open_ends.pop()] - seen):
                if before in others:
                    return before
                seen.add(before)
                open_ends.append(before)
        return None


def make_plan(
    path: Path,
    *,
    tags: Sequence[str] = (),
    environment: str = "",
    strategy: Strategy | None = None,
    on_failure: OnFailure | None = None,
    parallel: int | None = None,
    to_run_here: bool = True,
) -> SetPlan:
    """Read a set file with all that it names, and plan its release; asks no server.

    Args:
        path: The set file, or its default name, which is searched upwards.
        tags: Only applications with one of these; all when empty.
        environment: Environment of the applications for which the file names none.
        strategy: Instead of the file's.
        on_failure: Instead of the file's.
        parallel: Instead of the file's.
        to_run_here: Whether variables and tokens have to be there.

    Raises:
        ConfigError: The set file is missing or wrong.
        MembersError: Configurations of applications are.
        SetOrderError: They wait for each other in a circle, or the canary waits for one that comes later.
    """
    found = find_set(path)
    declared = read_set(found)
    folder = found.resolve().parent
    root = folder.parent if folder.name == DEFAULT_PATH.parent.name else folder
    members = load_members(declared, root, tags, environment, found)
    if to_run_here:
        _refuse_unusable(members)
    needs = needs_of(members)
    chosen = strategy or declared.strategy
    return SetPlan(
        name=declared.name or root.name,
        path=found,
        members={one.name: one for one in members},
        needs=needs,
        stages=_stages(members, needs, declared, chosen),
        strategy=chosen,
        parallel=parallel or declared.parallel,
        soak_seconds=declared.canary.soak if chosen is Strategy.CANARY else 0.0,
        on_failure=on_failure or declared.on_failure,
    )


def _refuse_unusable(members: Sequence[Member]) -> None:
    """Find variables that are not set and tokens that are missing, of all applications, before the first is touched."""
    problems: dict[str, None] = {}
    store = ContextStore.open(os.environ)
    for one in members:
        try:
            resolve_variables(one.config, os.environ)
            resolve_security(one.config, os.environ)
            connection_for(one.config, store, os.environ)
        except OperatorError as error:
            problems[str(error)] = None
    if problems:
        raise MembersError("\n".join(problems))


def _stages(members: Sequence[Member], needs: Needs, declared: ReleaseSet, strategy: Strategy) -> tuple[Stage, ...]:
    names = [one.name for one in members]
    if strategy is Strategy.STAGES:
        return stages_of(names, needs)
    first = _canaries(members, stages_of(names, needs), declared.canary)
    for name in first:
        if missing := needs[name] - set(first):
            raise SetOrderError(
                f"The canary {name} waits for {', '.join(sorted(missing))}, which comes after it: choose another "
                "canary, or release what it waits for on its own."
            )
    rest = [name for name in names if name not in first]
    canaries = tuple(replace(one, is_canary=True) for one in stages_of(first, needs))
    return (*canaries, *stages_of(rest, needs))


def _canaries(members: Sequence[Member], stages: Sequence[Stage], canary: Canary) -> list[str]:
    if canary.server is not None:
        found = [one.name for one in members if canary.server in _servers(one)]
        if not found:
            hint = nearest(canary.server, sorted({name for one in members for name in _servers(one)}))
            raise MembersError(f"No application of the set is on the canary's server '{canary.server}': {hint}")
        return found
    if canary.application is None:
        return [stages[0].applications[0]]
    found = [one.name for one in members if canary.application in {one.name, one.config.application_name}]
    if len(found) != 1:
        why = "is not in the set" if not found else "names several"
        known = [one.name for one in members]
        raise MembersError(f"The canary '{canary.application}' {why}: {nearest(canary.application, known)}")
    return found


def _servers(member: Member) -> set[str]:
    """Return the names by which a canary's server can be told."""
    address = member.config.server
    return {one for one in (member.config.application.server, address, urlsplit(address).hostname) if one}
