"""MariaDB, Redis, MongoDB and ClickHouse: what is proved of each, and what is refused."""

import asyncio
import gzip
import re
import struct
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from coolify.backup.dumps import DumpRefusedError, recognise
from coolify.backup.engines import Connection, restore_into_function
from coolify.engines import DatabaseEngine
from coolify.errors import OperatorError
from tests.integration.backup.conftest import SHOP, names, problem

MARIADB, MYSQL, REDIS = DatabaseEngine.MARIADB, DatabaseEngine.MYSQL, DatabaseEngine.REDIS
MONGODB, CLICKHOUSE = DatabaseEngine.MONGODB, DatabaseEngine.CLICKHOUSE


@pytest.mark.component("mariadbd")
async def test_a_dump_of_mariadb_is_restored_and_asked(mariadb, prove, tmp_path) -> None:
    await mariadb.make("shop")
    dump = await mariadb.dump(tmp_path / "shop.dmp", "shop")
    point = await prove(
        dump,
        MARIADB,
        made=datetime(2026, 1, 3, tzinfo=UTC),
        tables=["customers"],
        rows={"orders": 2},
        newest=[{"table": "orders", "column": "made", "hours": 24}],
        sql=[{"sql": "SELECT name FROM customers WHERE id = 2", "expect": "Grace"}],
    )
    assert point.proved, problem(point)
    assert point.tables == 2
    text = dump.read_bytes()
    for broken in (text[: len(text) // 2], text.replace(b"-- Dump completed", b"--"), text.replace(b"VALUES", b"VALU")):
        dump.write_bytes(broken)
        refused = await prove(dump, MARIADB)
        assert names(refused) == ["restore-failed"], problem(refused)


@pytest.mark.component("mariadbd")
async def test_a_dump_of_everything_in_mariadb_is_proved_without_its_users(mariadb, prove, tmp_path) -> None:
    await mariadb.make("shop", SHOP + "CREATE USER clerk IDENTIFIED BY 'x';")
    plain = await mariadb.dump(tmp_path / "all.sql", "--all-databases", "--single-transaction", "--quick")
    packed = tmp_path / "all.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    point = await prove(packed, MARIADB, rows={"customers": 3, "shop.orders": 2})
    assert point.proved, problem(point)
    packed.write_bytes(packed.read_bytes()[:-2000])
    assert "cut off" in problem(await prove(packed, MARIADB))


@pytest.mark.component("mariadbd")
async def test_a_dump_of_mysql_8_is_read_with_a_collation_that_mariadb_has(mariadb, prove, tmp_path) -> None:
    await mariadb.make("shop")
    dump = await mariadb.dump(tmp_path / "shop.dmp", "--default-character-set=utf8mb4", "shop")
    collated = "DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci"
    text, changed = re.subn(r"DEFAULT CHARSET=\w+( COLLATE=\w+)?", collated, dump.read_text())
    assert changed == 2
    dump.write_text(text.replace("'Ada'", "'utf8mb4_0900_ai_ci'"))
    kept = {"sql": "SELECT name FROM customers WHERE id = 1", "expect": "utf8mb4_0900_ai_ci"}
    point = await prove(dump, MYSQL, sql=[kept])
    assert point.proved, problem(point)


@pytest.mark.component("mariadbd")
async def test_a_dump_of_mariadb_is_restored_into_an_empty_database_only(mariadb, tmp_path) -> None:
    await mariadb.make("shop")
    dump = recognise(await mariadb.dump(tmp_path / "shop.dmp", "shop"))
    await mariadb.make("target", "")
    restore_into = restore_into_function(MARIADB)
    target = Connection("mysql", str(mariadb.server.socket), None, "root", "", "target")
    restored = await restore_into(dump, target, clean=False)
    assert await restored.questions.count("customers") == 3
    with pytest.raises(OperatorError, match="holds tables"):
        await restore_into(dump, target, clean=False)
    assert len((await restore_into(dump, target, clean=True)).tables) == 2
    everything = recognise(await mariadb.dump(tmp_path / "all.sql", "--databases", "shop"))
    with pytest.raises(DumpRefusedError, match="would write into others"):
        await restore_into(everything, target, clean=True)


@pytest.mark.component("redis-server")
@pytest.mark.parametrize("engine", [REDIS, DatabaseEngine.KEYDB])
async def test_a_dump_of_redis_is_loaded_and_asked(rdb, prove, engine) -> None:
    point = await prove(rdb, engine, tables=["session:7"], rows={"*": 201, "queue": 3})
    assert point.proved, problem(point)
    short = await prove(rdb, engine, tables=["missing"], rows={"queue": 4}, sql=[{"sql": "SELECT 1"}])
    assert "missing is missing" in problem(short)
    assert "3 rows, at least 4" in problem(short)
    assert "answers no SQL" in problem(short)


@pytest.mark.component("redis-server")
async def test_a_damaged_dump_of_redis_is_refused(rdb, prove) -> None:
    whole = rdb.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0xFF
    for broken in (whole[:-20], whole[: len(whole) // 2], bytes(flipped)):
        rdb.write_bytes(broken)
        point = await prove(rdb, REDIS)
        assert names(point) == ["restore-failed"], problem(point)


@pytest.mark.component("redis-server")
async def test_an_empty_dump_of_redis_is_no_backup(tmp_path, prove) -> None:
    # Header and end of file, checksum switched off (0), as the format allows.
    (tmp_path / "empty.rdb").write_bytes(b"REDIS0009\xff" + bytes(8))
    assert names(await prove(tmp_path / "empty.rdb", REDIS)) == ["restore-empty"]


def bson(**fields: object) -> bytes:
    body = b""
    for name, value in fields.items():
        key = name.encode() + b"\0"
        if isinstance(value, bool):
            body += b"\x08" + key + bytes([value])
        elif isinstance(value, int):
            body += b"\x12" + key + struct.pack("<q", value)
        else:
            text = str(value).encode() + b"\0"
            body += b"\x02" + key + struct.pack("<i", len(text)) + text
    return struct.pack("<i", len(body) + 5) + body + b"\0"


END = b"\xff\xff\xff\xff"


def mongo_archive(*, documents: int = 5, close: bool = True) -> bytes:
    """The smallest archive that `mongodump --archive` could have written: there is no mongodump to ask for one."""
    head = b"\x6d\xe2\x99\x81" + bson(
        concurrent_collections=4, version="0.1", server_version="7.0.5", tool_version="100"
    )
    prelude = bson(db="shop", collection="orders", metadata="{}", size=0, type="collection") + END
    segment = (
        bson(db="shop", collection="orders", EOF=False, CRC=0) + b"".join(bson(_id=n) for n in range(documents)) + END
    )
    end = bson(db="shop", collection="orders", EOF=True, CRC=1) + END
    return head + prelude + segment + (end if close else b"")


async def test_an_archive_of_mongodb_is_read_to_its_end_and_called_structure_only(prove, tmp_path) -> None:
    dump = tmp_path / "mongo.tar.gz"
    dump.write_bytes(gzip.compress(mongo_archive()))
    point = await prove(dump, MONGODB, rows={"orders": 5})
    assert point.proved, problem(point)
    assert not point.whole
    assert names(point)[0] == "restore-structure-only"
    assert "4 rows" not in problem(point)
    assert "at least 6" in problem(await prove(dump, MONGODB, rows={"shop.orders": 6}))
    whole = mongo_archive()
    for broken, words in (
        (mongo_archive(close=False), "nothing closes shop.orders"),
        (whole[:-20], "cut off"),
        (whole[:200], "cut off"),
        (whole.replace(bson(_id=2), b"\xf0\xff\xff\x7f" + bson(_id=2)[4:]), "damaged"),
    ):
        dump.write_bytes(gzip.compress(broken))
        refused = await prove(dump, MONGODB)
        assert names(refused) == ["restore-failed"]
        assert words in problem(refused)


def clickhouse_archive(path: Path, *, size: int = 4, manifest: bool = True) -> Path:
    """The smallest backup that ClickHouse could have written: there is none to ask for one."""
    listed = "".join(
        f"<file><name>{name}</name><size>{length}</size><checksum>0</checksum></file>"
        for name, length in (("metadata/default/orders.sql", 12), ("data/default/orders/all_1_1_0/data.bin", size))
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata/default/orders.sql", "CREATE TABLE")
        archive.writestr("data/default/orders/all_1_1_0/data.bin", b"1234")
        if manifest:
            archive.writestr(".backup", f"<config><version>1</version><contents>{listed}</contents></config>")
    return path


async def test_an_archive_of_clickhouse_is_compared_with_its_list(prove, tmp_path) -> None:
    good = clickhouse_archive(tmp_path / "good.zip")
    point = await prove(good, CLICKHOUSE, tables=["orders"])
    assert names(point) == ["restore-structure-only", "restore-check-impossible"]
    assert (await prove(good, CLICKHOUSE)).proved
    assert "missing or has another size" in problem(
        await prove(clickhouse_archive(tmp_path / "a.zip", size=5), CLICKHOUSE)
    )
    assert "no list" in problem(await prove(clickhouse_archive(tmp_path / "b.zip", manifest=False), CLICKHOUSE))
    damaged = bytearray(good.read_bytes())
    damaged[damaged.index(b"1234")] ^= 0xFF
    good.write_bytes(bytes(damaged))
    assert "does not fit its checksum" in problem(await prove(good, CLICKHOUSE))


async def test_a_server_dies_with_the_process_that_started_it(rdb) -> None:
    code = (
        "import asyncio, os, sys; from pathlib import Path\n"
        "from coolify.backup.dumps import recognise\n"
        "from coolify.backup.engines.redis import ScratchRedis\n"
        "async def main():\n"
        f"    async with ScratchRedis(60, recognise(Path({str(rdb)!r}))) as server:\n"
        "        print(server.pid, server.directory, flush=True); await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=subprocess.PIPE)
    pid, directory = (await process.stdout.readline()).decode().split()
    assert Path(directory).exists()
    process.kill()
    await process.wait()
    async with asyncio.timeout(20):
        while Path(directory).exists() or Path(f"/proc/{pid}").exists():
            await asyncio.sleep(0.05)
