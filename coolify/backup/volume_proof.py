"""Proof of a volume's archive: read from its first byte to its last, and compared with what is expected of it."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from coolify.backup.archive import Contents, plain_path, read_archive
from coolify.backup.dumps import DumpRefusedError
from coolify.backup.objects import ObjectReader
from coolify.backup.proof import RestorePoint
from coolify.backup.truth import ObjectSeen
from coolify.config.backups import VolumeProof
from coolify.finding import Finding, Severity
from coolify.wording import counted

__all__ = ["file_reader", "prove_archive"]

_BUFFER = 1024 * 1024


def prove_archive(subject: str, reader: ObjectReader, made: datetime | None, proof: VolumeProof) -> RestorePoint:
    """Read an archive out of its bucket, to its end, and say what is in it. Blocks; nothing is written to the disk.

    Args:
        subject: Name of the volume.
        reader: The object, unread.
        made: When the archive was made.
        proof: What must be so in it.

    Raises:
        BucketError: The bucket does not give it, or not what was stored: that says nothing about the archive.
    """
    started = time.monotonic()
    contents, findings = Contents(), []
    sha256 = checksum = ""
    try:
        contents = read_archive(io.BufferedReader(reader, _BUFFER), proof.paths)
        sha256, checksum = reader.finish()
        findings += [_read(subject, reader.seen.key, contents, checksum), *_checks(subject, contents, proof, made)]
    except DumpRefusedError as error:
        findings.append(
            Finding(
                name="restore-failed",
                severity=Severity.ERROR,
                subject=subject,
                summary=str(error),
                evidence=(f"archive: {reader.seen.key}, {reader.seen.size} bytes",),
                remedy="Use an older archive; run a new backup, with `stop: true` where files change meanwhile.",
            )
        )
    return RestorePoint(
        subject=subject,
        engine=None,
        place=reader.seen.key,
        made=made,
        proved_at=datetime.now(UTC),
        size=reader.seen.size,
        sha256=sha256,
        proved=not any(one.is_problem for one in findings),
        whole=True,
        tables=contents.files,
        fetch_seconds=round(time.monotonic() - started, 3),
        findings=tuple(findings),
    )


def file_reader(path: Path) -> ObjectReader:
    """Return an archive on the disk as one of a bucket."""
    facts = path.stat()
    seen = ObjectSeen(str(path), facts.st_size, "", datetime.fromtimestamp(facts.st_mtime, UTC))

    def blocks() -> Iterator[bytes]:
        with path.open("rb") as file:
            while block := file.read(_BUFFER):
                yield block

    return ObjectReader(seen, blocks())


def _read(subject: str, key: str, contents: Contents, checksum: str) -> Finding:
    evidence = (
        f"archive: {key}",
        f"{counted(contents.files, 'file')}, {contents.directories} directories, {counted(contents.size, 'byte')}",
        checksum,
    )
    if contents.files == 0:
        return Finding(
            name="restore-empty",
            severity=Severity.ERROR,
            subject=subject,
            summary=f"The archive of {subject} is whole, but there is no file in it.",
            evidence=evidence,
            remedy="Is the right volume mounted where the application writes (`resources.volumes`)?",
        )
    return Finding(
        name="restore-proved",
        severity=Severity.OK,
        subject=subject,
        summary=f"The archive of {subject} is whole: {counted(contents.files, 'file')}, read to the last byte.",
        evidence=evidence,
    )


def _checks(subject: str, contents: Contents, proof: VolumeProof, made: datetime | None) -> list[Finding]:
    missing = [path for path in proof.paths if plain_path(path) not in contents.found]
    findings = [_failed(subject, f"{path} is missing.") for path in missing]
    if 0 < contents.files < proof.files:
        findings.append(
            _failed(subject, f"it holds {counted(contents.files, 'file')}, at least {proof.files} are expected.")
        )
    if proof.newest_hours is not None and contents.newest is not None:
        age = (made or datetime.now(UTC)) - contents.newest
        if age > timedelta(hours=proof.newest_hours):
            hours = age.total_seconds() / 3600
            findings.append(
                _failed(
                    subject,
                    f"the file that was changed last was {hours:.0f} hours old, {proof.newest_hours:g} are allowed.",
                )
            )
    return findings


def _failed(subject: str, why: str) -> Finding:
    return Finding(
        name="restore-check-failed",
        severity=Severity.ERROR,
        subject=subject,
        summary=f"The archive of {subject} is not what it must be: {why}",
        remedy="Look at an older archive, and at what deleted the files; `backups.volumes` says what is expected.",
    )
