"""What counts as a resource: it keeps its project, environment and network from being deleted."""

from __future__ import annotations

from typing import Any

from coolify_sandbox.server.database_engines import ENGINES
from coolify_sandbox.server.state import Row, State

__all__ = ["has_resources", "model_of", "resources_of"]

_KINDS = ("application", "service", *(f"database {engine}" for engine in ENGINES))


_PARTS = {"service_application": "ServiceApplication", "service_database": "ServiceDatabase"}


def has_resources(state: State, **place: Any) -> bool:  # noqa: ANN401 - attributes are JSON
    """Return whether anything lives in a place, given as `environment_id=` or `destination_id=`."""
    return any(state.first(kind, **place) is not None for kind in _KINDS)


def resources_of(state: State, team_id: int) -> list[Row]:
    """Return everything of a team that can run: applications, services, databases."""
    return [row for kind in _KINDS for row in state.all(kind, team_id=team_id)]


def model_of(row: Row) -> str:
    """Return the name of the class that Coolify stores beside a number."""
    engine = ENGINES.get(row.kind.partition(" ")[2])
    return f"App\\Models\\{engine.model if engine else _PARTS.get(row.kind, row.kind.capitalize())}"
