"""The plan that an operator reads: every resource in the order in which it is brought about."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from coolify.api import ApplicationSettings, VariableWrite
from coolify.api.databases import Database, DatabaseSettings
from coolify.api.extras import VolumeWrite
from coolify.config import Config, ResolvedVariable
from coolify.databases import plan_databases
from coolify.finding import Finding, Severity
from coolify.plan.actual import Actual
from coolify.plan.desired import desired_settings, desired_variables, desired_volumes
from coolify.plan.difference import Change, plan_settings, plan_variables, plan_volumes
from coolify.plan.rollout import judge_rollout
from coolify.security import WantedSecurity, plan_labels
from coolify.security.labels import summary_of

__all__ = ["Action", "Kind", "Plan", "drift_findings", "make_plan"]

_HIDDEN: Final = "(secret)"
_REGENERATING: Final = frozenset(
    {"domains", "is_http_basic_auth_enabled", "http_basic_auth_username", "http_basic_auth_password"}
)
"""Settings whose change makes Coolify generate all labels anew (reference 3.4)."""


class Kind(StrEnum):
    """What happens to a resource."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    UNMANAGED = "unmanaged"
    """It is there, the configuration does not mention it, and it stays."""
    DELETE = "delete"
    """The same, where deleting what is unmanaged was asked for."""

    @property
    def is_change(self) -> bool:
        """Whether something is done."""
        return self in {Kind.CREATE, Kind.UPDATE, Kind.DELETE}


class Action(BaseModel):
    """What happens to one resource."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    resource: str = Field(
        description="project, environment, database, application, setting, security, variable or volume."
    )
    name: str
    before: str = Field(default="", description="What is there; never a secret.")
    after: str = Field(default="", description="What is wanted; never a secret.")

    def __str__(self) -> str:
        values = f": {self.before or 'nothing'} -> {self.after or 'nothing'}" if self.before or self.after else ""
        return f"{self.resource} {self.name}{values}"


class Plan(BaseModel):
    """Everything that stands between a configuration and the server, in the order of execution."""

    model_config = ConfigDict(frozen=True)

    server: str
    project: str
    environment: str
    application: str
    actions: tuple[Action, ...]
    warnings: tuple[Finding, ...] = Field(default=(), description="What a deployment of this would bring about.")

    def of(self, *kinds: Kind) -> tuple[Action, ...]:
        """Return the actions of these kinds, in order."""
        return tuple(action for action in self.actions if action.kind in kinds)

    @property
    def changes(self) -> tuple[Action, ...]:
        """Actions that do something."""
        return tuple(action for action in self.actions if action.kind.is_change)


def make_plan(
    config: Config,
    variables: Sequence[ResolvedVariable],
    actual: Actual,
    security: WantedSecurity | None = None,
    *,
    prune: bool = False,
    delete_volumes: bool = False,
) -> Plan:
    """Compare a configuration with what is there.

    Args:
        config: The configuration.
        variables: Its variables with their real values, which stay out of the plan.
        actual: What is there.
        security: Its section `security` with secrets, which stay out of the plan.
        prune: Whether variables that the configuration does not mention are deleted.
        delete_volumes: Whether volumes that it does not mention are deleted, with their data.

    Raises:
        OperatorError: The section `security` cannot be applied to this application, or its labels are hidden.
    """
    wanted = security or WantedSecurity()
    settings = desired_settings(config, wanted)
    actions = [
        Action(kind=Kind.UNCHANGED if actual.project else Kind.CREATE, resource="project", name=config.project.name),
        Action(
            kind=Kind.UNCHANGED if config.environment in actual.environments else Kind.CREATE,
            resource="environment",
            name=config.environment,
        ),
        *_databases(config, actual),
        Action(
            kind=Kind.UNCHANGED if actual.application else Kind.CREATE,
            resource="application",
            name=config.application_name,
        ),
        *_settings(settings, actual),
        *_security(wanted, settings, actual),
        *_variables(desired_variables(variables), actual, prune=prune),
        *_volumes(desired_volumes(config), actual, delete=delete_volumes),
    ]
    return Plan(
        server=config.server,
        project=config.project.name,
        environment=config.environment,
        application=config.application_name,
        actions=tuple(actions),
        warnings=judge_rollout(config, actual.application),
    )


def drift_findings(plan: Plan) -> tuple[Finding, ...]:
    """Return what has moved away from the configuration and what it does not mention, one finding each."""
    found = [
        Finding(
            name="drift-found",
            severity=Severity.WARNING,
            subject=f"{action.resource} {action.name}",
            summary=_drifted(action),
            evidence=tuple(f"{label}: {value}" for label, value in _values(action) if value),
            remedy="Run `coolify apply` to bring it back, or write what is there into the configuration.",
        )
        for action in plan.changes
    ]
    if not found:
        summary = f"{plan.application} ({plan.environment}) is as its configuration says."
        found = [Finding(name="drift-none", severity=Severity.OK, subject=plan.application, summary=summary)]
    unmanaged = [
        Finding(
            name="drift-unmanaged",
            severity=Severity.INFO,
            subject=f"{action.resource} {action.name}",
            summary=f"The {action.resource} {action.name} is there, and the configuration does not mention it.",
            remedy=f"Add it to the configuration, or delete it with `coolify apply --prune{_more(action)}`.",
        )
        for action in plan.of(Kind.UNMANAGED)
    ]
    return (*found, *unmanaged)


def _more(action: Action) -> str:
    return " --delete-volumes" if action.resource == "volume" else ""


def _drifted(action: Action) -> str:
    if action.kind is Kind.CREATE:
        return f"The {action.resource} {action.name} is missing."
    return f"The {action.resource} {action.name} is not what the configuration says."


def _values(action: Action) -> tuple[tuple[str, str], ...]:
    return ("on the server", action.before), ("in the configuration", action.after)


def _databases(config: Config, actual: Actual) -> list[Action]:
    actions = []
    for change in plan_databases(config, actual.databases):
        settings, database = change.settings, change.database
        if database is None:
            actions.append(Action(kind=Kind.CREATE, resource="database", name=change.name, after=change.engine.value))
        elif settings is not None:
            before, after = (_told(settings, one) for one in (database, settings))
            actions.append(Action(kind=Kind.UPDATE, resource="database", name=change.name, before=before, after=after))
        else:
            kind = Kind.UPDATE if change.kind == "start" else Kind.UNCHANGED
            before, after = (database.status, "running") if change.kind == "start" else ("", "")
            actions.append(Action(kind=kind, resource="database", name=change.name, before=before, after=after))
    return actions


def _told(changed: DatabaseSettings, values: Database | DatabaseSettings) -> str:
    """Return the changed settings with their values; the engine's own configuration may be long and is only named."""
    names = sorted(changed.model_fields_set)
    return ", ".join(name if name == "conf" else f"{name} {getattr(values, name)}" for name in names)


def _settings(desired: ApplicationSettings, actual: Actual) -> list[Action]:
    application = actual.application
    if application is None:
        wanted = desired.model_dump(mode="json", exclude_none=True)
        return [
            Action(kind=Kind.CREATE, resource="setting", name=name, after=_shown(name, value))
            for name, value in sorted(wanted.items())
        ]
    changed = {change.subject: change for change in plan_settings(application, desired).changes}
    return [_setting(name, changed.get(name)) for name in sorted(desired.model_fields_set)]


def _setting(name: str, change: Change | None) -> Action:
    if change is None:
        return Action(kind=Kind.UNCHANGED, resource="setting", name=name)
    return Action(kind=Kind.UPDATE, resource="setting", name=name, before=change.before, after=change.after)


def _shown(name: str, value: object) -> str:
    return _HIDDEN if name.endswith("password") else str(value)


def _security(wanted: WantedSecurity, settings: ApplicationSettings, actual: Actual) -> list[Action]:
    """Return what happens to the labels of ours, as one resource; nothing where none are there or wanted."""
    application = actual.application
    if application is None:
        summary = summary_of(wanted)
        if not wanted.in_labels:
            return []
        return [Action(kind=Kind.CREATE, resource="security", name="labels", after=summary)]
    regenerated = bool(plan_settings(application, settings).update.model_fields_set & _REGENERATING)
    plan = plan_labels(application, wanted, regenerated=regenerated)
    if not plan.is_ours:
        return []
    if not plan.is_change:
        return [Action(kind=Kind.UNCHANGED, resource="security", name="labels")]
    return [Action(kind=Kind.UPDATE, resource="security", name="labels", before=plan.before, after=plan.after)]


def _variables(desired: tuple[VariableWrite, ...], actual: Actual, *, prune: bool) -> list[Action]:
    plan = plan_variables(actual.variables, desired)
    changed = {change.subject.removeprefix("variable "): change for change in plan.changes}
    actions = [_variable(wanted.key, changed.get(wanted.key)) for wanted in desired]
    unmanaged = Kind.DELETE if prune else Kind.UNMANAGED
    return actions + [Action(kind=unmanaged, resource="variable", name=key) for key in plan.unmanaged]


def _variable(key: str, change: Change | None) -> Action:
    if change is None:
        return Action(kind=Kind.UNCHANGED, resource="variable", name=key)
    if change.kind == "create":
        return Action(kind=Kind.CREATE, resource="variable", name=key, after=_HIDDEN)
    return Action(kind=Kind.UPDATE, resource="variable", name=key, before=_HIDDEN, after=_HIDDEN)


def _volumes(desired: tuple[VolumeWrite, ...], actual: Actual, *, delete: bool) -> list[Action]:
    if actual.application is None:
        return [Action(kind=Kind.CREATE, resource="volume", name=one.name, after=one.place) for one in desired]
    plan = plan_volumes(actual.application, actual.volumes, desired)
    changed = {change.subject.removeprefix("volume "): change for change in plan.changes}
    unmanaged = Kind.DELETE if delete else Kind.UNMANAGED
    return [_volume(one, changed.get(one.name)) for one in desired] + [
        Action(kind=unmanaged, resource="volume", name=one.name, before=one.mount_path) for one in plan.unmanaged
    ]


def _volume(wanted: VolumeWrite, change: Change | None) -> Action:
    if change is None:
        return Action(kind=Kind.UNCHANGED, resource="volume", name=wanted.name)
    return Action(kind=Kind(change.kind), resource="volume", name=wanted.name, before=change.before, after=change.after)
