"""Dumps on their way from the bucket: flat memory, broken connections, changed and missing objects."""

import asyncio
import json
import subprocess
import sys
import time

import pytest
from pydantic import SecretStr

from benchmarks.generated_object import GeneratedObject, serving
from coolify.backup.dumps import Dump, DumpFormat
from coolify.backup.engines.sql_text import feed_sql
from coolify.backup.objects import Bucket, BucketError
from coolify.backup.scratch import run_tool

MEGABYTE = 1024 * 1024
FETCH = """
import json, re, sys, time
from pathlib import Path
from pydantic import SecretStr
from coolify.backup.objects import Bucket
bucket = Bucket(sys.argv[1], "b", "eu", SecretStr("k"), SecretStr("s"))
fetched = bucket.fetch("dump", Path(sys.argv[2]), deadline=time.monotonic() + 300)
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
print(json.dumps({"size": fetched.size, "peak": peak}))
"""


def bucket_at(url: str) -> Bucket:
    return Bucket(url, "b", "eu", SecretStr("bucket-key"), SecretStr("bucket-secret"))


def soon() -> float:
    return time.monotonic() + 120


def test_a_large_dump_takes_no_more_memory_than_a_small_one(tmp_path) -> None:
    peaks = []
    for size in (MEGABYTE, 300 * MEGABYTE):
        with serving(GeneratedObject(size)) as url:
            command = [sys.executable, "-c", FETCH, url, str(tmp_path / "dump")]
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=110)
        result = json.loads(done.stdout)
        assert result["size"] == size == (tmp_path / "dump").stat().st_size
        peaks.append(result["peak"])
    assert peaks[1] - peaks[0] < 40 * MEGABYTE


def test_a_connection_that_breaks_is_taken_up_where_it_broke(tmp_path) -> None:
    wanted = GeneratedObject(10 * MEGABYTE, breaks_after=3 * MEGABYTE)
    with serving(wanted) as url:
        fetched = bucket_at(url).fetch("dump", tmp_path / "dump", deadline=soon())
    assert fetched.size == 10 * MEGABYTE
    assert wanted.requested[0] == "bytes=0-"
    assert len(wanted.requested) == 4
    assert (tmp_path / "dump").read_bytes() == bytes(range(256)) * (10 * 4096)


def test_a_connection_that_always_breaks_is_given_up(tmp_path) -> None:
    always = GeneratedObject(10 * MEGABYTE, breaks_after=MEGABYTE)
    with serving(always) as url, pytest.raises(BucketError, match="broke off 6 times"):
        bucket_at(url).fetch("dump", tmp_path / "dump", deadline=soon())


def test_a_dump_that_takes_too_long_or_finds_no_room_is_given_up(tmp_path) -> None:
    with serving(GeneratedObject(10 * MEGABYTE)) as url, pytest.raises(BucketError, match="was given up after 0 of"):
        bucket_at(url).fetch("dump", tmp_path / "dump", deadline=time.monotonic() - 1)
    with serving(GeneratedObject(2**60)) as url, pytest.raises(BucketError, match="set TMPDIR to a larger disk"):
        bucket_at(url).fetch("dump", tmp_path / "dump", deadline=soon())


def test_what_the_bucket_has_not_or_stored_differently_is_told(bucket, tmp_path) -> None:
    ours = Bucket(bucket.url, bucket.name, "eu-central-1", SecretStr("bucket-key"), SecretStr("bucket-secret"))
    with pytest.raises(BucketError, match="has no object dump"):
        ours.fetch("dump", tmp_path / "dump", deadline=soon())
    bucket.write("dump", b"content")
    assert "MD5" in ours.fetch("dump", tmp_path / "dump", deadline=soon()).checksum
    elsewhere = Bucket(bucket.url, "nowhere", "eu", SecretStr("bucket-key"), SecretStr("bucket-secret"))
    with pytest.raises(BucketError) as told:
        elsewhere.fetch("dump", tmp_path / "dump", deadline=soon())
    assert "bucket-secret" not in str(told.value)


async def test_sql_text_is_fed_block_by_block(tmp_path) -> None:
    import gzip

    packed = tmp_path / "dump.sql.gz"
    line = b"INSERT INTO t VALUES (1, '" + b"x" * 1000 + b"');\n"
    with gzip.open(packed, "wb", compresslevel=1) as file:
        for _ in range(100):
            file.write(line * 1000)
    dump = Dump(packed, DumpFormat.SQL, True, packed.stat().st_size)
    most = 0

    async def feed(writer: asyncio.StreamWriter) -> None:
        class Watched:
            def write(self, block: bytes) -> None:
                nonlocal most
                most = max(most, len(block) + writer.transport.get_write_buffer_size())
                writer.write(block)

            drain = staticmethod(writer.drain)

        await feed_sql(dump, Watched(), mysql=True)

    counted = await run_tool(["wc", "-c"], feed=feed)
    assert int(counted.output) == 100 * 1000 * len(line)
    assert most < 8 * MEGABYTE
