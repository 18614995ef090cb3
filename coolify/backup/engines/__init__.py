"""One module an engine: from a dump to a database that can be asked."""

from __future__ import annotations

from importlib import import_module
from typing import Final, cast

from coolify.backup.engines.base import (
    CannotAskError,
    Connection,
    NotProvableHereError,
    Questions,
    Restored,
    RestoreFunction,
    RestoreIntoFunction,
)
from coolify.engines import DatabaseEngine
from coolify.errors import OperatorError

__all__ = [
    "CannotAskError",
    "Connection",
    "NotProvableHereError",
    "Questions",
    "Restored",
    "restore_function",
    "restore_into_function",
]

_MODULES: Final = {
    DatabaseEngine.POSTGRESQL: "postgresql",
    DatabaseEngine.MYSQL: "mariadb",
    DatabaseEngine.MARIADB: "mariadb",
    DatabaseEngine.MONGODB: "mongodb",
    DatabaseEngine.REDIS: "redis",
    DatabaseEngine.KEYDB: "redis",
    DatabaseEngine.DRAGONFLY: "redis",
    DatabaseEngine.CLICKHOUSE: "clickhouse",
}


def restore_function(engine: DatabaseEngine) -> RestoreFunction:
    """Return what restores dumps of an engine."""
    return cast("RestoreFunction", import_module(f"{__name__}.{_MODULES[engine]}").restore)


def restore_into_function(engine: DatabaseEngine) -> RestoreIntoFunction:
    """Return what restores dumps of an engine into a given database.

    Raises:
        OperatorError: Nothing here does.
    """
    found = getattr(import_module(f"{__name__}.{_MODULES[engine]}"), "restore_into", None)
    if found is None:
        raise OperatorError(
            f"Dumps of {engine.value} are not restored by this command: `coolify backup restore-plan` prints the steps."
        )
    return cast("RestoreIntoFunction", found)
