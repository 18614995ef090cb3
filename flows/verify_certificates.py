"""Certificates are what the handshake shows."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from prefect import flow
from pydantic import BaseModel, ConfigDict

from blocks import CoolifyServer
from coolify.decisions import CERTIFICATE_INVALID
from coolify.errors import OperatorError
from coolify.finding import Finding
from tasks.checks import check_certificates
from tasks.decision_points import take_decision
from tasks.phases import phase, step_done
from tasks.session import Session, Target, open_session

__all__ = ["CertificateInvalidError", "Certificates", "verify_certificates"]

_POLL_SECONDS: Final = 10.0
_PATIENCE_SECONDS: Final = 60.0
"""A proxy asks for a certificate only once the container runs; this long is normal and no reason for a decision."""


class CertificateInvalidError(OperatorError):
    """A domain has no valid certificate."""


class Certificates(BaseModel):
    """What was seen."""

    model_config = ConfigDict(frozen=True)

    valid: bool
    summary: str


@flow(name="verify certificates", flow_run_name="verify certificates {target.config}")
async def verify_certificates(target: Target, server: CoolifyServer | None = None) -> Certificates:
    """Check the certificates of all HTTPS domains by handshake; changes nothing.

    Args:
        target: The application.
        server: Connection to Coolify instead of the one in the configuration file.

    Raises:
        CertificateInvalidError: One is not valid, and the decision is not to accept that.
    """
    async with open_session(target, server) as session, phase("verify certificates") as handle:
        if not any(domain.ssl for domain in session.config.domains):
            handle.skipped("no domain is served over HTTPS")
            return Certificates(valid=True, summary="no HTTPS domain")
        problems = await _wait(session, _PATIENCE_SECONDS)
        if not problems:
            handle.done("trusted on every address")
            return Certificates(valid=True, summary="trusted on every address")
        return await _decide(session, problems)


async def _decide(session: Session, problems: list[Finding]) -> Certificates:
    evidence = " ".join(finding.summary for finding in problems)
    choice = await take_decision(CERTIFICATE_INVALID, session.config, evidence)
    match choice.option.id:
        case "accept":
            return Certificates(valid=False, summary=f"accepted for now: {evidence}")
        case "wait":
            problems = await _wait(session, CERTIFICATE_INVALID.timeout_seconds)
            if not problems:
                return Certificates(valid=True, summary="trusted after waiting")
        case _:
            pass
    raise CertificateInvalidError(f"{problems[0].summary} {problems[0].remedy}")


async def _wait(session: Session, seconds: float) -> list[Finding]:
    """Check until there are no problems or time is up; return the last problems."""
    deadline = time.monotonic() + seconds
    while True:
        problems = [finding for finding in await check_certificates(session) if finding.is_problem]
        if not problems or time.monotonic() >= deadline:
            return problems
        step_done(f"waiting for a certificate: {problems[0].summary}")
        await asyncio.sleep(_POLL_SECONDS)
