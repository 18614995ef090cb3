"""Proof by restore: recognise a dump, restore it, ask it. The result says what was seen and how long it took."""

from __future__ import annotations

import asyncio
import hashlib
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from coolify.backup.checks import run_checks
from coolify.backup.decrypting import decrypted
from coolify.backup.dumps import DumpRefusedError, recognise
from coolify.backup.engines import Connection, NotProvableHereError, restore_function
from coolify.config.backups import Proof
from coolify.engines import DatabaseEngine
from coolify.errors import OperatorError
from coolify.finding import Finding, Severity
from coolify.wording import counted

__all__ = ["Origin", "RestorePoint", "digest", "prove"]

_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a dump on disk came from."""

    subject: str
    """What is backed up, as findings name it."""
    engine: DatabaseEngine
    place: str
    """Key in the bucket, or path of a file."""
    sha256: str
    execution: str | None = None
    """Coolify's identifier of the execution."""
    made: datetime | None = None
    fetch_seconds: float = 0.0
    checksum: str = ""


class RestorePoint(BaseModel):
    """A dump of which is known whether it restores."""

    model_config = ConfigDict(frozen=True)

    subject: str
    engine: DatabaseEngine | None = Field(description="What runs the database; none for the archive of a volume.")
    place: str = Field(description="Key in the bucket, or path of a file.")
    execution: str | None = None
    made: datetime | None = None
    proved_at: datetime
    size: int
    sha256: str
    proved: bool = Field(description="Whether it restores and every check passed.")
    whole: bool = Field(description="Whether an engine has loaded it; false where only the structure was read.")
    tables: int = Field(default=0, description="Tables; files of the archive of a volume.")
    fetch_seconds: float = 0.0
    restore_seconds: float = 0.0
    check_seconds: float = 0.0
    findings: tuple[Finding, ...] = ()

    @property
    def seconds(self) -> float:
        """Time from the bucket to an answering database: what a real restore takes at least."""
        return self.fetch_seconds + self.restore_seconds


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, read block by block."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def prove(path: Path, origin: Origin, proof: Proof, server: Connection | None = None) -> RestorePoint:
    """Restore a dump into a server that is thrown away afterwards, and ask it what the configuration wants to know.

    Args:
        path: The dump.
        origin: Where it came from.
        proof: What must be so, and how long it may take.
        server: Server to restore into instead of a scratch one.

    Returns:
        The restore point; `proved` is false for a dump that is bad, and for one that cannot be judged here.
    """
    subject = origin.subject
    findings: list[Finding] = []
    tables, whole = 0, False
    started = asked = time.monotonic()
    try:
        async with asyncio.timeout(proof.timeout), AsyncExitStack() as stack:
            clear = await stack.enter_async_context(decrypted(path, proof.decrypt))
            dump = await asyncio.to_thread(recognise, clear)
            async with restore_function(origin.engine)(dump, server, proof.timeout) as restored:
                asked = time.monotonic()
                tables, whole = len(restored.tables), restored.whole
                findings.append(_restored(origin, restored.tables, restored.facts, asked - started, whole=whole))
                findings += await run_checks(subject, proof, restored.questions, origin.made)
    except DumpRefusedError as error:
        findings = [_refused("restore-failed", origin, str(error), "Use an older restore point; run a new backup.")]
    except NotProvableHereError as error:
        findings = [_refused("restore-not-provable", origin, str(error), "")]
    except TimeoutError:
        text = f"The restore took longer than the {proof.timeout:.0f} s that were left for it."
        findings = [_refused("restore-too-slow", origin, text, "Raise `timeout` in `backups.proofs`.")]
    except OperatorError as error:
        findings = [_refused("restore-not-possible", origin, str(error), "")]
    ended = time.monotonic()
    proved = not any(one.is_problem for one in findings)
    return RestorePoint(
        subject=subject,
        engine=origin.engine,
        place=origin.place,
        execution=origin.execution,
        made=origin.made,
        proved_at=datetime.now(UTC),
        size=path.stat().st_size,
        sha256=origin.sha256,
        proved=proved,
        whole=whole,
        tables=tables,
        fetch_seconds=round(origin.fetch_seconds, 3),
        restore_seconds=round((asked if asked > started else ended) - started, 3),
        check_seconds=round(ended - asked, 3) if asked > started else 0.0,
        findings=tuple(findings),
    )


def _restored(
    origin: Origin, tables: tuple[str, ...], facts: tuple[str, ...], seconds: float, *, whole: bool
) -> Finding:
    evidence = (*facts, *_where(origin), f"SHA-256 {origin.sha256}", f"tables: {_few(tables)}")
    if not tables:
        return Finding(
            name="restore-empty",
            severity=Severity.ERROR,
            subject=origin.subject,
            summary=f"The dump of {origin.subject} restores, but there is nothing in it.",
            evidence=evidence,
            remedy="Is the right database named in `backups.schedules`? Was it empty when the backup ran?",
        )
    if not whole:
        return Finding(
            name="restore-structure-only",
            severity=Severity.WARNING,
            subject=origin.subject,
            summary=f"The dump of {origin.subject} is complete by its structure; nothing was restored, for there is no "
            f"{origin.engine.value} here.",
            evidence=evidence,
            remedy="Restore it by hand once in a while: `coolify backup restore-plan` prints the steps.",
        )
    return Finding(
        name="restore-proved",
        severity=Severity.OK,
        subject=origin.subject,
        summary=f"The dump of {origin.subject} restores: {counted(len(tables), 'table')} in {seconds:.1f} s.",
        evidence=evidence,
    )


def _refused(name: str, origin: Origin, why: str, remedy: str) -> Finding:
    return Finding(
        name=name,
        severity=Severity.ERROR,
        subject=origin.subject,
        summary=why,
        evidence=(*_where(origin), f"SHA-256 {origin.sha256}"),
        remedy=remedy,
    )


def _where(origin: Origin) -> tuple[str, ...]:
    facts = [f"dump: {origin.place}"]
    if origin.checksum:
        facts.append(f"fetched in {origin.fetch_seconds:.1f} s, {origin.checksum}")
    return tuple(facts)


def _few(tables: tuple[str, ...]) -> str:
    shown = ", ".join(tables[:_SHOWN])
    return f"{shown} and {len(tables) - _SHOWN} more" if len(tables) > _SHOWN else shown or "none"
