"""Certificates that should have been renewed are, or somebody hears of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from pydantic import BaseModel, ConfigDict, Field

from blocks import CoolifyServer
from coolify.api import Application
from coolify.errors import OperatorError
from coolify.locating import existing_application
from coolify.tls import (
    HostCertificates,
    HostRenewal,
    Renewal,
    Renewals,
    TlsPolicy,
    host_renewal,
    hosts_of,
    is_renewed,
    is_served,
    undue_renewal,
    why_due,
)
from tasks.certificates import find_hindrances, look_at_certificates, restart_application, restart_proxy
from tasks.locks import exclusive_release
from tasks.phases import phase, step_done
from tasks.renewals import publish_renewals
from tasks.session import Session, Target, open_session

__all__ = ["RenewRequest", "renew_certificates"]

_POLL_SECONDS: Final = 2.0
_POLICY: Final = TlsPolicy()
_LIVE: Final = frozenset({"running", "starting", "restarting", "degraded"})
"""States of an application that is meant to run (reference 4.5)."""


class RenewRequest(BaseModel):
    """Whose certificates to look at, and what may be done about them."""

    model_config = ConfigDict(frozen=True)

    targets: tuple[Target, ...] = Field(
        default=(Target(),), title="Applications", description="Applications to look at.", min_length=1
    )
    hosts: tuple[str, ...] = Field(
        default=(), title="Domains", description="Domains to look at; all with HTTPS when left empty."
    )
    force: bool = Field(
        default=False,
        title="Force",
        description="Trigger a renewal also where none is due, or where something seems to hinder the authority.",
    )
    restart_application: bool = Field(
        default=True,
        title="Restart applications",
        description="Start new containers of an application whose certificate is due, so that the proxy asks for one.",
    )
    restart_proxy: bool = Field(
        default=False,
        title="Restart proxies",
        description="Restart the proxy where that did not help (Coolify 4.3.0 and later): all applications of the "
        "server lose their connections for some seconds.",
    )
    wait_seconds: float = Field(
        default=90.0, title="Patience", description="Seconds that a new certificate may take.", ge=0, le=3600
    )


@dataclass(frozen=True)
class _Case:
    """A host that is due: what it served, and why that is not enough."""

    before: HostCertificates
    why: str

    def row(self, application: str, result: Renewal, reason: str, after: HostCertificates | None = None) -> HostRenewal:
        """Return how it ended; nothing was changed where it is not told what is served afterwards."""
        return host_renewal(self.before, after or self.before, application, result, reason, datetime.now(UTC))


@flow(name="renew certificates", flow_run_name="renew certificates")
async def renew_certificates(request: RenewRequest, server: CoolifyServer | None = None) -> State[Any]:
    """Judge certificates by share of lifetime and by the authority's word, trigger what is due, verify by handshake.

    A proxy renews by itself; this is for when it did not. One application that cannot be reached keeps nobody else's
    certificates from being renewed.

    Args:
        request: Whose certificates, and what is allowed.
        server: Connection to Coolify instead of the ones in the configuration files.

    Returns:
        A state named Completed, or CertificatesDue (failed, so that automations can alert), with the results.
    """
    rows: list[HostRenewal] = []
    for target in request.targets:
        try:
            async with open_session(target, server) as session:
                rows += await _renew(session, request)
        except OperatorError as error:
            rows.append(
                HostRenewal(subject=target.label, application=target.label, result=Renewal.FAILED, reason=str(error))
            )
    renewals = Renewals(hosts=tuple(rows))
    await publish_renewals(renewals)
    if renewals.open:
        return Failed(name="CertificatesDue", message=renewals.summary, data=renewals)
    return Completed(message=renewals.summary, data=renewals)


async def _renew(session: Session, request: RenewRequest) -> list[HostRenewal]:
    name = session.config.application_name
    async with phase(f"certificates of {name}") as handle:
        seen = await look_at_certificates(session, hosts_of(session.config, request.hosts), detailed=True)
        cases = _due(seen, force=request.force)
        now = datetime.now(UTC)
        rows = [undue_renewal(one, name, _POLICY, now) for one in seen if one.host not in cases]
        if cases:
            rows += await _trigger(session, request, cases)
        renewals = Renewals(hosts=tuple(rows))
        for row in rows:
            step_done(f"{row.subject}: {row.result}. {row.reason}", changed=row.result is Renewal.RENEWED)
        if renewals.open:
            handle.failed(renewals.summary)
        else:
            handle.done(renewals.summary)
        return rows


def _due(seen: tuple[HostCertificates, ...], *, force: bool) -> dict[str, _Case]:
    now = datetime.now(UTC)
    return {
        one.host: _Case(one, why or "Renewal was asked for.")
        for one in seen
        if (why := why_due(one, _POLICY, now)) or force
    }


async def _trigger(session: Session, request: RenewRequest, cases: dict[str, _Case]) -> list[HostRenewal]:
    """Renew what nothing speaks against; return a row for every case."""
    name = session.config.application_name
    if not (request.restart_application or request.restart_proxy):
        return [one.row(name, Renewal.DUE, one.why) for one in cases.values()]
    try:
        application = await existing_application(session.client, session.config)
        hindered = {} if request.force else await _hindered(session, application, cases)
    except OperatorError as error:
        return [one.row(name, Renewal.FAILED, str(error)) for one in cases.values()]
    rows = [cases[host].row(name, Renewal.DUE, f"{cases[host].why} {why}") for host, why in hindered.items()]
    free = {host: one for host, one in cases.items() if host not in hindered}
    return rows + (await _try_means(session, application, request, free) if free else [])


async def _try_means(
    session: Session, application: Application, request: RenewRequest, cases: dict[str, _Case]
) -> list[HostRenewal]:
    """Try one means after the other until every host serves another certificate."""
    config = session.config
    left, after, trouble = dict(cases), {host: one.before for host, one in cases.items()}, ""
    identity = (session.client.base_url, config.project.name, config.environment, config.application_name)
    try:
        async with exclusive_release(*identity):
            for means in _means(session, application, request):
                await means()
                after |= await _wait_for_renewal(session, left, request.wait_seconds)
                left = {host: one for host, one in left.items() if not _renewed(one, after[host])}
                if not left:
                    break
    except OperatorError as error:
        # What was renewed before stays renewed, and is told.
        trouble = str(error)
    rows = []
    for host, one in cases.items():
        renewed = host not in left
        result = Renewal.RENEWED if renewed else Renewal.FAILED if trouble else Renewal.UNCHANGED
        reason = one.why if renewed else trouble or f"{one.why} {_why_unchanged(one, request)}"
        rows.append(one.row(config.application_name, result, reason, after[host]))
    return rows


async def _hindered(session: Session, application: Application, cases: dict[str, _Case]) -> dict[str, str]:
    """Return host -> why nothing may be triggered for it.

    Each failed attempt of an authority counts towards its rate limits, and a restart starts what somebody has stopped.
    """
    state = application.parsed_status.state
    # The state may be a minute old (reference 4.5): what answers runs, whatever it says.
    if state not in _LIVE and not any(is_served(one.before) for one in cases.values()):
        why = f"Nothing was triggered: Coolify calls {application.name} {state}, and a restart would start it."
        return dict.fromkeys(cases, why)
    problems = [one for one in await find_hindrances(session, tuple(cases)) if one.is_problem]
    return {
        host: f"Nothing was triggered. {one.summary} {one.remedy}"
        for host in cases
        for one in reversed(problems)
        if one.subject == host or one.subject not in cases
    }


def _means(session: Session, application: Application, request: RenewRequest) -> list[Callable[[], Awaitable[None]]]:
    """Return what may be tried, the gentlest first."""
    means: list[Callable[[], Awaitable[None]]] = []
    if request.restart_application:
        means.append(lambda: restart_application(session, application))
    if request.restart_proxy and application.server_uuid:
        uuid = application.server_uuid
        means.append(lambda: restart_proxy(session.client, uuid))
    return means


async def _wait_for_renewal(session: Session, cases: dict[str, _Case], seconds: float) -> dict[str, HostCertificates]:
    """Look until all serve other certificates or time is up; return what was seen last."""
    deadline = time.monotonic() + seconds
    while True:
        seen = {one.host: one for one in await look_at_certificates(session, tuple(cases))}
        if all(_renewed(one, seen[host]) for host, one in cases.items()) or time.monotonic() >= deadline:
            return seen
        await asyncio.sleep(min(_POLL_SECONDS, max(deadline - time.monotonic(), 0.0)))


def _renewed(case: _Case, after: HostCertificates) -> bool:
    return is_renewed(case.before, after, _POLICY, datetime.now(UTC))


def _why_unchanged(case: _Case, request: RenewRequest) -> str:
    if why_due(case.before, _POLICY, datetime.now(UTC)) is None:
        return "The proxy keeps a certificate that is not due, and nothing outside of it can change that."
    if not request.restart_proxy:
        return "The restart did not bring another certificate; the proxy renews what is due when it is restarted."
    return "No other certificate came: check DNS and port 80, and read the proxy's log."
