"""What all engines have in common: a dump goes in, a database that can be asked comes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from coolify.backup.dumps import Dump, DumpRefusedError
from coolify.errors import OperatorError

__all__ = [
    "CannotAskError",
    "Connection",
    "NotProvableHereError",
    "Questions",
    "RestoreFunction",
    "RestoreIntoFunction",
    "Restored",
    "refuse_format",
]


class NotProvableHereError(OperatorError):
    """The dump may be good, but this machine lacks what its restore needs."""


class CannotAskError(OperatorError):
    """A question cannot be answered: the engine has no such thing, or the statement is wrong."""


class Questions(Protocol):
    """A restored database that answers."""

    async def count(self, table: str) -> int | None:
        """Return the number of rows, None where there is no such table."""

    async def newest(self, table: str, column: str) -> datetime | None:
        """Return the highest time in a column, None where there is no row."""

    async def value(self, sql: str) -> str:
        """Return the single value of a statement."""


@dataclass(frozen=True)
class Restored:
    """A dump after its restore.

    Attributes:
        questions: The database to ask.
        tables: Tables (collections, keys) that are there, at most a thousand of them.
        whole: Whether an engine has loaded the dump; without, only its structure was read.
        facts: What was seen, for the evidence.
    """

    questions: Questions
    tables: tuple[str, ...]
    whole: bool = True
    facts: tuple[str, ...] = field(default=())


class RestoreFunction(Protocol):
    """Restores a dump for as long as the context lasts."""

    def __call__(self, dump: Dump, server: Connection | None, seconds: float) -> AbstractAsyncContextManager[Restored]:
        """Restore into a database of its own on `server`, or into a scratch server.

        Raises:
            DumpRefusedError: The dump is bad.
            NotProvableHereError: It may be good, but not here.
        """


class RestoreIntoFunction(Protocol):
    """Restores a dump into a database that is to be used afterwards."""

    async def __call__(self, dump: Dump, server: Connection, *, clean: bool) -> Restored:
        """Restore into the database that `server` names.

        Args:
            dump: The dump.
            server: The database.
            clean: Whether what is there is replaced; without, a database that holds tables is refused.

        Raises:
            OperatorError: The database cannot be reached, or holds tables.
            DumpRefusedError: The dump is bad, or would write into other databases.
        """


@dataclass(frozen=True)
class Connection:
    """Where a given server is; the password is in no argument of a program and in no repr."""

    scheme: str
    host: str
    port: int | None
    user: str
    password: str = field(repr=False)
    database: str
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, url: str) -> Connection:
        """Read a URL such as `postgresql://user:password@host:5432/name`.

        Raises:
            OperatorError: It is none; the message does not repeat it.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise OperatorError("The address of the server is not a URL.") from None
        options = dict(parse_qsl(parts.query))
        if not parts.scheme or not (parts.hostname or options.get("host")):
            raise OperatorError("The address of the server is not a URL as in postgresql://user:password@host/name.")
        return cls(
            scheme=parts.scheme.partition("+")[0],
            host=parts.hostname or options["host"],
            port=port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=unquote(parts.path.lstrip("/")),
            options=options,
        )


def refuse_format(dump: Dump, engine: str) -> DumpRefusedError:
    """Return the error for a dump that the engine cannot have written."""
    return DumpRefusedError(f"This is no dump of {engine}: the file begins like {dump.format.value}.")


Opened = AsyncIterator[Restored]
