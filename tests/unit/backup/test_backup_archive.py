"""Archives of volumes, made by tar as Coolify makes them, and every way in which they are none."""

import gzip
import io
import random
import subprocess
import tarfile

import pytest

from coolify.backup.archive import read_archive
from coolify.backup.dumps import DumpRefusedError


@pytest.fixture
def volume(tmp_path):
    folder = tmp_path / "volume"
    (folder / "pictures").mkdir(parents=True)
    (folder / "empty").mkdir()
    for number in range(40):
        (folder / "pictures" / f"{number}.bin").write_bytes(random.Random(number).randbytes(3000))
    (folder / ("a-long-name-" * 15)).write_text("long")
    (folder / "link").symlink_to("/etc/passwd")
    return folder


@pytest.fixture
def packed(volume):
    return subprocess.run(["tar", "-czf", "-", "-C", volume, "."], capture_output=True, check=True).stdout


def read(content: bytes, *wanted: str):
    return read_archive(io.BufferedReader(io.BytesIO(content)), wanted)


def test_everything_in_an_archive_is_counted(packed) -> None:
    contents = read(packed, "pictures/7.bin", "/empty/", "missing")
    assert (contents.files, contents.directories, contents.size) == (42, 3, 40 * 3000 + 4)
    assert contents.found == {"pictures/7.bin", "empty"}
    assert contents.newest is not None


def test_an_archive_is_refused_wherever_it_was_cut(packed) -> None:
    for length in [*range(1, len(packed), 997), len(packed) - 1, len(packed) - 8]:
        with pytest.raises(DumpRefusedError):
            read(packed[:length])


def test_an_archive_that_was_cut_before_it_was_packed_is_refused_too(packed) -> None:
    plain = gzip.decompress(packed)
    end = len(plain.rstrip(b"\0"))
    for length in range(512, end, 5 * 512):
        with pytest.raises(DumpRefusedError, match=r"breaks off|no archive"):
            read(gzip.compress(plain[:length], 1))


def test_a_byte_that_changed_is_seen(packed) -> None:
    for position in range(200, len(packed), len(packed) // 30):
        damaged = bytearray(packed)
        damaged[position] ^= 0x55
        with pytest.raises(DumpRefusedError, match=r"damaged|cut off|no archive"):
            read(bytes(damaged))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no byte"),
        (gzip.compress(b"", mtime=0), "compressed file of nothing"),
        (b"PGDMP" + bytes(100), "begins like PostgreSQL custom format"),
        (gzip.compress(b"-- MariaDB dump\n" * 100, mtime=0), "what is packed in it begins like SQL text"),
        (gzip.compress(random.Random(1).randbytes(5000), mtime=0), "begins like no tar archive"),
        (b"age-encryption.org/v1\n", "encrypted with age"),
    ],
)
def test_what_is_no_archive_is_refused_with_the_reason(content, reason) -> None:
    with pytest.raises(DumpRefusedError, match=reason):
        read(content)


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside", "./a/../../outside"])
def test_an_archive_of_something_else_is_refused(name) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo(name))
    with pytest.raises(DumpRefusedError, match="lies outside of it"):
        read(made.getvalue())


def test_an_empty_volume_is_an_archive_without_files(tmp_path) -> None:
    (tmp_path / "nothing").mkdir()
    command = ["tar", "-czf", "-", "-C", tmp_path / "nothing", "."]
    contents = read(subprocess.run(command, capture_output=True, check=True).stdout)
    assert (contents.files, contents.directories) == (0, 1)
