"""How a failed hook is told."""

from __future__ import annotations

from coolify.commands import CommandResult
from coolify.finding import Finding, Severity

__all__ = ["hook_failed"]


def hook_failed(title: str, where: str, result: CommandResult) -> Finding:
    """Tell of a hook that did not succeed.

    Args:
        title: The command in one line, without secrets.
        where: Where it ran.
        result: How it ended.
    """
    return Finding(
        name="release-hook-failed",
        severity=Severity.ERROR,
        subject=title,
        summary=f"The hook '{title}' ({where}) {result.problem}.",
        evidence=result.tail,
        remedy="Run the command by hand in the same place, mend it, and release again: hooks run again, too.",
    )
