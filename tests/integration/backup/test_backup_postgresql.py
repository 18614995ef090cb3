"""PostgreSQL: a good dump is proved, every broken one is refused with the reason."""

import gzip
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from coolify.backup.dumps import DumpRefusedError, recognise
from coolify.backup.engines import Connection, restore_into_function
from coolify.engines import DatabaseEngine
from tests.integration.backup.conftest import names, problem, tool

PG = DatabaseEngine.POSTGRESQL
SHOP_WITH_CONTENT = "CREATE TABLE t AS SELECT g AS id, md5(g::text) AS content FROM generate_series(1, 2000) g;"
LIKE_A_COMMAND = (
    "CREATE TABLE a (t text);"
    "INSERT INTO a VALUES ('CREATE DATABASE x WITH TEMPLATE = template0 ENCODING = ''UTF8'' LOCALE = ''de'';');"
)


async def test_a_dump_is_restored_and_asked(postgres, prove, tmp_path) -> None:
    await postgres.make("shop")
    point = await prove(
        await postgres.dump("shop", tmp_path / "shop.dmp"),
        PG,
        made=datetime(2026, 1, 3, tzinfo=UTC),
        tables=["customers", "public.orders"],
        rows={"customers": 3},
        newest=[{"table": "orders", "column": "made", "hours": 24}],
        sql=[{"sql": "SELECT count(*) FROM orders WHERE customer IS NULL", "expect": "0"}],
    )
    assert point.proved, problem(point)
    assert point.whole
    assert point.tables == 2
    assert names(point) == ["restore-proved", *["restore-check-passed"] * 4]
    assert point.restore_seconds > 0


async def test_what_the_checks_miss_is_told_each_by_each(postgres, prove, tmp_path) -> None:
    await postgres.make("shop")
    point = await prove(
        await postgres.dump("shop", tmp_path / "shop.dmp"),
        PG,
        made=datetime(2026, 2, 1, tzinfo=UTC),
        tables=["invoices"],
        rows={"customers": 4},
        newest=[{"table": "orders", "column": "made", "hours": 24}],
        sql=[{"sql": "SELECT 2"}, {"sql": "SELEC nonsense"}],
    )
    assert not point.proved
    told = problem(point)
    assert "invoices is missing" in told
    assert "3 rows, at least 4" in told
    assert "was 710 hours old" in told
    assert "yields '2', expected '1'" in told
    assert names(point)[-1] == "restore-check-impossible"


async def test_a_dump_of_everything_is_proved_with_its_users(postgres_alone, prove, tmp_path) -> None:
    await postgres_alone.make("shop", "CREATE ROLE clerk; ALTER DATABASE shop OWNER TO clerk;")
    await tool(*postgres_alone.command("psql", "-q", "shop"), feed=LIKE_A_COMMAND)
    dump = await postgres_alone.dump_all(tmp_path / "all.gz")
    point = await prove(dump, PG, tables=["a"], sql=[{"sql": "SELECT t LIKE '%LOCALE%' FROM a", "expect": "t"}])
    assert point.proved, problem(point)
    cut = tmp_path / "cut.gz"
    lines = gzip.decompress(dump.read_bytes()).splitlines(keepends=True)
    cut.write_bytes(gzip.compress(b"".join(lines[: len(lines) // 2])))
    assert "cut off" in problem(await prove(cut, PG))


async def test_a_gzipped_custom_dump_is_proved_too(postgres, prove, tmp_path) -> None:
    await postgres.make("shop")
    dump = await postgres.dump("shop", tmp_path / "shop.dmp")
    packed = tmp_path / "shop.gz"
    packed.write_bytes(gzip.compress(dump.read_bytes()))
    assert (await prove(packed, PG)).proved


async def test_a_truncated_dump_is_refused_wherever_it_was_cut(postgres, prove, tmp_path) -> None:
    await postgres.make("shop", SHOP_WITH_CONTENT)
    whole = (await postgres.dump("shop", tmp_path / "shop.dmp")).read_bytes()
    packed = gzip.compress(whole)
    cut = tmp_path / "cut.dmp"
    for content, kept in ((whole, len(whole) - 1), (whole, len(whole) // 2), (whole, 30), (packed, len(packed) // 2)):
        cut.write_bytes(content[:kept])
        point = await prove(cut, PG)
        assert names(point) == ["restore-failed"], (kept, problem(point))


async def test_an_empty_database_is_no_backup(postgres, prove, tmp_path) -> None:
    await postgres.make("empty", "")
    point = await prove(await postgres.dump("empty", tmp_path / "empty.dmp"), PG)
    assert names(point) == ["restore-empty"]
    assert not point.proved


async def test_files_that_are_no_dump_are_refused(prove, tmp_path) -> None:
    dump = tmp_path / "x.dmp"
    for content, words in (
        (b"", "no byte"),
        (b"age-encryption.org/v1\n-> X25519 abc", "encrypted with age"),
        (b"REDIS0011" + b"x" * 99, "no dump of PostgreSQL"),
        (os.urandom(4096).replace(b"\x1f\x8b", b""), ""),
    ):
        dump.write_bytes(content)
        point = await prove(dump, PG)
        assert names(point) == ["restore-failed"]
        assert words in problem(point)


async def test_a_given_server_gets_a_database_that_is_gone_afterwards(postgres, prove, tmp_path) -> None:
    await postgres.make("shop")
    dump = await postgres.dump("shop", tmp_path / "shop.dmp")
    server = Connection.parse(f"postgresql://postgres@/postgres?host={postgres.server.socket}")
    assert (await prove(dump, PG, server, rows={"customers": 3})).proved
    dump.write_bytes(dump.read_bytes()[:-300])
    assert not (await prove(dump, PG, server)).proved
    listing = tmp_path / "list"
    await tool(*postgres.command("psql", "-Atc", "SELECT datname FROM pg_database"), out=listing)
    assert "coolify_proof" not in listing.read_text()


async def test_a_wrong_password_of_a_given_server_is_told_without_repeating_it(postgres, prove, tmp_path) -> None:
    await postgres.make("shop", "CREATE ROLE prover LOGIN SUPERUSER PASSWORD 'right';" + "CREATE TABLE t (i int);")
    dump = await postgres.dump("shop", tmp_path / "shop.dmp")
    hba = postgres.server.directory / "data" / "pg_hba.conf"
    hba.write_text("local all prover scram-sha-256\nlocal all all trust\n")
    await tool(*postgres.command("psql", "-qAtc", "SELECT pg_reload_conf()"))
    url = "postgresql://prover:{}@/postgres?host=" + str(postgres.server.socket)
    point = await prove(dump, PG, Connection.parse(url.format("hunter2")))
    assert "refuses the password of 'prover'" in problem(point)
    assert "hunter2" not in point.model_dump_json()
    assert (await prove(dump, PG, Connection.parse(url.format("right")))).proved


async def test_a_dump_that_needs_what_is_not_here_is_told_apart_from_a_bad_one(postgres, prove, tmp_path) -> None:
    await postgres.make("shop")
    dump = await postgres.dump("shop", tmp_path / "shop.dmp")
    newer = bytearray(dump.read_bytes())
    newer[6] = 99  # minor version of the archive, after the magic number and the major version
    dump.write_bytes(bytes(newer))
    point = await prove(dump, PG)
    assert names(point) == ["restore-not-provable"], problem(point)


async def test_nothing_is_left_behind_even_when_time_is_up(postgres, prove, tmp_path, monkeypatch) -> None:
    await postgres.make("shop", "CREATE TABLE t (i int);")
    dump = await postgres.dump("shop", tmp_path / "shop.dmp")
    # Names of sockets are short: not below `tmp_path`. Others may run this test at the same time.
    with tempfile.TemporaryDirectory(prefix="t-") as own:
        Path(own).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", own)
        question = f"SELECT pg_sleep(600), '{own}'"
        point = await prove(dump, PG, timeout=5, sql=[{"sql": question}])
        assert names(point) == ["restore-too-slow"]
        assert list(Path(own).iterdir()) == []
        running = [" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"])]
        assert not [one for one in running if own in one]


async def test_sql_text_is_never_read_into_a_given_server(postgres, prove, tmp_path) -> None:
    # It would write into the databases that it names.
    await postgres.make("shop")
    dump = await postgres.dump_all(tmp_path / "all.gz")
    server = Connection.parse(f"postgresql://postgres@/postgres?host={postgres.server.socket}")
    point = await prove(dump, PG, server)
    assert names(point) == ["restore-not-provable"]
    with pytest.raises(DumpRefusedError, match="may write into others"):
        await restore_into_function(PG)(recognise(dump), server, clean=True)


@pytest.mark.component("openssl")
async def test_an_encrypted_dump_is_decrypted_by_the_command_that_has_the_key(postgres, prove, tmp_path) -> None:
    await postgres.make("shop")
    dump = await postgres.dump("shop", tmp_path / "clear.dmp")
    (tmp_path / "key").write_text("correct horse")
    locked = tmp_path / "locked.dmp"
    with_key = f"openssl enc -aes-256-ctr -pbkdf2 -pass file:{tmp_path / 'key'}"
    await tool("sh", "-c", f"{with_key} -in {dump} -out {locked}")
    refused = await prove(locked, DatabaseEngine.POSTGRESQL)
    assert "encrypted with openssl enc" in problem(refused)
    point = await prove(locked, DatabaseEngine.POSTGRESQL, decrypt=f"{with_key} -d", tables=["customers"])
    assert point.proved, point.findings
    assert point.size == locked.stat().st_size
    failed = await prove(locked, DatabaseEngine.POSTGRESQL, decrypt="echo no such key >&2; exit 3")
    assert names(failed) == ["restore-not-possible"]
    assert "no such key" in problem(failed)
