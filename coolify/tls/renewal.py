"""When the authority wants a certificate to be renewed: ACME Renewal Information (RFC 9773)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from coolify.tls.certificate import Certificate
from coolify.trust import trusting

__all__ = ["RenewalWindow", "ask_renewal", "directory_of"]

_DIRECTORIES: Final = (
    ("(STAGING) Let's Encrypt", "https://acme-staging-v02.api.letsencrypt.org/directory"),
    ("Let's Encrypt", "https://acme-v02.api.letsencrypt.org/directory"),
    ("Google Trust Services", "https://dv.acme-v02.api.pki.goog/directory"),
)
"""Authorities that offer renewal information, by the beginning of the issuer's name."""
_TIMEOUT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class RenewalWindow:
    """When the authority suggests to renew; a window in the past means at once, as before a revocation."""

    start: datetime
    end: datetime
    explanation_url: str | None = None

    def is_open(self, now: datetime) -> bool:
        """Whether the time to renew has come."""
        return now >= self.start

    def is_over(self, now: datetime) -> bool:
        """Whether it should have been renewed by now; within the window that is still the proxy's own affair."""
        return now >= self.end


class _Window(BaseModel):
    model_config = ConfigDict(extra="ignore")

    start: AwareDatetime
    end: AwareDatetime


class _RenewalInfo(BaseModel):
    """Answer of the resource `renewalInfo` (RFC 9773 section 4.2)."""

    model_config = ConfigDict(extra="ignore")

    window: _Window = Field(alias="suggestedWindow")
    explanation_url: str | None = Field(default=None, alias="explanationURL")


class _Directory(BaseModel):
    model_config = ConfigDict(extra="ignore")

    renewal_info: str = Field(alias="renewalInfo")


def directory_of(issuer: str) -> str | None:
    """Return the ACME directory of a known authority, None for others."""
    return next((url for beginning, url in _DIRECTORIES if issuer.startswith(beginning)), None)


async def ask_renewal(
    certificate: Certificate, directory: str | None = None, *, ca_file: Path | None = None
) -> RenewalWindow | None:
    """Ask the authority when it wants a certificate to be renewed.

    Never fails: an authority that cannot be reached, offers nothing of the kind or answers nonsense has no say, and
    the share of the lifetime decides alone (RFC 9773 section 4.3.3).

    Args:
        certificate: What is to be renewed.
        directory: URL of the ACME directory; the known one of the issuer when left out.
        ca_file: CA certificates to trust besides the system's, for an authority of one's own.
    """
    url = directory or directory_of(certificate.issuer)
    if url is None or certificate.renewal_id is None:
        return None
    try:
        async with httpx.AsyncClient(
            verify=trusting(ca_file), timeout=_TIMEOUT_SECONDS, follow_redirects=False
        ) as client:
            resource = _Directory.model_validate(await _get(client, url)).renewal_info
            answer = await _get(client, f"{resource.rstrip('/')}/{certificate.renewal_id}")
        info = _RenewalInfo.model_validate(answer)
    except (httpx.HTTPError, httpx.InvalidURL, ValidationError, ValueError, OSError):
        return None
    if info.window.end <= info.window.start:
        # Section 4.2: to be treated as if there were none.
        return None
    return RenewalWindow(info.window.start, info.window.end, info.explanation_url)


async def _get(client: httpx.AsyncClient, url: str) -> object:
    response = await client.get(url, headers={"User-Agent": "coolify-flows", "Accept": "application/json"})
    return response.raise_for_status().json()
