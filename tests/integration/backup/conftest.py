"""Real databases to dump from, with the tools and options that Coolify uses."""

import asyncio
import contextlib
import gzip
from pathlib import Path

import pytest

from coolify.backup.engines.mariadb import ScratchMariaDB
from coolify.backup.engines.postgresql import ScratchPostgres
from coolify.backup.engines.redis import _ask
from coolify.backup.proof import Origin, digest
from coolify.backup.proof import prove as prove_dump
from coolify.config.backups import Proof
from coolify.engines import DatabaseEngine

SHOP = """
CREATE TABLE customers (id int PRIMARY KEY, name varchar(80));
CREATE TABLE orders (id int PRIMARY KEY, customer int REFERENCES customers (id), made timestamp);
INSERT INTO customers VALUES (1, 'Ada'), (2, 'Grace'), (3, 'Barbara');
INSERT INTO orders VALUES (1, 1, '2026-01-01 10:00:00'), (2, 2, '2026-01-02 10:00:00');
"""


async def tool(*command: str, out: Path | None = None, feed: str = "") -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        # A pipe, as between `docker exec` and its caller: into a file pg_dump writes its table of contents twice.
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate(feed.encode())
    assert process.returncode == 0, errors.decode()
    if out:
        out.write_bytes(output)


class Postgres:
    """A source database."""

    def __init__(self, server: ScratchPostgres) -> None:
        self.server = server

    def command(self, name: str, *arguments: str) -> list[str]:
        return [self.server.tools.path(name), "-h", str(self.server.socket), "-U", "postgres", *arguments]

    async def make(self, database: str, sql: str = SHOP) -> None:
        """Make a database, in the place of one that another test has left."""
        await tool(*self.command("psql", "-q", "-c", f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
        await tool(*self.command("psql", "-q", "-c", f"CREATE DATABASE {database}"))
        await tool(*self.command("psql", "-q", "-v", "ON_ERROR_STOP=1", database), feed=sql)

    async def dump(self, database: str, path: Path) -> Path:
        """As Coolify dumps one database."""
        await tool(*self.command("pg_dump", "--format=custom", "--no-acl", "--no-owner", database), out=path)
        return path

    async def dump_all(self, path: Path) -> Path:
        """As Coolify dumps everything."""
        plain = path.with_suffix(".sql")
        await tool(*self.command("pg_dumpall"), out=plain)
        path.write_bytes(gzip.compress(plain.read_bytes()))
        return path


class MariaDB:
    """A source database."""

    def __init__(self, server: ScratchMariaDB) -> None:
        self.server = server

    async def make(self, database: str, sql: str = SHOP) -> None:
        client = [self.server.client, "--no-defaults", f"--socket={self.server.socket}", "-uroot"]
        await tool(
            *client, feed=f"SET foreign_key_checks = 0; CREATE OR REPLACE DATABASE {database}; USE {database};{sql}"
        )

    async def dump(self, path: Path, *what: str) -> Path:
        await tool("mariadb-dump", "--no-defaults", f"--socket={self.server.socket}", "-uroot", *what, out=path)
        return path


@pytest.fixture(scope="module")
def postgres():
    with running(ScratchPostgres(1800)) as server:
        yield Postgres(server)


@pytest.fixture
def postgres_alone():
    """A server with nothing in it but what the test makes."""
    with running(ScratchPostgres(1800)) as server:
        yield Postgres(server)


@pytest.fixture(scope="module")
def mariadb():
    with running(ScratchMariaDB(1800)) as server:
        yield MariaDB(server)


@contextlib.contextmanager
def running(server):
    """Run a server for many tests: each of them has an event loop of its own, and this has one too."""
    with asyncio.Runner() as runner:
        runner.run(server.__aenter__())
        try:
            yield server
        finally:
            runner.run(server.__aexit__(None, None, None))


@pytest.fixture
async def rdb(tmp_path):
    """A dump that a real Redis has written."""
    data = tmp_path / "redis"
    data.mkdir()
    process = await asyncio.create_subprocess_exec(
        *("redis-server", "--port", "0", "--unixsocket", str(data / "s"), "--dir", str(data), "--save", ""),
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30):
            while not (data / "s").exists():
                await asyncio.sleep(0.02)
        for number in range(200):
            await _ask(data / "s", "SET", f"session:{number}", "x" * 50)
        await _ask(data / "s", "RPUSH", "queue", "a", "b", "c")
        await _ask(data / "s", "SAVE")
    finally:
        process.kill()
        await process.wait()
    return data / "dump.rdb"


@pytest.fixture
def prove():
    """Prove a dump and return the restore point."""

    async def go(path: Path, engine: DatabaseEngine, server=None, made=None, **checks):
        origin = Origin("main", engine, path.name, digest(path), made=made)
        return await prove_dump(path, origin, Proof.model_validate(checks), server)

    return go


def names(point) -> list[str]:
    return [one.name for one in point.findings]


def problem(point) -> str:
    return " ".join(one.summary for one in point.findings if one.is_problem)
