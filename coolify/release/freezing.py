"""How a freeze is told."""

from __future__ import annotations

from coolify.config.freeze import Freeze
from coolify.finding import Finding, Severity

__all__ = ["frozen"]


def frozen(subject: str, freeze: Freeze, *, overridden: bool) -> Finding:
    """Tell that a release meets a freeze.

    Args:
        subject: Application.
        freeze: The window.
        overridden: Whether an operator releases all the same.
    """
    when = f"from {freeze.start or '0:00'} until {freeze.until or '0:00'}" + (
        f" on {', '.join(freeze.days)}" if freeze.days else ""
    )
    return Finding(
        name="release-frozen",
        severity=Severity.WARNING if overridden else Severity.ERROR,
        subject=subject,
        summary=f"{'Released in spite of a freeze' if overridden else 'Nothing is released now'}: {freeze.reason}.",
        evidence=(f"{when} ({freeze.timezone})",),
        remedy="" if overridden else "Wait until it is over, or release all the same with --override.",
    )
