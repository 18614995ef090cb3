"""The deployments on a Prefect server beside those that are declared.

What the program brings is kept up to date: the flow, its form, description, tags, version, pool and concurrency. What
operators set on the server stays theirs: parameters, schedules and whether they are active, job variables, a pause. A
schedule that is declared and missing is added, switched off or on as declared; one that was changed is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.objects import ConcurrencyOptions
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound

from coolify import __version__
from coolify.config.descriptions import keys_of
from coolify.config.monitoring import Alerts
from deployments.declared import DeclaredDeployment, flow_of
from deployments.steps import Step, changed_fields, create, unchanged, update

__all__ = ["form_of", "plan_deployment", "read_deployment"]

_SECTIONS: Final = (Alerts,)
"""Sections of the configuration file that forms have too: what their keys mean is written elsewhere in the code."""


async def read_deployment(client: PrefectClient, declared: DeclaredDeployment) -> DeploymentResponse | None:
    """Return a deployment as the server has it, None where it has none."""
    try:
        return await client.read_deployment_by_name(f"{flow_of(declared).name}/{declared.name}")
    except ObjectNotFound:
        return None


def plan_deployment(declared: DeclaredDeployment, existing: DeploymentResponse | None) -> Step:
    """Return what is to be done about a deployment."""
    name = f"{flow_of(declared).name}/{declared.name}"
    wanted = _wanted(declared)
    if existing is None:
        return create("deployment", name, lambda client: _create(client, declared, wanted))
    changed = changed_fields(wanted, _actual(existing))
    known = {one.slug for one in existing.schedules}
    missing = [one for one in declared.schedules if one.slug not in known]
    if not changed and not missing:
        return unchanged("deployment", name)

    async def change(client: PrefectClient) -> None:
        if changed:
            await client.update_deployment(
                existing.id, DeploymentUpdate.model_validate({key: wanted[key] for key in changed})
            )
        if missing:
            await client.create_deployment_schedules(existing.id, [one.create() for one in missing])

    told = (*changed, *(f"schedule {one.slug}" for one in missing))
    return update("deployment", name, ", ".join(told), change)


def _wanted(declared: DeclaredDeployment) -> dict[str, Any]:
    limit = declared.concurrency_limit
    return {
        "version": __version__,
        "description": declared.description.strip(),
        "tags": list(declared.tags),
        "entrypoint": declared.module_entrypoint,
        # The code is where the worker has it installed.
        "pull_steps": [],
        "path": None,
        "parameter_openapi_schema": form_of(declared),
        "enforce_parameter_schema": True,
        "work_pool_name": declared.work_pool.name,
        "concurrency_limit": limit.limit if limit else None,
        "concurrency_options": _options(limit.collision_strategy, limit.grace_period_seconds) if limit else None,
    }


def form_of(declared: DeclaredDeployment) -> dict[str, Any]:
    """Return the form of a flow's parameters, with titles to read: Prefect takes the bare names of the arguments."""
    form: dict[str, Any] = flow_of(declared).parameters.model_dump_for_openapi()
    for name, field in form["properties"].items():
        field["title"] = name.replace("_", " ").capitalize()
    for section in _SECTIONS:
        if section.__name__ in form["definitions"]:
            for key, text in keys_of(section).items():
                # One of Prefect's two UIs shows Markdown as it is typed.
                form["definitions"][section.__name__]["properties"][key]["description"] = text.replace("`", "")
    return form


def _actual(existing: DeploymentResponse) -> Mapping[str, Any]:
    schema, options = existing.parameter_openapi_schema, existing.concurrency_options
    return {
        "version": existing.version,
        "description": existing.description,
        "tags": existing.tags,
        "entrypoint": existing.entrypoint,
        "pull_steps": existing.pull_steps or [],
        "path": existing.path,
        "parameter_openapi_schema": schema if isinstance(schema, dict) else schema and schema.model_dump_for_openapi(),
        "enforce_parameter_schema": existing.enforce_parameter_schema,
        "work_pool_name": existing.work_pool_name,
        "concurrency_limit": existing.global_concurrency_limit.limit if existing.global_concurrency_limit else None,
        "concurrency_options": _options(options.collision_strategy, options.grace_period_seconds) if options else None,
    }


def _options(strategy: str, grace: int | None) -> dict[str, Any]:
    return ConcurrencyOptions.model_validate(
        {"collision_strategy": strategy} | ({} if grace is None else {"grace_period_seconds": grace})
    ).model_dump(mode="json", exclude_unset=True)


async def _create(client: PrefectClient, declared: DeclaredDeployment, wanted: Mapping[str, Any]) -> None:
    flow_id = await client.create_flow_from_name(flow_of(declared).name)
    options = wanted["concurrency_options"]
    await client.create_deployment(
        flow_id,
        declared.name,
        **{key: value for key, value in wanted.items() if key != "concurrency_options"},
        concurrency_options=ConcurrencyOptions.model_validate(options) if options else None,
        parameters=dict(declared.parameters),
        schedules=[one.create() for one in declared.schedules],
    )
