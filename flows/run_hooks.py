"""The commands that a configuration declares before and after a deployment."""

from __future__ import annotations

from typing import Literal

from prefect import flow

from blocks import CoolifyServer
from coolify.config.hooks import HookPlace
from coolify.release import Step
from coolify.wording import counted
from tasks.hooks import run_hook
from tasks.phases import phase, step_done
from tasks.session import Session, Target, open_session

__all__ = ["run_hooks"]


@flow(name="run hooks", flow_run_name="run hooks {moment} {target.label}")
async def run_hooks(
    target: Target,
    moment: Literal["before", "after"],
    application_uuid: str,
    commit: str = "",
    server: CoolifyServer | None = None,
) -> int:
    """Run the hooks of one moment in order and return how many ran; the first that fails ends it.

    Args:
        target: The application.
        moment: Before the deployment, or after the health gate.
        application_uuid: Its UUID in Coolify.
        commit: What is released, for the commands' environment; empty where it is not known.
        server: Connection to Coolify instead of the one in the configuration file.

    Raises:
        HookFailedError: One failed.
    """
    async with open_session(target, server) as session, phase(f"hooks {moment}") as handle:
        hooks = getattr(session.config.release, moment)
        facts = _facts(session, moment, application_uuid, commit)
        ran = 0
        for hook in hooks:
            if hook.where is HookPlace.CONTAINER and not await _has_container(session, application_uuid):
                step_done(f"not run, there is no container yet: {hook.title}")
                continue
            async with session.journal.step(Step.RUN_HOOK, f"{moment}: {hook.title}"):
                await run_hook(session, hook, application_uuid, facts)
            ran += 1
        handle.done(counted(ran, "command"))
        return ran


async def _has_container(session: Session, application_uuid: str) -> bool:
    return await session.client.deployments.last_finished(application_uuid) is not None


def _facts(session: Session, moment: str, application_uuid: str, commit: str) -> dict[str, str]:
    """Return what a command on this machine is told about the release, as environment variables."""
    config = session.config
    return {
        "COOLIFY_RELEASE_HOOK": moment,
        "COOLIFY_RELEASE_APPLICATION": config.application_name,
        "COOLIFY_RELEASE_APPLICATION_UUID": application_uuid,
        "COOLIFY_RELEASE_ENVIRONMENT": config.environment,
        "COOLIFY_RELEASE_COMMIT": commit,
        "COOLIFY_RELEASE_URL": config.domains[0].url if config.domains else "",
    }
