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
from coolify.tls import hosts_of
from flows.ask_operator import answered_in_prefect
from tasks.certificates import check_certificates, find_hindrances
from tasks.decision_points import take_decision
from tasks.phases import PhaseHandle, phase, step_done
from tasks.session import Session, Target, open_session

__all__ = ["CertificateInvalidError", "Certificates", "verify_certificates"]

_FIRST_POLL_SECONDS: Final = 1.0
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


@flow(name="verify certificates", flow_run_name="verify certificates {target.label}")
async def verify_certificates(target: Target, server: CoolifyServer | None = None) -> Certificates:
    """Check the certificates of all HTTPS domains by handshake; changes nothing.

    While one is not valid, what hinders the authority is looked for and told: DNS, port 80, the proxy. Once all are,
    what stands around them is looked at as well: protocols, redirect, clock, the authority's wish to renew.

    Args:
        target: The application.
        server: Connection to Coolify instead of the one in the configuration file.

    Raises:
        CertificateInvalidError: One is not valid, and the decision is not to accept that.
    """
    async with answered_in_prefect(), open_session(target, server) as session, phase("verify certificates") as handle:
        hosts = hosts_of(session.config)
        if not hosts:
            handle.skipped("no domain is served over HTTPS")
            return Certificates(valid=True, summary="no HTTPS domain")
        problems, causes = await _wait(session, hosts, _PATIENCE_SECONDS)
        if problems:
            return await _decide(session, hosts, problems, causes, handle)
        surroundings = await check_certificates(session, hosts, detailed=True)
        problems = [finding for finding in surroundings if finding.is_problem]
        if problems:
            return await _decide(session, hosts, problems, (), handle)
        handle.done("trusted on every address")
        return Certificates(valid=True, summary="trusted on every address")


async def _decide(
    session: Session,
    hosts: tuple[str, ...],
    problems: list[Finding],
    causes: tuple[Finding, ...],
    handle: PhaseHandle,
) -> Certificates:
    evidence = " ".join(finding.summary for finding in (*problems, *causes))
    choice = await take_decision(CERTIFICATE_INVALID, session, evidence)
    match choice.option.id:
        case "accept":
            summary = f"accepted for now: {evidence}"
            handle.failed(summary)
            return Certificates(valid=False, summary=summary)
        case "wait":
            problems, causes = await _wait(session, hosts, CERTIFICATE_INVALID.timeout_seconds)
            if not problems:
                handle.done("trusted after waiting")
                return Certificates(valid=True, summary="trusted after waiting")
        case _:
            pass
    reasons = [one for one in causes if one.is_problem]
    told = " ".join(dict.fromkeys(one.summary for one in (problems[0], *reasons)))
    raise CertificateInvalidError(f"{told} {(*reasons, problems[0])[0].remedy}")


async def _wait(session: Session, hosts: tuple[str, ...], seconds: float) -> tuple[list[Finding], tuple[Finding, ...]]:
    """Check until there are no problems or time is up; return the last problems and what may cause them."""
    deadline = time.monotonic() + seconds
    pause = _FIRST_POLL_SECONDS
    causes: tuple[Finding, ...] = ()
    while True:
        problems = [finding for finding in await check_certificates(session, hosts) if finding.is_problem]
        if not problems or time.monotonic() >= deadline:
            return problems, causes
        step_done(f"waiting for a certificate: {problems[0].summary}")
        if pause > _FIRST_POLL_SECONDS:
            # Not at once: most certificates are there within seconds.
            troubled = tuple(sorted({finding.subject for finding in problems}))
            known = frozenset(one.summary for one in causes)
            causes = await find_hindrances(session, troubled, known, suspect_limits=pause >= _POLL_SECONDS)
        await asyncio.sleep(min(pause, max(deadline - time.monotonic(), 0.0)))
        pause = min(pause * 2, _POLL_SECONDS)
