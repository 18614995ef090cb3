"""What counts as a resource: it keeps its project, environment and network from being deleted."""

from __future__ import annotations

from typing import Any

from coolify_sandbox.server.database_engines import ENGINES
from coolify_sandbox.server.state import State

__all__ = ["has_resources"]

_KINDS = ("application", "service", *(f"database {engine}" for engine in ENGINES))


def has_resources(state: State, **place: Any) -> bool:  # noqa: ANN401 - attributes are JSON
    """Return whether anything lives in a place, given as `environment_id=` or `destination_id=`."""
    return any(state.first(kind, **place) is not None for kind in _KINDS)
