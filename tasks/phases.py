"""How phases and steps are told to the log, the observer and the Prefect UI."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from prefect.exceptions import MissingContextError
from prefect.logging import get_run_logger
from prefect.logging.loggers import LoggingAdapter

from coolify.finding import Finding, Severity
from coolify.progress import FindingsReported, LogLineRead, PhaseEnded, PhaseStarted, PhaseStatus, StepDone, report
from tasks.interruption import INTERRUPTIONS, interruption_alone

__all__ = ["PhaseHandle", "log_line", "phase", "report_findings", "step_done"]

_LEVELS = {
    Severity.OK: logging.INFO,
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.ERROR: logging.ERROR,
}


class PhaseHandle:
    """Lets a phase say in one sentence how it went."""

    def __init__(self) -> None:
        self.summary = ""
        self.status = PhaseStatus.DONE

    def done(self, summary: str) -> None:
        """Set the sentence that stands beside the finished phase."""
        self.summary = summary

    def skipped(self, reason: str) -> None:
        """Mark the phase as not taken, with the reason."""
        self.status, self.summary = PhaseStatus.SKIPPED, reason

    def failed(self, reason: str) -> None:
        """Mark the phase as failed although its flow goes on to a decision."""
        self.status, self.summary = PhaseStatus.FAILED, reason


@asynccontextmanager
async def phase(name: str) -> AsyncIterator[PhaseHandle]:
    """Report the beginning, the end, the outcome and the duration of a phase."""
    handle = PhaseHandle()
    started = time.monotonic()
    report(PhaseStarted(name))
    try:
        with interruption_alone():
            yield handle
    except BaseException as error:
        handle.failed("cancelled" if isinstance(error, INTERRUPTIONS) else str(error) or type(error).__name__)
        raise
    finally:
        seconds = time.monotonic() - started
        report(PhaseEnded(name, handle.status, handle.summary, seconds))
        _logger().info(
            "%s: %s (%.1f s)%s", name, handle.status, seconds, f" - {handle.summary}" if handle.summary else ""
        )


def step_done(text: str, *, changed: bool = False) -> None:
    """Say what is so now, and whether this run made it so."""
    report(StepDone(text, changed))
    _logger().info("%s%s", text, " (changed)" if changed else "")


def log_line(text: str, *, hidden: bool = False, source: str = "build") -> None:
    """Pass on one line that a build or a hook has printed.

    Args:
        text: The line.
        hidden: Whether it is only for whoever watches, and not kept: it holds a real command of a build.
        source: What printed it.
    """
    report(LogLineRead(text, hidden))
    if not hidden:
        _logger().info("%s | %s", source, text)


def report_findings(findings: Iterable[Finding]) -> None:
    """Pass on what a check saw; the log level follows the severity."""
    seen = tuple(findings)
    report(FindingsReported(seen))
    for finding in seen:
        _logger().log(
            _LEVELS[finding.severity],
            "%s: %s%s",
            finding.subject,
            finding.summary,
            f" {finding.remedy}" if finding.remedy else "",
        )


def _logger() -> logging.Logger | LoggingAdapter:
    """Return the run's logger, or the module's where a task function is called outside of a run."""
    try:
        return get_run_logger()
    except MissingContextError:
        return logging.getLogger("coolify_flows")
