"""Add a domain to an application, or take one away: DNS records, configuration file and Coolify together."""

from __future__ import annotations

from collections.abc import Callable

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from blocks import CoolifyServer
from coolify.api import Application
from coolify.config import NewDomain, add_domain, remove_domain
from coolify.decisions import DOMAIN_NOT_POINTING
from coolify.dns import ServerAddresses, check_hosts
from coolify.dns_providers import RecordPlan, RecordsRefusedError, is_within
from coolify.errors import OperatorError
from coolify.finding import Finding
from coolify.locating import find_application, find_server, names_of
from coolify.plan import SettingsPlan, plan_with_domains, plan_without_host
from flows.ask_operator import answered_in_prefect
from tasks.configuration import update_settings
from tasks.dns_records import RecordPlans, plan_record_removal, plan_records, write_records
from tasks.domain_settling import choose_way, take_way, wait_for_domains
from tasks.locks import exclusive_release
from tasks.phases import phase, report_findings, step_done
from tasks.security import compare_labels, write_labels
from tasks.session import Session, Target, open_session
from tasks.target import editable_file

__all__ = ["AddDomainRequest", "DomainChanged", "RemoveDomainRequest", "add_domain_flow", "remove_domain_flow"]


class DomainsIgnoredError(OperatorError):
    """Coolify answered that it took the domains, and did not."""


class AddDomainRequest(BaseModel):
    """Which domain to add."""

    model_config = ConfigDict(frozen=True)

    target: Target = Field(default=Target(), title="Application", description="The application that it is of.")
    host: str = Field(title="Host", description="Host name, as in app.example.com.", min_length=1, max_length=253)
    ssl: bool = Field(default=True, title="HTTPS", description="Whether it is served over HTTPS with a certificate.")
    path: str = Field(default="/", title="Path", description="Path below which the application is served.")
    service: str | None = Field(
        default=None, title="Service", description="Service of the compose file that is served."
    )
    name: str = Field(default="", title="Entry", description="Name of the entry in the file; chosen when empty.")
    adopt: bool = Field(
        default=False, title="Adopt records", description="Take over DNS records of the host that are not ours."
    )
    wait: bool = Field(default=True, title="Wait", description="Wait until all name servers lead to the server.")
    plan: SkipJsonSchema[RecordPlan | None] = Field(default=None)
    """What the command has shown to be written to the zone; made anew when empty, as for a run without it."""


class RemoveDomainRequest(BaseModel):
    """Which domain to take away."""

    model_config = ConfigDict(frozen=True)

    target: Target = Field(default=Target(), title="Application", description="The application that it is of.")
    host: str = Field(title="Host", description="Host name, as in app.example.com.", min_length=1, max_length=253)
    plan: SkipJsonSchema[RecordPlan | None] = Field(default=None)
    """What the command has shown to be deleted from the zone; made anew when empty, as for a run without it."""


class DomainChanged(BaseModel):
    """What was done."""

    model_config = ConfigDict(frozen=True)

    host: str
    in_file: bool = Field(description="Whether the configuration file was changed.")
    in_coolify: bool = Field(description="Whether Coolify was changed.")
    records: tuple[RecordPlan, ...] = Field(default=(), description="What was done to DNS records.")
    by_hand: bool = Field(default=False, description="Whether DNS records are left to the operator.")


@flow(name="add domain", flow_run_name="add domain {request.host}")
async def add_domain_flow(request: AddDomainRequest, server: CoolifyServer | None = None) -> DomainChanged:
    """Lead a domain to the server, enter it in the configuration file, and let Coolify know.

    Running it again is the recovery from anything: what is there already is left as it is.

    Args:
        request: Which domain.
        server: Connection to Coolify instead of the one in the configuration file.
    """
    async with (
        answered_in_prefect(),
        open_session(request.target, server) as session,
        phase("add domain") as handle,
    ):
        editable_file(request.target)
        config = session.config
        new = NewDomain(request.host, request.ssl, request.path, request.service, request.name)
        edit = add_domain(config.path, request.target.environment, new)
        addresses = await _server_addresses(session)
        hosts = (request.host,)

        async def look() -> tuple[Finding, ...]:
            (status,) = await check_hosts(edit.config, hosts, addresses, session.resolver, ports=False)
            report_findings(status.findings)
            return tuple(finding for finding in status.findings if finding.is_problem)

        prepared = (
            RecordPlans((request.plan,), " ".join(request.plan.refusals))
            if request.plan
            else await plan_records(session, hosts, addresses, adopt=request.adopt)
        )
        if prepared.obstacle and _is_ours_to_write(session, request.host):
            raise RecordsRefusedError(prepared.obstacle)
        way = await choose_way(session, hosts, addresses, look, prepared)
        await take_way(session, way)
        edit.save()
        for one in edit.edits:
            step_done(f"{edit.path}: {one.path} written", changed=True)
        session.config = edit.config
        added = tuple(domain for domain in edit.config.domains if domain.host == request.host)
        in_coolify = await _update_coolify(session, lambda application: plan_with_domains(application, added))
        if request.wait:
            await wait_for_domains(session, way)
        handle.done(f"{request.host} leads to the application")
        written = way.plans if way.option == "automate" else ()
        return DomainChanged(
            host=request.host,
            in_file=bool(edit.edits),
            in_coolify=in_coolify,
            records=written,
            by_hand=way.option == "guide",
        )


@flow(name="remove domain", flow_run_name="remove domain {request.host}")
async def remove_domain_flow(request: RemoveDomainRequest, server: CoolifyServer | None = None) -> DomainChanged:
    """Take a domain out of the configuration file and out of Coolify, and delete its DNS records that are ours.

    In this order, so that a release in between does not bring the records back.

    Args:
        request: Which domain.
        server: Connection to Coolify instead of the one in the configuration file.
    """
    async with open_session(request.target, server) as session, phase("remove domain") as handle:
        editable_file(request.target)
        edit = remove_domain(session.config.path, request.target.environment, request.host)
        section = session.config.dns.records
        plans: tuple[RecordPlan, ...] = ()
        if section is not None and is_within(request.host, [section.zone]):
            addresses = await _server_addresses(session)
            plans = (request.plan or await plan_record_removal(session, section, request.host, addresses),)
        edit.save()
        for one in edit.edits:
            step_done(f"{edit.path}: {one.path} removed", changed=True)
        session.config = edit.config
        in_coolify = await _update_coolify(session, lambda application: plan_without_host(application, request.host))
        if section is not None and plans:
            await write_records(session, section, plans)
        else:
            step_done(f"the DNS records of {request.host} are not ours: remove them where its zone is kept")
        handle.done(f"{request.host} is removed")
        return DomainChanged(
            host=request.host, in_file=bool(edit.edits), in_coolify=in_coolify, records=plans, by_hand=not plans
        )


async def _server_addresses(session: Session) -> ServerAddresses:
    server = await find_server(session.client, session.config.application.server)
    return await session.resolver.server_addresses(*names_of(server, session.client.base_url))


def _is_ours_to_write(session: Session, host: str) -> bool:
    """Return whether the configuration says that we write the records, so that a refusal is an error."""
    section = session.config.dns.records
    return (
        section is not None
        and is_within(host, [section.zone])
        and session.config.policy(DOMAIN_NOT_POINTING) in {"auto", "automate"}
    )


async def _update_coolify(session: Session, compare: Callable[[Application], SettingsPlan]) -> bool:
    """Change the domains of the application as a comparison says; return whether that changed anything."""
    config, client = session.config, session.client
    async with exclusive_release(client.base_url, config.project.name, config.environment, config.application_name):
        application = await find_application(client, config)
        if application is None:
            step_done(f"{config.application_name} is not in Coolify yet: its first release sets the domains")
            return False
        plan = compare(application)
        if not plan.is_empty:
            await update_settings(client, application.uuid, plan)
            if not compare(await client.applications.get(application.uuid)).is_empty:
                raise DomainsIgnoredError(
                    f"Coolify did not take the domains of {config.application_name}, without saying why: it does so "
                    "where the server has no proxy. Look at Servers, Proxy."
                )
        # A change of domains generates all labels anew, without those of the section `security` (reference 3.5); asked
        # for also when nothing changed: a run before this may have died in between.
        labels = await compare_labels(client, application.uuid, session.security)
        if labels.is_change:
            await write_labels(client, application.uuid, session.security, labels)
        return not plan.is_empty
