"""What became of a set: one line an application, for the terminal, for JSON, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from coolify.release.record import DecisionRecord
from coolify.release.report import ReleaseReport
from coolify.wording import counted

__all__ = ["MemberOutcome", "MemberReport", "SetOutcome", "SetReport", "judge_set", "render_set"]

SetKind = Literal["release", "rollback"]


class MemberOutcome(StrEnum):
    """How it ended for one application; beside the ends that a release alone has."""

    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"
    ROLLBACK_FAILED = "rollback_failed"
    ABORTED = "aborted"
    UNTOUCHED = "untouched"
    """Its turn did not come, or there was nothing to do for it."""


class SetOutcome(StrEnum):
    """How a run over a set ended. The Prefect state of the run carries the same name in CamelCase."""

    COMPLETED = "completed"
    """All is released, or all is rolled back that was to be."""
    INCOMPLETE = "incomplete"
    """Some is released, some is not."""
    ROLLED_BACK = "rolled_back"
    """Nothing is released any more: what was released is back at the version before."""
    ROLLBACK_FAILED = "rollback_failed"
    """An application is neither at the new version nor back at the old one."""
    ABORTED = "aborted"
    """Nothing was released."""

    @property
    def state_name(self) -> str:
        """Name of the Prefect state, e.g. `RolledBack`; automations match on it."""
        return "".join(word.capitalize() for word in self.value.split("_"))


class MemberReport(BaseModel):
    """What became of one application of the set."""

    model_config = ConfigDict(frozen=True)

    application: str = Field(description="What it is called in the set.")
    stage: int = Field(ge=1, description="Stage in which it was, or would have been, counted from 1.")
    canary: bool = False
    outcome: MemberOutcome
    reason: str = ""
    deployed: bool = False
    number: int | None = Field(default=None, description="Number of its release; None when nothing was changed.")
    serving: str | None = Field(default=None, description="Commit or tag that was proved to serve at the end.")
    url: str | None = None
    seconds: float = 0.0

    @classmethod
    def of(cls, report: ReleaseReport, application: str, stage: int, *, canary: bool) -> MemberReport:
        """Return the line of an application whose release or rollback has ended."""
        return cls(
            application=application,
            stage=stage,
            canary=canary,
            outcome=MemberOutcome(report.outcome.value),
            reason=report.reason,
            deployed=report.deployed,
            number=report.number,
            serving=report.serving,
            url=report.url,
            seconds=round(report.seconds, 1),
        )


class SetReport(BaseModel):
    """Outcome of a run over a set; holds no secret."""

    model_config = ConfigDict(frozen=True)

    kind: SetKind = "release"
    name: str = Field(description="Name of the set.")
    run: str = Field(description="What the releases of this run have in common, see `set_run` in the history.")
    outcome: SetOutcome
    reason: str = ""
    started_at: datetime
    finished_at: datetime
    applications: tuple[MemberReport, ...] = ()
    decisions: tuple[DecisionRecord, ...] = ()

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return (self.finished_at - self.started_at).total_seconds()


def judge_set(kind: SetKind, members: Iterable[MemberReport]) -> tuple[SetOutcome, str]:
    """Return how a run over a set ended, with a sentence about it; pure."""
    ended = tuple(members)
    outcomes = {one.outcome for one in ended}
    if MemberOutcome.ROLLBACK_FAILED in outcomes:
        outcome = SetOutcome.ROLLBACK_FAILED
    elif kind == "rollback":
        outcome = SetOutcome.INCOMPLETE if MemberOutcome.ABORTED in outcomes else SetOutcome.COMPLETED
    elif outcomes == {MemberOutcome.COMPLETED}:
        outcome = SetOutcome.COMPLETED
    elif MemberOutcome.COMPLETED in outcomes:
        outcome = SetOutcome.INCOMPLETE
    elif MemberOutcome.ROLLED_BACK in outcomes and MemberOutcome.ABORTED not in outcomes:
        outcome = SetOutcome.ROLLED_BACK
    else:
        outcome = SetOutcome.ABORTED
    return outcome, _sentence(ended)


def render_set(report: SetReport) -> str:
    """Return the report as GitHub-flavoured Markdown, at home in the Prefect UI and in a chat."""
    outcome = report.outcome.value.replace("_", " ")
    lines = [
        f"# {_SYMBOLS[report.outcome.value]} {report.kind.capitalize()} of the set {report.name}: {outcome}",
        "",
        report.reason,
        "",
        f"Started {report.started_at:%Y-%m-%d %H:%M:%S %Z}, took {report.seconds:.0f} s, run `{report.run}`.",
        "",
        "| | Application | Stage | Release | Serving | Seconds | |",
        "|---|---|---|---|---|---|---|",
        *(_row(one) for one in report.applications),
        "",
    ]
    if report.decisions:
        lines += ["| Question | Choice | By | Why |", "|---|---|---|---|"]
        lines += [
            f"| {_cell(one.question)} | **{one.choice}** | {one.by} | {_cell(one.reason)} |" for one in report.decisions
        ]
        lines.append("")
    return "\n".join(lines)


def _row(one: MemberReport) -> str:
    name = f"[{_cell(one.application)}]({one.url})" if one.url else _cell(one.application)
    cells = (
        _SYMBOLS[one.outcome.value],
        name,
        f"{one.stage}{' (canary)' if one.canary else ''}",
        str(one.number or ""),
        f"`{one.serving[:12]}`" if one.serving else "",
        f"{one.seconds:.1f}" if one.seconds else "",
        _cell(f"{one.outcome.value.replace('_', ' ')}{': ' if one.reason else ''}{one.reason}"),
    )
    return f"| {' | '.join(cells)} |"


def _sentence(members: Sequence[MemberReport]) -> str:
    counts = [(outcome, sum(one.outcome is outcome for one in members)) for outcome in MemberOutcome]
    told = ", ".join(f"{number} {outcome.value.replace('_', ' ')}" for outcome, number in counts if number)
    failed = next((one for one in members if one.outcome in _FAILED), None)
    why = f" {failed.application}: {failed.reason}" if failed and failed.reason else ""
    return f"{counted(len(members), 'application')}: {told}.{why}"


def _cell(text: str) -> str:
    """Keep a cell in its row: neither pipes nor line breaks may end it early."""
    return text.replace("|", "\\|").replace("\n", " ")


_FAILED: Final = (MemberOutcome.ROLLBACK_FAILED, MemberOutcome.ABORTED, MemberOutcome.ROLLED_BACK)
_SYMBOLS: Final = {
    "completed": "🟢",
    "incomplete": "🟡",
    "rolled_back": "🟠",
    "rollback_failed": "🔴",
    "aborted": "⚪",
    "untouched": "-",
}
