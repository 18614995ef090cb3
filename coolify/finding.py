"""The one shape of every observation that a check makes.

DNS, TLS, health, build, backup and drift checks all yield `Finding`s, so that terminal, report, JSON and the
Prefect UI render them alike. `Finding.name` is an anchor in `docs/troubleshooting.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Finding", "Severity", "worst"]


class Severity(StrEnum):
    """How much a finding matters, from good news to a stop."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """Position in the order ok < info < warning < error."""
        return list(Severity).index(self)


class Finding(BaseModel):
    """One observation of one check about one subject."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="Stable name in kebab-case, the anchor in docs/troubleshooting.md.")
    severity: Severity
    subject: str = Field(description="What was looked at: a host name, an address, a URL, a variable's name.")
    summary: str = Field(description="One sentence a tired operator understands.")
    evidence: tuple[str, ...] = Field(default=(), description="What was seen, one fact an entry.")
    remedy: str = Field(default="", description="What to do; empty when there is nothing to do.")

    @property
    def is_problem(self) -> bool:
        """Whether the finding stops a release (severity error)."""
        return self.severity is Severity.ERROR


def worst(findings: Iterable[Finding]) -> Severity:
    """Return the highest severity among the findings, `Severity.OK` for none."""
    return max((finding.severity for finding in findings), key=lambda severity: severity.rank, default=Severity.OK)
