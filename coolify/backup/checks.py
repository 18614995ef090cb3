"""Questions of the configuration to a restored database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta

from coolify.backup.engines.base import CannotAskError, Questions
from coolify.config.backups import Newest, Proof, Query
from coolify.finding import Finding, Severity
from coolify.wording import counted

__all__ = ["run_checks"]


async def run_checks(subject: str, proof: Proof, questions: Questions, made: datetime | None) -> tuple[Finding, ...]:
    """Ask everything that the configuration wants to know; return one finding a check.

    Args:
        subject: What is backed up, as findings name it.
        proof: The checks.
        questions: The restored database.
        made: When the dump was made: ages of rows count from there. Now, where nobody knows.
    """
    reference = made or datetime.now(UTC)
    return tuple([one async for one in _checked(subject, proof, questions, reference)])


async def _checked(subject: str, proof: Proof, questions: Questions, made: datetime) -> AsyncIterator[Finding]:
    for table in dict.fromkeys((*proof.tables, *proof.rows)):
        yield await _guarded(subject, f"rows of {table}", _count(subject, table, proof.rows.get(table), questions))
    for newest in proof.newest:
        what = f"newest {newest.table}.{newest.column}"
        yield await _guarded(subject, what, _newest(subject, newest, questions, made))
    for query in proof.sql:
        yield await _guarded(subject, query.sql[:60], _query(subject, query, questions))


async def _guarded(subject: str, what: str, check: Awaitable[Finding]) -> Finding:
    try:
        return await check
    except CannotAskError as error:
        return Finding(
            name="restore-check-impossible",
            severity=Severity.ERROR,
            subject=subject,
            summary=f"The check of {what} cannot be made: {error}",
            remedy="Correct the check in `backups.proofs`, or remove it where the engine cannot answer.",
        )


async def _count(subject: str, table: str, least: int | None, questions: Questions) -> Finding:
    count = await questions.count(table)
    if count is None:
        return _failed(subject, f"The table {table} is missing.", "expected: it exists")
    if least is not None and count < least:
        held = counted(count, "row")
        return _failed(subject, f"The table {table} holds {held}, at least {least} are expected.", held)
    seen = f"at least {least}" if least else "it exists"
    return _passed(subject, f"The table {table} holds {counted(count, 'row')}.", seen)


async def _newest(subject: str, check: Newest, questions: Questions, made: datetime) -> Finding:
    what = f"{check.table}.{check.column}"
    if await questions.count(check.table) is None:
        return _failed(subject, f"The table {check.table} is missing.", "expected: it exists")
    newest = await questions.newest(check.table, check.column)
    if newest is None:
        return _failed(subject, f"{what} holds no time at all.", f"expected: younger than {check.hours:g} hours")
    age = made - newest
    seen = f"newest: {newest:%Y-%m-%d %H:%M:%S} UTC, dump: {made:%Y-%m-%d %H:%M:%S} UTC"
    if age > timedelta(hours=check.hours):
        hours = age.total_seconds() / 3600
        return _failed(
            subject, f"The newest {what} was {hours:.0f} hours old in the dump, {check.hours:g} are allowed.", seen
        )
    return _passed(subject, f"The newest {what} is young enough.", seen)


async def _query(subject: str, query: Query, questions: Questions) -> Finding:
    value = await questions.value(query.sql)
    if value != query.expect:
        return _failed(subject, f"`{query.sql[:120]}` yields '{value[:80]}', expected '{query.expect}'.", "own SQL")
    return _passed(subject, f"`{query.sql[:120]}` yields '{query.expect}'.", "own SQL")


def _failed(subject: str, summary: str, seen: str) -> Finding:
    return Finding(
        name="restore-check-failed",
        severity=Severity.ERROR,
        subject=subject,
        summary=f"The restored {subject} is not what it must be: {summary}",
        evidence=(seen,),
        remedy="Look at an older restore point, and at what deleted the data; `backups.proofs` says what is expected.",
    )


def _passed(subject: str, summary: str, seen: str) -> Finding:
    return Finding(
        name="restore-check-passed", severity=Severity.OK, subject=subject, summary=summary, evidence=(seen,)
    )
