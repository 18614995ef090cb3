"""The whole configuration."""

from typing import Annotated, Final, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema

from coolify.config.backups import Backups
from coolify.config.build import Build, BuildPack
from coolify.config.coordinates import Coordinates
from coolify.config.databases import DatabaseName, DatabaseSection
from coolify.config.dns import Dns
from coolify.config.domains import Domain
from coolify.config.env import EnvValue
from coolify.config.fields import VariableName
from coolify.config.health import Health
from coolify.config.monitoring import Monitoring
from coolify.config.operation import Release
from coolify.config.policies import Policies
from coolify.config.resources import Resources
from coolify.config.security import Security
from coolify.config.source import Source
from coolify.decisions import Decision

__all__ = ["USUAL_ENVIRONMENTS", "Config"]

USUAL_ENVIRONMENTS: Final = ("production", "staging", "development")
"""Names that select an environment even when `environments` does not list them."""


def _each_once(domains: tuple[Domain, ...]) -> tuple[Domain, ...]:
    seen: set[tuple[str, str]] = set()
    for domain in domains:
        if (domain.host, domain.path) in seen:
            raise ValueError(f"{domain.host}{domain.path.rstrip('/')} is written twice: keep one.")
        seen.add((domain.host, domain.path))
    return domains


class Config(Coordinates):
    """One application, as `.coolify/config.yml` describes it, for one environment."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    environment_names: SkipJsonSchema[tuple[str, ...]] = Field(default=(), exclude=True)
    """Names in the `environments` section."""

    source: Source | None = None
    """Where the application comes from; needed to create it."""
    build: Build = Build()
    """How it is built."""
    resources: Resources = Resources()
    """How much of the server it may use."""
    env: dict[VariableName, EnvValue] = Field(default={})
    """Its environment variables."""
    databases: dict[DatabaseName, DatabaseSection] = Field(default={})
    """Its databases."""
    backups: Backups = Backups()
    """Backups of the databases and volumes, and what proves them."""
    all_domains: Annotated[tuple[Domain, ...], AfterValidator(_each_once)] = Field(default=(), alias="domains")
    """Its domains, those of all environments."""
    dns: Dns = Dns()
    """How domains are checked."""
    security: Security = Security()
    """What the proxy adds to its answers, and whom it lets in."""
    health: Health = Health()
    """When a new version counts as healthy."""
    release: Release = Release()
    """How a release runs."""
    decisions: Policies = Field(default={})
    """Decision -> `auto`, `ask` or an option, see docs/decisions.md."""
    monitoring: Monitoring = Monitoring()
    """Watching after the release."""

    @model_validator(mode="after")
    def _leads_domains_to_services(self) -> Self:
        is_compose = self.build.pack is BuildPack.DOCKERCOMPOSE
        for domain in self.all_domains:
            if is_compose and domain.service is None:
                raise ValueError(f"the domain {domain.host} needs `service`, a service of the compose file: add it.")
            if not is_compose and domain.service is not None:
                raise ValueError(f"`service` of the domain {domain.host} is of use with `pack: dockercompose` only.")
        return self

    @model_validator(mode="after")
    def _databases_exist(self) -> Self:
        backups = self.backups
        named = {f"backups.schedules.{key}.database": one.database for key, one in backups.schedules.items()}
        named |= {f"backups.proofs.{key}": key for key in backups.proofs}
        named |= {
            f"backups.volumes.{key}.database": one.database for key, one in backups.volumes.items() if one.database
        }
        named |= {f"env.{key}": name for key, one in self.env.items() if one.value for name in one.value.databases}
        for where, name in named.items():
            if name not in self.databases:
                raise ValueError(f"`{where}` names the database '{name}', which is not in `databases`.")
        return self

    @model_validator(mode="after")
    def _backed_up_volumes_exist(self) -> Self:
        mounted = {one.name for one in self.resources.volumes}
        for name, schedule in self.backups.volumes.items():
            if name in self.databases:
                raise ValueError(f"`backups.volumes.{name}` has the name of a database: commands could mean either.")
            if schedule.database is None and name not in mounted:
                raise ValueError(
                    f"`backups.volumes.{name}` is not in `resources.volumes`: add it there, or name a `database`."
                )
        return self

    @model_validator(mode="after")
    def _backups_before_can_be_proved(self) -> Self:
        if not self.release.backup_before:
            return self
        schedules = [(name, one) for name, one in self.backups.schedules.items() if one.enabled]
        if not schedules:
            raise ValueError("`release.backup_before` needs a schedule in `backups.schedules`: nothing is backed up.")
        kept = {one.database for _, one in schedules if one.storage is not None}
        for name, one in schedules:
            if one.database not in kept:
                raise ValueError(
                    f"`release.backup_before` needs a bucket: backups of `backups.schedules.{name}` lie beside the "
                    "database, cannot be fetched, and go with the server; give it a `storage`."
                )
        return self

    @property
    def domains(self) -> tuple[Domain, ...]:
        """Domains of this environment: those named after it, and those that are named after no environment.

        An environment with entries of its own does without `primary`: one URL cannot lead to two applications.
        """
        others = {*USUAL_ENVIRONMENTS, *self.environment_names} - {self.environment}
        if any(domain.name == self.environment for domain in self.all_domains):
            others.add("primary")
        return tuple(domain for domain in self.all_domains if domain.name not in others)

    def policy(self, decision: Decision) -> str:
        """Return how a decision is made: `auto`, `ask` or the id of an option."""
        return self.decisions.get(decision.id, "auto")
