"""Restore points as Markdown, for the artifact of a run."""

from __future__ import annotations

from collections.abc import Sequence

from coolify.backup.proof import RestorePoint
from coolify.finding import Finding

__all__ = ["render_restore_points"]


def render_restore_points(
    application: str, environment: str, points: Sequence[RestorePoint], findings: Sequence[Finding]
) -> str:
    """Return the report of one run.

    Args:
        application: Name of the application.
        environment: Its environment.
        points: What was proved now.
        findings: Everything else that was seen.
    """
    rows = [
        f"| {point.subject} | {_verdict(point)} | {_moment(point)} | {point.size} | {point.fetch_seconds:.1f} s "
        f"| {point.restore_seconds:.1f} s | {point.tables} | `{_cell(point.place)}` |"
        for point in points
    ]
    table = [
        "| database or volume | verdict | made (UTC) | bytes | fetched in | restored in | tables or files | dump |",
        "|---" * 8 + "|",
    ]
    seen = [*findings, *(finding for point in points for finding in point.findings)]
    lines = [f"- **{one.severity}** {one.subject}: {_cell(one.summary)}{_evidence(one)}" for one in seen]
    return "\n".join(
        [f"# Restore points of {application} ({environment})", "", *(table + rows if rows else []), "", *lines, ""]
    )


def _verdict(point: RestorePoint) -> str:
    if not point.proved:
        return "**not proved**"
    if point.engine is None:
        return "read to the end"
    return "restored" if point.whole else "structure only"


def _moment(point: RestorePoint) -> str:
    return f"{point.made:%Y-%m-%d %H:%M}" if point.made else "unknown"


def _evidence(finding: Finding) -> str:
    return f" ({_cell('; '.join(finding.evidence))})" if finding.evidence else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
