"""What came of a renewal, host by host; pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from coolify.tls.check import HostCertificates
from coolify.tls.due import why_hopeless
from coolify.tls.verdict import TlsPolicy
from coolify.wording import counted

__all__ = ["HostRenewal", "Renewal", "Renewals", "host_renewal", "undue_renewal"]


class Renewal(StrEnum):
    """How a renewal ended."""

    FINE = "fine"
    """Nothing was due."""
    RENEWED = "renewed"
    """Every address serves another certificate, and a good one."""
    DUE = "due"
    """It is due, and nothing was allowed or possible to trigger it."""
    UNCHANGED = "unchanged"
    """It was triggered, and the serial number is still the same, or the new certificate is not good."""
    BROKEN = "broken"
    """Something else is wrong, which no new certificate mends."""
    FAILED = "failed"
    """It could not be looked at or triggered."""

    @property
    def is_good(self) -> bool:
        """Whether nobody has to do anything."""
        return self in {Renewal.FINE, Renewal.RENEWED}


class HostRenewal(BaseModel):
    """One host, or an application that could not be worked on."""

    model_config = ConfigDict(frozen=True)

    subject: str
    """Host name; the configuration file where the application was not reached."""
    application: str
    result: Renewal
    reason: str
    """One sentence."""
    days_left: int | None = None
    """Of the certificate that ends first, after the renewal."""
    serial_before: str | None = None
    serial_after: str | None = None


class Renewals(BaseModel):
    """All of a run."""

    model_config = ConfigDict(frozen=True)

    hosts: tuple[HostRenewal, ...]

    @property
    def open(self) -> tuple[HostRenewal, ...]:
        """Those that somebody has to look at."""
        return tuple(one for one in self.hosts if not one.result.is_good)

    @property
    def summary(self) -> str:
        """One sentence."""
        if not self.hosts:
            return "No domain is served over HTTPS."
        counts = {result: sum(one.result is result for one in self.hosts) for result in Renewal}
        told = ", ".join(f"{number} {result}" for result, number in counts.items() if number)
        first = f" {self.open[0].reason}" if self.open else ""
        return f"{counted(len(self.hosts), 'certificate')}: {told}.{first}"


def host_renewal(
    before: HostCertificates, after: HostCertificates, application: str, result: Renewal, reason: str, now: datetime
) -> HostRenewal:
    """Return the row of a host."""
    ends = [one.certificate.not_after for one in after.handshakes if one.certificate]
    return HostRenewal(
        subject=before.host,
        application=application,
        result=result,
        reason=reason,
        days_left=(min(ends) - now).days if ends else None,
        serial_before=", ".join(sorted(set(before.serials.values()))) or None,
        serial_after=", ".join(sorted(set(after.serials.values()))) or None,
    )


def undue_renewal(seen: HostCertificates, application: str, policy: TlsPolicy, now: datetime) -> HostRenewal:
    """Return the row of a host that no renewal is due for: all is well, or something else is wrong."""
    wrong = why_hopeless(seen, policy, now)
    return host_renewal(seen, seen, application, Renewal.BROKEN if wrong else Renewal.FINE, wrong or "Not due.", now)
