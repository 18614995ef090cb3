"""Progress and results on a terminal; plain lines where there is none, or where NO_COLOR is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from coolify.finding import Severity
from coolify.progress import (
    DecisionTaken,
    FindingsReported,
    LogLineRead,
    PhaseEnded,
    PhaseStarted,
    PhaseStatus,
    ProgressEvent,
    StepDone,
)
from coolify.release.record import Outcome

if TYPE_CHECKING:
    from rich.status import Status

    from coolify.release.report import ReleaseReport

__all__ = ["OUTCOME_STYLES", "SEVERITY_STYLES", "ProgressPrinter", "print_report"]

SEVERITY_STYLES = {
    Severity.OK: ("green", "✓"),
    Severity.INFO: ("blue", "i"),
    Severity.WARNING: ("yellow", "!"),
    Severity.ERROR: ("red", "✗"),
}
_PHASES = {
    PhaseStatus.DONE: ("green", "✓"),
    PhaseStatus.SKIPPED: ("dim", "-"),
    PhaseStatus.FAILED: ("red", "✗"),
}
OUTCOME_STYLES = {
    Outcome.COMPLETED: "bold green",
    Outcome.ROLLED_BACK: "bold yellow",
    Outcome.ROLLBACK_FAILED: "bold white on red",
    Outcome.ABORTED: "bold red",
}


class ProgressPrinter:
    """An observer that prints what happens while it happens.

    Args:
        console: Where to.
        verbose: Whether to print steps and build log, not only phases, problems and decisions.
        debug: Whether to print the hidden lines of the build log too.
    """

    def __init__(self, console: Console, *, verbose: bool = True, debug: bool = False) -> None:
        self.asks = True
        """Whether the operator is asked here; a question that nobody is asked is not printed, only what came of it."""
        self.failure = ""
        """Why a phase failed, where that is the last thing that was printed."""
        self._console = console
        self._debug = debug
        self._verbose = verbose
        self._status: Status | None = None

    def __call__(self, event: ProgressEvent) -> None:
        """Print one event."""
        self.failure = event.summary if isinstance(event, PhaseEnded) and event.status is PhaseStatus.FAILED else ""
        match event:
            case PhaseStarted(phase):
                self._show(phase)
            case PhaseEnded(phase, status, summary, seconds):
                self._hide()
                style, symbol = _PHASES[status]
                self._console.print(
                    f"[{style}]{symbol} {phase}[/] {escape(summary)} [dim]{seconds:.1f} s[/]", highlight=False
                )
            case StepDone(text, changed) if self._verbose:
                mark = "[cyan]~[/]" if changed else "[dim]·[/]"
                self._console.print(f"  {mark} {escape(text)}", highlight=False)
            case LogLineRead(text, hidden) if self._verbose and (self._debug or not hidden):
                self._console.print(f"  [dim]│ {escape(text)}[/]", highlight=False)
            case FindingsReported(findings):
                for finding in findings:
                    if finding.is_problem or finding.severity is Severity.WARNING or self._verbose:
                        style, symbol = SEVERITY_STYLES[finding.severity]
                        self._console.print(f"  [{style}]{symbol} {escape(finding.summary)}[/]", highlight=False)
                        if finding.is_problem and finding.remedy:
                            self._console.print(f"    [dim]{escape(finding.remedy)}[/]", highlight=False)
            case DecisionTaken(question, choice, by, reason) if not self.asks and by != "operator":
                # The first sentence of a question says what happened.
                happened = question.partition(". ")[0]
                line = f"  [magenta]→ {escape(happened)}: [bold]{escape(choice)}[/] ({escape(reason)})[/]"
                self._console.print(line, highlight=False)
            case DecisionTaken(question, choice, _, reason):
                self._console.print(f"  [magenta]? {escape(question)}[/]", highlight=False)
                self._console.print(f"  [magenta]→ [bold]{escape(choice)}[/] ({escape(reason)})[/]", highlight=False)
            case _:
                pass

    def wait_for(self, what: str) -> None:
        """Turn the spinner until the first phase begins."""
        self._show(f"waiting for {what}")

    def close(self) -> None:
        """Stop the spinner, if one turns."""
        self._hide()

    def _show(self, phase: str) -> None:
        self._hide()
        if self._console.is_terminal:
            self._status = self._console.status(f"{phase} …")
            self._status.start()

    def _hide(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def print_report(console: Console, report: ReleaseReport, *, told: str = "") -> None:
    """Print the outcome of a release or a rollback.

    Args:
        console: Where to.
        report: The outcome.
        told: What was printed just before; a reason that is the same is not repeated.
    """
    number = f" {report.number}" if report.number else ""
    outcome = report.outcome.value.replace("_", " ")
    table = Table(show_header=False, box=None, padding=(0, 1))
    facts = (
        ("Released", f"{(report.commit or '')[:12]} {report.commit_message or ''}".strip()),
        ("Serving", (report.serving or "")[:12]),
        ("Address", report.url or ""),
        ("Took", f"{report.seconds:.1f} s"),
    )
    for label, value in facts:
        if value:
            table.add_row(f"[dim]{label}[/]", escape(value))
    reason = "" if report.reason == told else report.reason
    console.print()
    console.print(
        f"[{OUTCOME_STYLES[report.outcome]}] {report.kind.capitalize()}{number} of {escape(report.application)}: "
        f"{outcome} [/] {escape(reason)}".rstrip(),
        highlight=False,
    )
    console.print(table)
