"""The deployments that `prefect.yaml` declares, with the flows that they run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.client.schemas.schedules import CronSchedule
from prefect.events import DeploymentTriggerTypes
from prefect.flows import Flow
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

__all__ = ["DeclaredDeployment", "DeclaredSchedule", "declarations_file", "flow_of", "read_declarations"]


class _Declared(BaseModel):
    # What is not read here would be lost without a word.
    model_config = ConfigDict(frozen=True, extra="forbid")


class DeclaredSchedule(_Declared):
    """One schedule of a deployment; the slug is what it is recognised by."""

    cron: str
    timezone: str
    slug: str
    active: bool = False
    parameters: Mapping[str, Any] = {}

    def create(self) -> DeploymentScheduleCreate:
        """Return it as Prefect's API takes it."""
        return DeploymentScheduleCreate(
            schedule=CronSchedule(cron=self.cron, timezone=self.timezone),
            active=self.active,
            slug=self.slug,
            parameters=dict(self.parameters),
        )


class _WorkPool(_Declared):
    name: str


class DeclaredDeployment(_Declared):
    """One deployment, as it stands in the file."""

    name: str
    entrypoint: str
    description: str
    tags: tuple[str, ...]
    work_pool: _WorkPool
    concurrency_limit: ConcurrencyLimitConfig | None = None
    parameters: Mapping[str, Any] = {}
    schedules: tuple[DeclaredSchedule, ...] = ()
    triggers: tuple[DeploymentTriggerTypes, ...] = Field(default=())

    @property
    def module_entrypoint(self) -> str:
        """The flow's place as a module, which is the same on every machine where the project is installed."""
        path, _, name = self.entrypoint.partition(":")
        return f"{path.removesuffix('.py').replace('/', '.')}.{name}"


_CHECKOUT: Final = Path(__file__).parent.parent / "prefect.yaml"
_INSTALLED: Final = Path(__file__).parent / "prefect.yaml"
"""Inside this package where a wheel was installed, beside the packages otherwise."""


def declarations_file() -> Path:
    """Return the file with the declarations."""
    return _INSTALLED if _INSTALLED.is_file() else _CHECKOUT


def read_declarations(path: Path | None = None) -> tuple[DeclaredDeployment, ...]:
    """Return what the file declares, in its order.

    Raises:
        ValidationError: An entry is not of the shape above; a test reads the file that is shipped.
    """
    document = YAML(typ="safe").load(path or declarations_file())
    return tuple(DeclaredDeployment.model_validate(entry) for entry in document["deployments"])


def flow_of(declared: DeclaredDeployment) -> Flow[Any, Any]:
    """Import the flow of a deployment."""
    module, _, name = declared.module_entrypoint.rpartition(".")
    flow = getattr(import_module(module), name)
    if not isinstance(flow, Flow):
        raise TypeError(f"{declared.entrypoint} is not a flow")
    return flow
