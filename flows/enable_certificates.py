"""Domains are served over HTTPS, in the configuration file, in Coolify and as visitors see it."""

from __future__ import annotations

from prefect import flow
from pydantic import BaseModel, ConfigDict, Field

from blocks import CoolifyServer
from coolify.api import Application
from coolify.locating import existing_application
from flows.deploy import deploy
from flows.verify_certificates import verify_certificates
from tasks.access import authenticate
from tasks.certificates import (
    check_certificates,
    restart_application,
    send_https_domains,
    switch_file_to_https,
    tell_lost_middlewares,
)
from tasks.locks import exclusive_release
from tasks.phases import phase, step_done
from tasks.security import compare_labels, write_labels
from tasks.session import Session, Target, open_session
from tasks.target import editable_file

__all__ = ["EnableRequest", "Enabled", "enable_certificates"]


class EnableRequest(BaseModel):
    """What to serve over HTTPS."""

    model_config = ConfigDict(frozen=True)

    target: Target = Field(default=Target(), title="Application")
    hosts: tuple[str, ...] = Field(
        default=(), title="Domains", description="Domains to switch; all of the environment when left empty."
    )


class Enabled(BaseModel):
    """What is served now."""

    model_config = ConfigDict(frozen=True)

    hosts: tuple[str, ...]
    changed: bool
    """Whether Coolify's list of domains was changed."""
    valid: bool
    summary: str


@flow(name="enable certificates", flow_run_name="enable certificates {request.target.label}")
async def enable_certificates(request: EnableRequest, server: CoolifyServer | None = None) -> Enabled:
    """Switch domains to HTTPS and wait for real certificates; running it again takes up what was begun.

    Args:
        request: What to switch.
        server: Connection to Coolify instead of the one in the configuration file.

    Raises:
        ApplicationMissingError: There is no such application yet.
        CertificateInvalidError: No certificate came, and the decision is not to accept that.
    """
    target = request.target
    editable_file(target)
    async with open_session(target, server) as session:
        # Before the file is changed: what is missing is told while nothing has happened.
        await authenticate(session.client)
        application = await existing_application(session.client, session.config)
    hosts = await switch_file_to_https(target, request.hosts)
    async with open_session(target, server) as session:
        config, client = session.config, session.client
        identity = (client.base_url, config.project.name, config.environment, config.application_name)
        async with exclusive_release(*identity):
            async with phase("switch to HTTPS") as handle:
                application = await client.applications.get(application.uuid)
                changed = await send_https_domains(client, application, config, hosts)
                # New domains came with new labels, without headers, limits and access (reference 3.5).
                labels = await compare_labels(client, application.uuid, session.security)
                if labels.is_change:
                    await write_labels(client, application.uuid, session.security, labels)
                if changed:
                    await tell_lost_middlewares(client, application)
                handle.done(", ".join(hosts))
            if changed or labels.is_change or any(one.is_problem for one in await check_certificates(session, hosts)):
                await _start_anew(session, application)
        # Waiting changes nothing, and may take long: a release need not wait for it.
        seen = await verify_certificates(target)
        return Enabled(hosts=hosts, changed=changed, valid=seen.valid, summary=seen.summary)


async def _start_anew(session: Session, application: Application) -> None:
    """Give the container its new routes: labels live on it (reference 3.4)."""
    if await session.client.deployments.last_finished(application.uuid) is None:
        step_done("the application has never run: it is deployed")
        await deploy(session.target, application.uuid)
        return
    async with phase("restart"):
        await restart_application(session, application)
