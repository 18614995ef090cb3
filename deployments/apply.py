"""`apply`: bring a Prefect server to what this version declares; running it again changes nothing.

In this order: the work pool, the types of blocks, deployments, and automations last, because they start deployments.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from copy import deepcopy
from html import unescape
from typing import Any, Final
from uuid import UUID

from prefect.blocks.core import Block
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.events import DeploymentTriggerTypes
from prefect.events.schemas.automations import Automation
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker
from pydantic import BaseModel, ConfigDict

import blocks
from coolify.plan import Action
from deployments.automating import automation_of, find_alerts_block, plan_automation, read_automations
from deployments.automations import ALERTS, ALERTS_BLOCK, HEARTBEAT_SECONDS, REPAIRS
from deployments.declared import DeclaredDeployment, read_declarations
from deployments.deploying import plan_deployment, read_deployment
from deployments.steps import Step, create, unchanged, update

__all__ = ["Applied", "apply"]

_HEARTBEAT: Final = "PREFECT_FLOWS_HEARTBEAT_FREQUENCY"
_NO_ALERTS: Final = (
    f"Nobody is told when something fails: save a notification block (Slack, mail, webhook, ...) named "
    f"'{ALERTS_BLOCK}' on the page Blocks, and apply again."
)


class Applied(BaseModel):
    """What was done, or would be."""

    model_config = ConfigDict(frozen=True)

    prefect: str
    """Address of the Prefect server."""
    actions: tuple[Action, ...]
    notes: tuple[str, ...] = ()
    """What is missing that only an operator can give."""

    @property
    def changes(self) -> tuple[Action, ...]:
        """What differed."""
        return tuple(action for action in self.actions if action.kind.is_change)


async def apply(*, dry_run: bool = False, tell: Callable[[Action], None] = lambda _: None) -> Applied:
    """Register everything that this version declares on the Prefect server of the settings.

    Args:
        dry_run: Whether only to look.
        tell: Called with each action before it is done.
    """
    actions: list[Action] = []
    async with get_client() as client:
        alerts = await find_alerts_block(client)
        async for step in _steps(client, alerts_block=alerts.id if alerts else None):
            tell(step.action)
            if step.do and not dry_run:
                await step.do(client)
            actions.append(step.action)
        return Applied(
            prefect=str(client.api_url).rstrip("/").removesuffix("/api"),
            actions=tuple(actions),
            notes=() if alerts else (_NO_ALERTS,),
        )


async def _steps(client: PrefectClient, alerts_block: UUID | None) -> AsyncIterator[Step]:
    declared = read_declarations()
    for pool in dict.fromkeys(one.work_pool.name for one in declared):
        yield await _plan_work_pool(client, pool)
    for block in _block_types():
        yield await _plan_block_type(client, block)
    for one in declared:
        yield plan_deployment(one, await read_deployment(client, one))
    existing = await read_automations(client)
    for one in declared:
        for trigger in one.triggers:
            yield await _plan_trigger(client, one, trigger, existing)
    for repair in REPAIRS:
        yield plan_automation(repair.automation(), existing)
    if alerts_block is not None:
        for alert in ALERTS:
            yield plan_automation(alert.automation(alerts_block), existing)


async def _plan_work_pool(client: PrefectClient, name: str) -> Step:
    """A pool that is there stays as it is, of whatever type it is, but for the heartbeats of a pool of processes.

    A worker that was started before anything was registered makes the pool itself, and knows nothing of them.
    """
    try:
        pool = await client.read_work_pool(name)
    except ObjectNotFound:
        template = _with_heartbeats(ProcessWorker.get_default_base_job_template())
        new = WorkPoolCreate(name=name, type="process", base_job_template=template)
        return create("work pool", name, lambda to: to.create_work_pool(new))
    if pool.type == "process" and pool.base_job_template != (template := _with_heartbeats(pool.base_job_template)):
        changed = WorkPoolUpdate(base_job_template=template)
        return update("work pool", name, "heartbeats", lambda to: to.update_work_pool(name, changed))
    return unchanged("work pool", name)


def _with_heartbeats(template: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template of jobs in which every run says that it lives, as often as it says already or as we want."""
    # A worker that meets a pool without a template takes its own.
    changed = deepcopy(dict(template or ProcessWorker.get_default_base_job_template()))
    env = changed.get("variables", {}).get("properties", {}).get("env")
    # A template that passes on no environment is somebody's own.
    if env is not None:
        env["default"] = {_HEARTBEAT: str(HEARTBEAT_SECONDS), **(env.get("default") or {})}
    return changed


def _block_types() -> tuple[type[Block], ...]:
    return tuple(
        one for name in blocks.__all__ if isinstance(one := getattr(blocks, name), type) and issubclass(one, Block)
    )


async def _plan_block_type(client: PrefectClient, block: type[Block]) -> Step:
    name = block.get_block_type_name()

    async def register(to: PrefectClient) -> None:
        await block.aregister_type_and_schema(client=to)

    try:
        there = await client.read_block_type_by_slug(block.get_block_type_slug())
    except ObjectNotFound:
        return create("block type", name, register)
    try:
        await client.read_block_schema_by_checksum(block._calculate_schema_checksum())  # noqa: SLF001 - no other way
    except ObjectNotFound:
        return update("block type", name, "fields", register)
    # Prefect writes them escaped.
    told = tuple(unescape(text or "") for text in (there.description, there.code_example))
    if told != (block.get_description(), block.get_code_example()):
        return update("block type", name, "description", register)
    return unchanged("block type", name)


async def _plan_trigger(
    client: PrefectClient,
    declared: DeclaredDeployment,
    trigger: DeploymentTriggerTypes,
    existing: Sequence[Automation],
) -> Step:
    found = await read_deployment(client, declared)
    if found is not None:
        return plan_automation(automation_of(trigger, found.id), existing)
    return create("automation", trigger.name or "", _later)


async def _later(_: PrefectClient) -> None:
    """Stand in a plan for what can only be made once the deployment exists; then it is planned with its id."""
