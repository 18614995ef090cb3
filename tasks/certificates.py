"""Certificates: look at them, find out what hinders them, and trigger what makes a proxy ask for them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from coolify.api import (
    Application,
    ApplicationSettings,
    CoolifyClient,
    CoolifyError,
    DeploymentStatus,
    Feature,
    Server,
)
from coolify.api.settings import ComposeDomain
from coolify.config import Config, ConfigDocument, edit_config, load_config
from coolify.dns import check_domain
from coolify.errors import OperatorError
from coolify.finding import Finding, Severity
from coolify.locating import names_of
from coolify.plan import desired_compose_domains, domain_urls, https_edits, lost_middlewares, plan_settings, with_https
from coolify.tls import (
    HostCertificates,
    TlsPolicy,
    ask_port_80,
    hosts_of,
    inspect_hosts,
    judge_host,
    judge_port_80,
    judge_proxy,
    rate_limit_hint,
)
from tasks.following import follow_deployment, limits_of
from tasks.phases import report_findings, step_done
from tasks.session import Session, Target
from tasks.steps import step
from tasks.target import editable_file

__all__ = [
    "DomainsIgnoredError",
    "RestartFailedError",
    "check_certificates",
    "find_hindrances",
    "look_at_certificates",
    "restart_application",
    "restart_proxy",
    "send_https_domains",
    "switch_file_to_https",
    "tell_lost_middlewares",
]


class DomainsIgnoredError(OperatorError):
    """Coolify took the domains and did nothing with them (trap 26)."""


class RestartFailedError(OperatorError):
    """The application could not be restarted; the old container keeps serving where it could be kept."""


@step("look at certificates")
async def look_at_certificates(
    session: Session, hosts: tuple[str, ...], *, detailed: bool = False
) -> tuple[HostCertificates, ...]:
    """Shake hands with every host at every address; nothing is judged or reported."""
    return await inspect_hosts(session.config, session.resolver, hosts, detailed=detailed)


@step("check certificates")
async def check_certificates(
    session: Session, hosts: tuple[str, ...], *, detailed: bool = False
) -> tuple[Finding, ...]:
    """Shake hands with every host at every address, and tell what that shows.

    Args:
        session: The application.
        hosts: Domains with HTTPS.
        detailed: Whether to look at protocols, redirect, HSTS, clock and renewal as well. Hints are left out: in a
            proof only what should be mended counts. What is good is not told once more.
    """
    now = datetime.now(UTC)
    seen = await inspect_hosts(session.config, session.resolver, hosts, detailed=detailed)
    judged = [finding for one in seen for finding in judge_host(one, TlsPolicy(), now)]
    findings = tuple(one for one in judged if one.severity is not Severity.INFO)
    report_findings(one for one in findings if not detailed or one.severity is not Severity.OK)
    return findings


@step("find hindrances")
async def find_hindrances(
    session: Session, hosts: tuple[str, ...], known: frozenset[str] = frozenset(), *, suspect_limits: bool = False
) -> tuple[Finding, ...]:
    """Look for what keeps an authority from issuing: DNS, port 80, the proxy; tell what is not known yet.

    Args:
        session: The application.
        hosts: Hosts without a good certificate.
        known: Summaries that were told before.
        suspect_limits: Whether to hint at rate limits where there is nothing else: after a while of waiting.
    """
    found, proxy = await asyncio.gather(
        asyncio.gather(*(_hindrances_of(session, host) for host in hosts)), _proxy_state(session)
    )
    findings = tuple(one for findings in found for one in findings) + proxy
    if suspect_limits and not any(one.is_problem for one in findings):
        findings += tuple(rate_limit_hint(host) for host in hosts)
    report_findings(one for one in findings if one.summary not in known)
    return findings


@step("switch file to https")
async def switch_file_to_https(target: Target, hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Set `ssl: true` for domains in the configuration file, comments kept, and return the hosts.

    Args:
        target: The application.
        hosts: Domains; all of the environment when there are none.

    Raises:
        UnknownHostError: One is no domain of the application.
        ConfigError: The file is missing, wrong or cannot be written.
    """
    path = editable_file(target)
    config = load_config(path, environment=target.environment or None)
    chosen = hosts_of(config, hosts, only_secure=False)
    edits = https_edits(config, ConfigDocument.open(path), chosen)
    edit_config(path, edits, environment=target.environment or None)
    for host in chosen:
        changed = any(one.host == host and not one.ssl for one in config.domains)
        step_done(f"{host} is served over HTTPS according to {path}", changed=changed)
    return chosen


@step("send https domains")
async def send_https_domains(
    client: CoolifyClient, application: Application, config: Config, hosts: tuple[str, ...]
) -> bool:
    """Switch URLs of an application to HTTPS in Coolify; return whether anything changed.

    The whole list is sent, because that alone makes Coolify write new routes (reference 3.4); they take effect when
    the container is started anew.

    Raises:
        DomainsIgnoredError: Coolify did not take them: the server has no proxy.
    """
    if (services := desired_compose_domains(config)) is not None:
        # The services of a compose file have domains of their own, and Coolify refuses the others (reference 2.1).
        return await _send_services(client, application, services)
    wanted = with_https(application.fqdn, [one for one in config.domains if one.host in hosts])
    if set(domain_urls(wanted)) == set(domain_urls(application.fqdn)):
        step_done(f"domains in Coolify: {wanted}")
        return False
    await client.applications.update(application.uuid, ApplicationSettings(domains=wanted))
    after = await client.applications.get(application.uuid)
    if set(domain_urls(wanted)) != set(domain_urls(after.fqdn)):
        raise DomainsIgnoredError(
            f"Coolify accepted the domains {wanted} of {application.name} and kept {after.fqdn or 'none'}: it ignores "
            "them on a server without proxy; choose one under Servers, Proxy, then run this again."
        )
    step_done(f"domains in Coolify: {wanted}", changed=True)
    return True


@step("tell lost middlewares")
async def tell_lost_middlewares(client: CoolifyClient, before: Application) -> None:
    """Tell what somebody has added to the labels by hand, and Coolify has left out when it wrote them anew."""
    after = await client.applications.get(before.uuid)
    if before.labels_known and (lost := lost_middlewares(before.custom_labels, after.custom_labels)):
        step_done(f"Coolify wrote new labels without the middlewares {', '.join(lost)}: apply them again", changed=True)


@step("restart application")
async def restart_application(session: Session, application: Application) -> None:
    """Start new containers from the same image, and wait until Coolify calls that finished.

    Raises:
        RestartFailedError: It did not.
        DeploymentStuckError: It did not end in time.
    """
    triggered = await session.client.deployments.restart(application.uuid)
    step_done(f"restart {triggered.deployment_uuid} queued", changed=True)
    ended = await follow_deployment(
        session.client, triggered.deployment_uuid, limits_of(session.config.release), application.name
    )
    if ended.status is not DeploymentStatus.FINISHED:
        raise RestartFailedError(
            f"The restart {ended.deployment_uuid} of {application.name} ended as {ended.status.value}: its log in "
            "Coolify tells why."
        )


@step("restart proxy")
async def restart_proxy(client: CoolifyClient, server_uuid: str) -> None:
    """Start a server's proxy anew; every application on the server loses its connections.

    Raises:
        UnsupportedVersionError: Coolify is older than 4.3.0.
    """
    await client.server_administration.restart_proxy(server_uuid)
    step_done("restart of the proxy queued", changed=True)


async def _send_services(client: CoolifyClient, application: Application, services: tuple[ComposeDomain, ...]) -> bool:
    plan = plan_settings(application, ApplicationSettings(docker_compose_domains=services))
    if not plan.is_empty:
        await client.applications.update(application.uuid, plan.update)
    told = ", ".join(f"{one.name} {one.domain}" for one in services)
    step_done(f"domains in Coolify: {told}", changed=not plan.is_empty)
    return not plan.is_empty


async def _hindrances_of(session: Session, host: str) -> tuple[Finding, ...]:
    addresses = await session.resolver.addresses(host)
    port_80 = judge_port_80(host, await ask_port_80(host, addresses.all, session.config.network.http_port))
    server = await _server(session)
    if server is None:
        return port_80
    named = await session.resolver.server_addresses(*names_of(server, session.client.base_url))
    domain = await check_domain(host, named, session.resolver)
    # What a wrong address explains comes after it.
    return (*(one for one in domain if one.severity is not Severity.OK), *port_80)


async def _proxy_state(session: Session) -> tuple[Finding, ...]:
    """Ask Coolify about the proxy; it knows from 4.3.0 on, and a wrong state is believed only where nothing answers."""
    try:
        server = await _server(session)
        if server is None or not (await session.client.capabilities()).supports(Feature.SERVER_ADMINISTRATION):
            return ()
        proxy = await session.client.servers.proxy(server.uuid)
    except CoolifyError:
        return ()
    seen = await inspect_hosts(session.config, session.resolver, hosts_of(session.config))
    answers = any(shown.certificate or shown.has_no_certificate for one in seen for shown in one.handshakes)
    return judge_proxy(server.name, proxy.proxy_type, None if answers else proxy.status)


async def _server(session: Session) -> Server | None:
    """Return the server of the application, None where Coolify cannot be asked or several fit."""
    wanted = session.config.application.server
    try:
        servers = await session.client.servers.list()
    except CoolifyError:
        return None
    fitting = [one for one in servers if wanted is None or wanted in {one.name, one.uuid}]
    return fitting[0] if len(fitting) == 1 else None
