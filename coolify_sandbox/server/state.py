"""State of the embedded Coolify: rows of JSON in one SQLite file.

Coolify's models have up to a hundred attributes that are passed through untouched; a row is therefore a mapping, as
in the original, and `coolify_sandbox.server.fields` says what each kind starts with.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import string
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from coolify_sandbox.server.settings import ServerSettings

__all__ = ["Row", "State", "Token", "new_uuid", "timestamp"]

_ALPHABET: Final = string.ascii_lowercase + string.digits
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS rows (
    kind TEXT NOT NULL, id INTEGER NOT NULL, uuid TEXT, data TEXT NOT NULL, PRIMARY KEY (kind, id)
);
CREATE UNIQUE INDEX IF NOT EXISTS rows_uuid ON rows (kind, uuid);
"""
ROOT_TEAM: Final = 0


def new_uuid() -> str:
    """Return an identifier as Coolify makes them: 24 lower-case letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(24))


def timestamp(moment: datetime | None = None) -> str:
    """Return a time as Laravel serialises it: UTC, microseconds that are always zero."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


@dataclass(frozen=True, slots=True)
class Token:
    """A personal access token and its owner."""

    id: int
    team_id: int
    user_id: int
    role: str
    abilities: frozenset[str]
    expires_at: str | None

    def can(self, ability: str) -> bool:
        """Return whether the token has the ability; root has all."""
        return bool({"root", "*", ability} & self.abilities)

    @property
    def sees_secrets(self) -> bool:
        """Whether hidden fields are shown: the ability counts for admins and owners only."""
        return self.can("read:sensitive") and self.role in {"owner", "admin"}


@dataclass(frozen=True, slots=True)
class Row:
    """One stored object."""

    kind: str
    id: int
    uuid: str | None
    data: dict[str, Any]

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - attributes are JSON
        return self.data[name]

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - attributes are JSON
        """Return an attribute, or the default where the row lacks it."""
        return self.data.get(name, default)


class State:
    """All objects of the embedded Coolify."""

    def __init__(self, connection: sqlite3.Connection, settings: ServerSettings) -> None:
        self._connection = connection
        self.settings = settings

    @classmethod
    def open(cls, path: Path, settings: ServerSettings | None = None) -> Self:
        """Open the file, created and seeded when it is new."""
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(_SCHEMA)
        state = cls(connection, settings or ServerSettings())
        if state.first("team") is None:
            _seed(state)
        return state

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def insert(self, kind: str, data: dict[str, Any], *, uuid: str | None = None, row_id: int | None = None) -> Row:
        """Store a new object and return it."""
        now = timestamp()
        stamped = {"created_at": now, "updated_at": now} | data
        if row_id is None:
            (highest,) = self._connection.execute("SELECT max(id) FROM rows WHERE kind = ?", (kind,)).fetchone()
            row_id = (highest or 0) + 1
        self._connection.execute(
            "INSERT INTO rows (kind, id, uuid, data) VALUES (?, ?, ?, ?)", (kind, row_id, uuid, json.dumps(stamped))
        )
        return Row(kind, row_id, uuid, stamped)

    def update(self, row: Row, /, **changes: Any) -> Row:  # noqa: ANN401 - attributes are JSON
        """Change attributes of an object as it is stored now, and return it."""
        current = self.by_id(row.kind, row.id)
        data = {**(current or row).data, "updated_at": timestamp(), **changes}
        self._connection.execute(
            "UPDATE rows SET data = ? WHERE kind = ? AND id = ?", (json.dumps(data), row.kind, row.id)
        )
        return Row(row.kind, row.id, row.uuid, data)

    def delete(self, row: Row) -> None:
        """Remove an object."""
        self._connection.execute("DELETE FROM rows WHERE kind = ? AND id = ?", (row.kind, row.id))

    def by_id(self, kind: str, row_id: int) -> Row | None:
        """Return an object by its number."""
        return self._one("SELECT * FROM rows WHERE kind = ? AND id = ?", (kind, row_id))

    def by_uuid(self, kind: str, uuid: str) -> Row | None:
        """Return an object by its UUID."""
        return self._one("SELECT * FROM rows WHERE kind = ? AND uuid = ?", (kind, uuid))

    def all(self, kind: str, **equal: Any) -> list[Row]:  # noqa: ANN401 - attributes are JSON
        """Return all objects of a kind whose attributes have these values, oldest first."""
        cursor = self._connection.execute("SELECT * FROM rows WHERE kind = ? ORDER BY id", (kind,))
        return [row for row in _rows(cursor) if all(row.get(name) == value for name, value in equal.items())]

    def first(self, kind: str, **equal: Any) -> Row | None:  # noqa: ANN401 - attributes are JSON
        """Return the oldest such object."""
        return next(iter(self.all(kind, **equal)), None)

    def create_token(
        self,
        abilities: Iterable[str],
        *,
        team_id: int = ROOT_TEAM,
        user_id: int = 0,
        role: str = "owner",
        expires_at: datetime | None = None,
    ) -> str:
        """Create an API token, as only Coolify's UI can, and return its text: number, pipe, 48 characters."""
        entropy = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(40))
        secret = f"{entropy}{zlib.crc32(entropy.encode()):08x}"
        row = self.insert(
            "token",
            {
                "hash": hashlib.sha256(secret.encode()).hexdigest(),
                "abilities": sorted(abilities),
                "team_id": team_id,
                "user_id": user_id,
                "role": role,
                "expires_at": timestamp(expires_at) if expires_at else None,
            },
        )
        return f"{row.id}|{secret}"

    def find_token(self, text: str) -> Token | None:
        """Return the unexpired token with this text; Sanctum also accepts it without its number."""
        digest = hashlib.sha256(text.rpartition("|")[2].encode()).hexdigest()
        row = self.first("token", hash=digest)
        number, pipe, _ = text.partition("|")
        if row is None or (pipe and number != str(row.id)):
            return None
        if row["expires_at"] and row["expires_at"] <= timestamp():
            return None
        return Token(
            row.id, row["team_id"], row["user_id"], row["role"], frozenset(row["abilities"]), row["expires_at"]
        )

    def _one(self, query: str, values: tuple[object, ...]) -> Row | None:
        return next(_rows(self._connection.execute(query, values)), None)


def _rows(cursor: sqlite3.Cursor) -> Iterator[Row]:
    return (Row(kind, row_id, uuid, json.loads(data)) for kind, row_id, uuid, data in cursor)


def _seed(state: State) -> None:
    """Make what a fresh installation has: root team, its server, one network, the server's key."""
    from coolify_sandbox.server.fields import SERVER, SERVER_SETTINGS, TEAM, USER

    # The other way round the modules need this one.
    from coolify_sandbox.server.git_apps import seed_git_apps
    from coolify_sandbox.server.servers import add_server_variables

    settings = state.settings
    state.insert("instance", {"is_api_enabled": True, "allowed_ips": None}, row_id=0)
    state.insert("team", TEAM | {"name": "Root Team", "description": "The root team"}, row_id=ROOT_TEAM)
    user = {"name": "Root User", "email": "root@example.com", "teams": [ROOT_TEAM]}
    state.insert("user", USER | user, row_id=0)
    state.insert(
        "key",
        {
            "name": "localhost's key",
            "description": "The private key for the Coolify host machine (localhost).",
            "team_id": ROOT_TEAM,
            "fingerprint": secrets.token_urlsafe(32),
            "is_git_related": False,
            "private_key": "",
            "public_key": "",
        },
        uuid=new_uuid(),
        row_id=0,
    )
    limits = {
        "concurrent_builds": settings.concurrent_builds,
        "deployment_queue_limit": settings.deployment_queue_limit,
        "wildcard_domain": settings.wildcard_domain,
    }
    server = state.insert(
        "server",
        SERVER
        | {
            "name": "localhost",
            "description": "This is the server where Coolify is running on. Don't delete this!",
            "ip": settings.server_ip,
            "team_id": ROOT_TEAM,
            "private_key_id": 0,
            "is_coolify_host": True,
            "settings": SERVER_SETTINGS | limits,
        },
        uuid=new_uuid(),
        row_id=0,
    )
    add_server_variables(state, server)
    seed_git_apps(state)
    state.insert(
        "destination",
        {"name": "coolify", "network": "coolify", "server_id": server.id, "team_id": ROOT_TEAM},
        uuid=new_uuid(),
        row_id=0,
    )
