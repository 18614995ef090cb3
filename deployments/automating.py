"""The automations on a Prefect server beside those that are declared; each is recognised by its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import BlockDocument
from prefect.events import DeploymentTriggerTypes
from prefect.events.schemas.automations import Automation, AutomationCore

from coolify.errors import OperatorError
from deployments.automations import ALERTS_BLOCK
from deployments.steps import Step, changed_fields, create, unchanged, update

__all__ = ["AmbiguousAutomationError", "automation_of", "find_alerts_block", "plan_automation", "read_automations"]

_PAGE = 200
_COMPARED = ("description", "trigger", "actions")


class AmbiguousAutomationError(OperatorError):
    """Several automations have the same name."""


async def read_automations(client: PrefectClient) -> tuple[Automation, ...]:
    """Return all automations of the server."""
    found: list[Automation] = []
    while True:
        page = await client.read_automations(limit=_PAGE, offset=len(found))
        found += page
        if len(page) < _PAGE:
            return tuple(found)


async def find_alerts_block(client: PrefectClient) -> BlockDocument | None:
    """Return the block through which operators are told, None where there is none."""
    offset = 0
    while True:
        page = await client.read_block_documents(limit=_PAGE, offset=offset, include_secrets=False)
        for document in page:
            schema = document.block_schema
            if document.name == ALERTS_BLOCK and schema and "notify" in schema.capabilities:
                return document
        offset += len(page)
        if len(page) < _PAGE:
            return None


def automation_of(trigger: DeploymentTriggerTypes, deployment: UUID) -> AutomationCore:
    """Return the automation that starts a deployment when its trigger fires."""
    owned = trigger.model_copy()
    owned.set_deployment_id(deployment)
    return owned.as_automation()


def plan_automation(wanted: AutomationCore, existing: Sequence[Automation]) -> Step:
    """Return what is to be done about an automation; whether it is switched on is never changed.

    Raises:
        AmbiguousAutomationError: Several have its name.
    """
    named = [one for one in existing if one.name == wanted.name]
    if len(named) > 1:
        ids = ", ".join(str(one.id) for one in named)
        raise AmbiguousAutomationError(
            f"The Prefect server has {len(named)} automations named '{wanted.name}' ({ids}): delete all but one of "
            "them on its page Automations, and apply again."
        )
    if not named:
        return create("automation", wanted.name, lambda client: client.create_automation(wanted))
    (there,) = named
    changed = changed_fields(_compared(wanted), _compared(there))
    if not changed:
        return unchanged("automation", wanted.name)
    return update("automation", wanted.name, ", ".join(changed), lambda client: _change(client, wanted, there))


async def _change(client: PrefectClient, wanted: AutomationCore, there: Automation) -> None:
    theirs = {"enabled": there.enabled, "tags": there.tags}
    if wanted.owner_resource and _started(wanted) != _started(there):
        # It started a deployment that was deleted since. The owner cannot be changed, and the server does not tell it.
        await client.delete_automation(there.id)
        await client.create_automation(wanted.model_copy(update=theirs))
        return
    # What is not set is not sent, and would be lost: everything counts as set once it has been read back.
    everything = wanted.model_dump(exclude={"owner_resource"}) | theirs
    await client.update_automation(there.id, AutomationCore.model_validate(everything))


def _started(automation: AutomationCore) -> set[UUID]:
    """Return the deployments of which it starts runs."""
    found = (getattr(action, "deployment_id", None) for action in automation.actions)
    return {one for one in found if one is not None}


def _compared(automation: AutomationCore) -> dict[str, Any]:
    # Sets come back in another order.
    return {
        name: _sorted(value) for name, value in automation.model_dump(mode="python", include=set(_COMPARED)).items()
    }


def _sorted(value: Any) -> Any:  # noqa: ANN401 - what a model holds
    match value:
        case dict():
            return {key: _sorted(one) for key, one in value.items()}
        case set() | frozenset():
            return sorted(value)
        case list() | tuple():
            return [_sorted(one) for one in value]
        case _:
            return value
