"""Bring settings and variables of an application in line, and keep what they were."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from pydantic import JsonValue, SecretStr

from coolify.api import Application, ApplicationSettings, CoolifyClient, VariableWrite
from coolify.api.extras import VolumeWrite
from coolify.plan import (
    SettingsPlan,
    VariablesPlan,
    VolumesPlan,
    compose_domains,
    is_unmanaged,
    plan_settings,
    plan_variables,
    plan_volumes,
)
from coolify.release import Snapshot, SnapshotVariable
from coolify.release.way_back import added_since, earlier_settings, earlier_variables
from tasks.phases import step_done
from tasks.steps import step

__all__ = [
    "compare_variables",
    "compare_volumes",
    "delete_variables",
    "delete_volumes",
    "restore_settings",
    "restore_variables",
    "take_snapshot",
    "update_settings",
    "write_variables",
    "write_volumes",
]

_FULL_SHA: Final = re.compile(r"^[0-9a-f]{40}$")


@step("update settings")
async def update_settings(client: CoolifyClient, application_uuid: str, plan: SettingsPlan) -> None:
    """Change the settings that differ."""
    await client.applications.update(application_uuid, plan.update)
    for change in plan.changes:
        step_done(str(change), changed=True)


@step("compare variables")
async def compare_variables(
    client: CoolifyClient, application_uuid: str, desired: tuple[VariableWrite, ...]
) -> VariablesPlan:
    """Return which production variables are missing or differ."""
    return plan_variables(await client.variables.list(application_uuid), desired)


@step("write variables")
async def write_variables(client: CoolifyClient, application_uuid: str, plan: VariablesPlan) -> None:
    """Write what is missing or differs; variables that the configuration does not mention stay."""
    await client.variables.upsert(application_uuid, plan.writes)
    for change in plan.changes:
        step_done(f"{change.subject} {change.kind}d", changed=True)
    if plan.unmanaged:
        step_done(f"variables left alone: {', '.join(plan.unmanaged)}")


@step("delete variables")
async def delete_variables(client: CoolifyClient, application_uuid: str, keep: frozenset[str]) -> tuple[str, ...]:
    """Delete the variables that somebody has made and that are not to be kept; return their names.

    With a production variable its preview twin goes (trap 10): nobody made that one.
    """
    current = await client.variables.list(application_uuid)
    unmanaged = {one.key for one in current if is_unmanaged(one, keep)}
    for variable in current:
        if variable.key in unmanaged:
            await client.variables.delete(application_uuid, variable.uuid)
    for key in sorted(unmanaged):
        step_done(f"variable {key} deleted", changed=True)
    return tuple(sorted(unmanaged))


@step("compare volumes")
async def compare_volumes(
    client: CoolifyClient, application: Application, desired: tuple[VolumeWrite, ...]
) -> VolumesPlan:
    """Return which volumes are missing or mounted elsewhere."""
    return plan_volumes(application, await client.storages.volumes(application.uuid), desired)


@step("write volumes")
async def write_volumes(client: CoolifyClient, application_uuid: str, plan: VolumesPlan) -> None:
    """Create what is missing and mount what is elsewhere; volumes that the configuration does not mention stay."""
    for wanted in plan.writes:
        await client.storages.ensure_volume(application_uuid, wanted)
    for change in plan.changes:
        step_done(str(change), changed=True)


@step("delete volumes")
async def delete_volumes(
    client: CoolifyClient, application: Application, keep: tuple[VolumeWrite, ...]
) -> tuple[str, ...]:
    """Delete the volumes that are not to be kept, with their data; return their names."""
    plan = plan_volumes(application, await client.storages.volumes(application.uuid), keep)
    for volume in plan.unmanaged:
        await client.storages.delete(application.uuid, volume.uuid)
        step_done(f"volume {volume.name} deleted", changed=True)
    return tuple(sorted(volume.name for volume in plan.unmanaged))


@step("take snapshot")
async def take_snapshot(client: CoolifyClient, application: Application) -> Snapshot:
    """Read everything that a rollback has to bring back; nothing is changed."""
    variables = await client.variables.list(application.uuid)
    finished = await client.deployments.last_finished(application.uuid)
    is_commit = finished is not None and _FULL_SHA.match(finished.commit)
    snapshot = Snapshot(
        taken_at=datetime.now(UTC),
        commit=finished.commit if finished is not None and is_commit else None,
        image_tag=application.docker_registry_image_tag if finished else None,
        settings=_restorable(application),
        domains=application.fqdn,
        custom_labels=application.custom_labels,
        login_password=_login_password(application),
        variables=tuple(
            SnapshotVariable(**one.model_dump(include=set(SnapshotVariable.model_fields)))
            for one in variables
            if not one.is_preview and one.value_known
        ),
        preview_keys=tuple(one.key for one in variables if one.is_preview),
        unreadable=tuple(one.key for one in variables if not one.is_preview and not one.value_known),
    )
    step_done(f"snapshot of {len(snapshot.settings)} settings and {len(snapshot.variables)} variables")
    return snapshot


@step("restore settings")
async def restore_settings(client: CoolifyClient, application: Application, snapshot: Snapshot) -> None:
    """Bring settings, domains and labels back; only what differs is sent."""
    plan = plan_settings(application, earlier_settings(application, snapshot))
    if not plan.is_empty:
        await client.applications.update(application.uuid, plan.update)
        step_done(f"settings restored: {', '.join(change.subject for change in plan.changes)}", changed=True)
    if snapshot.custom_labels is not None:
        current = await client.applications.get(application.uuid)
        if current.labels_known and current.custom_labels != snapshot.custom_labels:
            # After the domains, whose change regenerates all labels (reference 3.5).
            await client.applications.update(
                application.uuid, ApplicationSettings(custom_labels=snapshot.custom_labels)
            )
            step_done("labels restored", changed=True)


@step("restore variables")
async def restore_variables(client: CoolifyClient, application_uuid: str, snapshot: Snapshot) -> None:
    """Bring values back and remove variables that came since; values that Coolify never tells stay as they are."""
    current = await client.variables.list(application_uuid)
    plan = plan_variables(current, earlier_variables(snapshot))
    await client.variables.upsert(application_uuid, plan.writes)
    added = added_since(current, snapshot)
    for variable in added:
        await client.variables.delete(application_uuid, variable.uuid)
    if plan.changes or added:
        names = {change.subject.removeprefix("variable ") for change in plan.changes} | {one.key for one in added}
        step_done(f"variables restored: {', '.join(sorted(names))}", changed=True)


def _login_password(application: Application) -> SecretStr | None:
    password = application.raw.get("http_basic_auth_password")
    return SecretStr(password) if isinstance(password, str) and password else None


def _restorable(application: Application) -> dict[str, JsonValue]:
    """Return the settings that a release may change: identity, domains and labels have ways of their own."""
    own_ways = {
        "name",
        "domains",
        "docker_compose_domains",
        "custom_labels",
        "http_basic_auth_password",
        "custom_nginx_configuration",
    }
    # `dockerimage` is a build pack to read, not one to write (reference 2.1).
    own_ways |= {"build_pack"} if application.build_pack == "dockerimage" else set()
    names = set(ApplicationSettings.model_fields) - own_ways
    restorable = {name: application.raw[name] for name in sorted(names) if name in application.raw}
    if application.build_pack == "dockercompose":
        services = compose_domains(application.raw.get("docker_compose_domains"))
        restorable["docker_compose_domains"] = [one.model_dump() for one in services]
    return restorable
