"""What was accepted and not delivered yet, on disk: nothing that was answered with 202 is lost with the process.

One SQLite database, written by one thread. Deliveries that arrive while it writes are written together, with one
fsync for all of them; each is answered after that.
"""

from __future__ import annotations

import asyncio
import fcntl
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TextIO, TypeVar

from coolify.errors import OperatorError
from deployments.webhooks.events import PushEvent

__all__ = ["Backlog", "Spool", "SpoolError", "SpoolFailedError", "Waiting", "look_into"]

T = TypeVar("T")
_FILE: Final = "spool.sqlite"
_REMEMBERED_SECONDS: Final = 7 * 86400.0
"""How long deliveries are known again; longer than the age at which they are refused."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS seen (source TEXT, key TEXT, at REAL, PRIMARY KEY (source, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_at ON seen (at);
CREATE TABLE IF NOT EXISTS events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT UNIQUE NOT NULL,
    body TEXT NOT NULL,
    accepted REAL NOT NULL,
    sent REAL,
    sendings INTEGER NOT NULL DEFAULT 0,
    refused TEXT
);
"""


class SpoolError(OperatorError):
    """The directory of the spool cannot be used."""

    is_usage = True


class SpoolFailedError(OperatorError):
    """A delivery could not be kept, and was not accepted."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An event on its way to Prefect."""

    number: int
    id: str
    body: str
    """The event as JSON."""
    sent: float | None
    """When it was last sent, in seconds since 1970; None where it was not."""
    sendings: int
    """How often Prefect has taken it."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What lies in the spool."""

    waiting: int = 0
    """Events that Prefect has not stored yet."""
    oldest: float | None = None
    """When the oldest of them was accepted, in seconds since 1970."""
    refused: int = 0
    """Events that Prefect refuses; they stay, and are sent again when the receiver is started anew."""
    reason: str = ""
    """Why Prefect refuses the latest of them."""


@dataclass(slots=True)
class _Accepting:
    source: str
    keys: Sequence[str]
    events: Sequence[PushEvent]
    answer: asyncio.Future[bool]


class Spool:
    """The spool of one receiver.

    Args:
        directory: Where it is; created with access for its owner alone.

    Raises:
        SpoolError: It cannot be used, or another receiver uses it.
    """

    def __init__(self, directory: Path) -> None:
        self._lock = _locked(directory)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spool")
        self._accepting: list[_Accepting] = []
        self._writing: asyncio.Task[None] | None = None
        try:
            self._database = self._thread.submit(_open, directory / _FILE).result()
        except sqlite3.Error as error:
            self._lock.close()
            raise SpoolError(f"The spool {directory / _FILE} cannot be opened: {error}.") from None

    async def accept(self, source: str, keys: Sequence[str], events: Iterable[PushEvent]) -> bool:
        """Keep a delivery; return False where one with one of its keys was accepted before.

        Raises:
            SpoolFailedError: It is not on disk.
        """
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._accepting.append(_Accepting(source, keys, tuple(events), answer))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await answer

    async def fresh(self, limit: int) -> tuple[Waiting, ...]:
        """Return the oldest events that Prefect has never taken."""
        return await self._run(lambda: _waiting(self._database, "IS NULL", limit))

    async def taken(self, limit: int) -> tuple[Waiting, ...]:
        """Return the oldest events that Prefect has taken and, as far as we know, not stored."""
        return await self._run(lambda: _waiting(self._database, "IS NOT NULL", limit))

    async def sent(self, events: Iterable[Waiting]) -> None:
        """Note that Prefect has taken events."""
        rows = [(time.time(), one.number) for one in events]
        await self._change("UPDATE events SET sent = ?, sendings = sendings + 1 WHERE number = ?", rows)

    async def delivered(self, events: Iterable[Waiting]) -> None:
        """Forget events that Prefect has stored."""
        await self._change("DELETE FROM events WHERE number = ?", [(one.number,) for one in events])

    async def refused(self, event: Waiting, reason: str) -> None:
        """Put an event aside that Prefect does not take."""
        await self._change("UPDATE events SET refused = ? WHERE number = ?", [(reason, event.number)])

    async def backlog(self) -> Backlog:
        """Return what lies in the spool.

        Raises:
            SpoolFailedError: It cannot be read.
        """
        return await self._run(lambda: _backlog(self._database))

    async def forget_old(self) -> None:
        """Forget deliveries that would be refused for their age by now."""
        await self._change("DELETE FROM seen WHERE at < ?", [(time.time() - _REMEMBERED_SECONDS,)])

    async def close(self) -> None:
        """Close the database once everything is written."""
        if self._writing is not None:
            await self._writing
        await self._run(self._database.close)
        self._thread.shutdown()
        self._lock.close()

    async def _write(self) -> None:
        while self._accepting:
            together, self._accepting = self._accepting, []
            try:
                results: Sequence[bool] = await self._run(lambda: _keep(self._database, together))  # noqa: B023 - awaited
            except SpoolFailedError as error:
                for one in together:
                    if not one.answer.done():
                        one.answer.set_exception(error)
                continue
            for one, result in zip(together, results, strict=True):
                # Whoever asked may be gone: what is on disk is delivered all the same.
                if not one.answer.done():
                    one.answer.set_result(result)

    async def _change(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        def change() -> None:
            with self._database:
                self._database.executemany(statement, rows)

        if rows:
            await self._run(change)

    async def _run(self, action: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, action)
        except sqlite3.Error as error:
            raise SpoolFailedError(f"The spool cannot be used: {error}.") from None


def look_into(directory: Path) -> Backlog:
    """Return what lies in a spool, also while its receiver runs; an empty one where there is none.

    Raises:
        SpoolError: It cannot be read.
    """
    path = directory / _FILE
    if not path.is_file():
        return Backlog()
    try:
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return _backlog(database)
        finally:
            database.close()
    except sqlite3.Error as error:
        raise SpoolError(f"The spool {path} cannot be read: {error}.") from None


def _locked(directory: Path) -> TextIO:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (directory / "lock").open("a")
    except OSError as error:
        raise SpoolError(f"The spool {directory} cannot be used: {error.strerror}.") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise SpoolError(f"Another receiver uses the spool {directory}: give each its own with --spool.") from None
    return file


def _open(path: Path) -> sqlite3.Connection:
    # Only one thread uses it at a time; the executor sees to that.
    database = sqlite3.connect(path, check_same_thread=False)
    path.chmod(0o600)
    database.execute("PRAGMA journal_mode = WAL")
    # Every commit is on disk when it returns (sqlite.org/pragma.html#pragma_synchronous).
    database.execute("PRAGMA synchronous = FULL")
    database.executescript(_SCHEMA)
    # What Prefect has refused it may take now: a restart follows an upgrade of either of them.
    with database:
        database.execute("UPDATE events SET refused = NULL")
    return database


def _keep(database: sqlite3.Connection, together: Sequence[_Accepting]) -> list[bool]:
    now = time.time()
    results = []
    with database:
        for one in together:
            known = any(
                database.execute("SELECT 1 FROM seen WHERE source = ? AND key = ?", (one.source, key)).fetchone()
                for key in one.keys
            )
            results.append(not known)
            # The keys of a delivery that is known by one of them are known from now on.
            database.executemany(
                "INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", [(one.source, key, now) for key in one.keys]
            )
            if not known:
                database.executemany(
                    "INSERT OR IGNORE INTO events (id, body, accepted) VALUES (?, ?, ?)",
                    [(str(event.id), event.model_dump_json(), now) for event in one.events],
                )
    return results


def _waiting(database: sqlite3.Connection, sent: Literal["IS NULL", "IS NOT NULL"], limit: int) -> tuple[Waiting, ...]:
    rows = database.execute(
        "SELECT number, id, body, sent, sendings FROM events "  # noqa: S608 - one of two literals
        f"WHERE refused IS NULL AND sent {sent} ORDER BY number LIMIT ?",
        (limit,),
    )
    return tuple(Waiting(*row) for row in rows)


def _backlog(database: sqlite3.Connection) -> Backlog:
    waiting, oldest = database.execute("SELECT count(*), min(accepted) FROM events WHERE refused IS NULL").fetchone()
    refused = database.execute("SELECT count(*) FROM events WHERE refused IS NOT NULL").fetchone()[0]
    latest = database.execute("SELECT refused FROM events WHERE refused IS NOT NULL ORDER BY number DESC").fetchone()
    return Backlog(waiting, oldest, refused, latest[0] if latest else "")
