"""The report of a release: what an operator would forward the next morning."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from coolify.finding import Finding, Severity
from coolify.progress import DecisionTaken, FindingsReported, PhaseEnded, ProgressEvent, StepDone
from coolify.release.record import DecisionRecord, Outcome, ReleaseKind, ReleaseRecord

__all__ = ["PhaseReport", "ReleaseReport", "Timeline", "decision_record", "render_markdown", "report_of"]

_SYMBOLS: Final = {Severity.OK: "🟢", Severity.INFO: "🔵", Severity.WARNING: "🟡", Severity.ERROR: "🔴"}
_OUTCOME_SYMBOLS: Final = {
    Outcome.COMPLETED: "🟢",
    Outcome.ROLLED_BACK: "🟠",
    Outcome.ROLLBACK_FAILED: "🔴",
    Outcome.ABORTED: "⚪",
}


class PhaseReport(BaseModel):
    """How long a phase took and how it ended."""

    model_config = ConfigDict(frozen=True)

    phase: str
    status: str
    summary: str
    seconds: float


class ReleaseReport(BaseModel):
    """Outcome of one release or rollback with its evidence; holds no secret."""

    model_config = ConfigDict(frozen=True)

    kind: ReleaseKind = "release"
    number: int | None = Field(default=None, description="Release number; None when nothing was to be done.")
    application: str
    environment: str
    outcome: Outcome
    deployed: bool = Field(description="Whether a deployment was started.")
    reason: str = ""
    commit: str | None = Field(default=None, description="What was to be released.")
    commit_message: str | None = None
    serving: str | None = Field(default=None, description="What was proved to serve at the end.")
    url: str | None = None
    deployment_uuid: str | None = None
    deployment_url: str | None = Field(default=None, description="Page of the deployment in Coolify.")
    run_url: str | None = Field(default=None, description="Page of the run in Prefect.")
    before: str | None = Field(default=None, description="What was serving before.")
    by: str = Field(default="", description="Who began it, as they said.")
    why: str = Field(default="", description="Why, as they said.")
    started_at: datetime
    finished_at: datetime
    phases: tuple[PhaseReport, ...] = ()
    decisions: tuple[DecisionRecord, ...] = ()
    changes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return (self.finished_at - self.started_at).total_seconds()


def decision_record(taken: DecisionTaken) -> DecisionRecord:
    """Return what is kept of a decision."""
    return DecisionRecord(
        decision=taken.decision,
        question=taken.question,
        choice=taken.choice,
        by=taken.by,
        reason=taken.reason,
        evidence=taken.evidence,
    )


class Timeline:
    """Collects the progress events of a release for its report."""

    def __init__(self) -> None:
        self._phases: list[PhaseReport] = []
        self._decisions: list[DecisionRecord] = []
        self._changes: list[str] = []
        self._findings: list[Finding] = []

    def __call__(self, event: ProgressEvent) -> None:
        """Take note of one event."""
        match event:
            case PhaseEnded(phase, status, summary, seconds):
                self._phases.append(PhaseReport(phase=phase, status=status, summary=summary, seconds=seconds))
            case DecisionTaken():
                self._decisions.append(decision_record(event))
            case StepDone(text, changed) if changed:
                self._changes.append(text)
            case FindingsReported(findings):
                self._findings.extend(findings)
            case _:
                pass

    @property
    def phases(self) -> tuple[PhaseReport, ...]:
        """The ended phases, in order."""
        return tuple(self._phases)

    @property
    def decisions(self) -> tuple[DecisionRecord, ...]:
        """The decisions taken, in order."""
        return tuple(self._decisions)

    @property
    def changes(self) -> tuple[str, ...]:
        """What was changed on the server, in order."""
        return tuple(self._changes)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the checks saw, in order."""
        return tuple(self._findings)


def report_of(record: ReleaseRecord) -> ReleaseReport:
    """Return what a record still tells of a release whose own report is not kept any more."""
    before = record.before.commit or record.before.image_tag if record.before else None
    return ReleaseReport(
        kind=record.kind,
        number=record.number,
        application=record.application_name,
        environment=record.environment,
        outcome=record.outcome or Outcome.ABORTED,
        deployed=record.deployment_uuid is not None,
        reason=record.reason if record.outcome else "It has not ended, or its process died.",
        commit=record.commit,
        commit_message=record.commit_message,
        serving=record.serving,
        url=record.url,
        deployment_uuid=record.deployment_uuid,
        deployment_url=record.deployment_url,
        before=before,
        by=record.by,
        why=record.why,
        started_at=record.started_at,
        finished_at=record.finished_at or (record.journal[-1].at if record.journal else record.started_at),
        decisions=record.decisions,
        changes=tuple(
            f"{entry.at:%H:%M:%S} {entry.step}: {entry.status}{f' ({entry.detail})' if entry.detail else ''}"
            for entry in record.journal
        ),
    )


def headline(report: ReleaseReport) -> str:
    """Return the outcome in one line, as in `🟢 Release 7 of shop (production): completed`."""
    number = f" {report.number}" if report.number else ""
    subject = f"{report.kind.capitalize()}{number} of {report.application} ({report.environment})"
    return f"{_OUTCOME_SYMBOLS[report.outcome]} {subject}: {report.outcome.value.replace('_', ' ')}"


def render_markdown(report: ReleaseReport) -> str:
    """Return the report as GitHub-flavoured Markdown, at home in the Prefect UI and in a chat."""
    lines = [
        f"# {headline(report)}",
        "",
        *([report.reason, ""] if report.reason else []),
        "| | |",
        "|---|---|",
        *(f"| {label} | {_cell(value)} |" for label, value in _facts(report) if value),
        "",
    ]
    if report.changes:
        lines += ["## Changed", "", *(f"- {change}" for change in report.changes), ""]
    if report.decisions:
        lines += [
            "## Decisions",
            "",
            *_table(("Question", "Evidence", "Choice", "By", "Why"), _decision_rows(report)),
            "",
        ]
    if report.findings:
        lines += ["## Evidence", "", *_table(("", "Subject", "Seen", "What to do"), _finding_rows(report.findings)), ""]
    lines += ["## Timeline", "", *_table(("Phase", "Result", "Seconds", ""), _phase_rows(report)), ""]
    return "\n".join(lines)


def _facts(report: ReleaseReport) -> list[tuple[str, str | None]]:
    message = f" {report.commit_message}" if report.commit_message else ""
    return [
        ("Released", f"`{report.commit[:12]}`{message}" if report.commit else None),
        ("Serving before", f"`{report.before[:12]}`" if report.before else None),
        ("Serving now", f"`{report.serving[:12]}`" if report.serving else None),
        ("Address", report.url),
        ("By", report.by),
        ("Why", report.why),
        ("Deployment", _link(report.deployment_uuid, report.deployment_url)),
        ("Run", f"[in Prefect]({report.run_url})" if report.run_url else None),
        ("Started", report.started_at.strftime("%Y-%m-%d %H:%M:%S %Z")),
        ("Took", f"{report.seconds:.1f} s"),
    ]


def _link(name: str | None, url: str | None) -> str | None:
    return f"[`{name}`]({url})" if name and url else f"`{name}`" if name else None


def _decision_rows(report: ReleaseReport) -> Iterable[tuple[str, ...]]:
    return ((one.question, one.evidence, f"**{one.choice}**", one.by, one.reason) for one in report.decisions)


def _finding_rows(findings: Iterable[Finding]) -> Iterable[tuple[str, ...]]:
    ordered = sorted(findings, key=lambda finding: -finding.severity.rank)
    return ((_SYMBOLS[one.severity], f"`{one.subject}`", one.summary, one.remedy) for one in ordered)


def _phase_rows(report: ReleaseReport) -> Iterable[tuple[str, ...]]:
    return ((phase.phase, phase.status, f"{phase.seconds:.1f}", phase.summary) for phase in report.phases)


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [
        f"| {' | '.join(header)} |",
        f"|{'---|' * len(header)}",
        *(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows),
    ]


def _cell(text: str | None) -> str:
    """Keep a cell in its row: neither pipes nor line breaks may end it early."""
    return (text or "").replace("|", "\\|").replace("\n", " ")
