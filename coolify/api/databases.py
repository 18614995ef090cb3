"""`/databases` of eight engines (reference 5.1, 5.2)."""

import base64
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr

from coolify.api.answers import plain_text
from coolify.api.application_specs import VariableWrite
from coolify.api.capabilities import Capabilities, Feature
from coolify.api.errors import AmbiguousNameError, BadRequestError
from coolify.api.models import Answer, Variable, listing
from coolify.api.placement import Placement
from coolify.api.reconcile import Ensured, create_once
from coolify.api.transport import Transport
from coolify.engines import DatabaseEngine

__all__ = ["Database", "DatabaseEngine", "DatabaseSettings", "DatabaseSpec", "Databases"]

_VARIABLES: Final = listing(Variable)
_PREFIX: Final = "standalone-"


_FIELDS: Final[dict[DatabaseEngine, dict[str, str]]] = {
    DatabaseEngine.POSTGRESQL: {"user": "postgres_user", "password": "postgres_password", "database": "postgres_db"},
    DatabaseEngine.MYSQL: {
        "user": "mysql_user",
        "password": "mysql_password",
        "database": "mysql_database",
        "root_password": "mysql_root_password",
    },
    DatabaseEngine.MARIADB: {
        "user": "mariadb_user",
        "password": "mariadb_password",
        "database": "mariadb_database",
        "root_password": "mariadb_root_password",
    },
    DatabaseEngine.MONGODB: {
        "user": "mongo_initdb_root_username",
        "password": "mongo_initdb_root_password",
        "database": "mongo_initdb_database",
    },
    DatabaseEngine.REDIS: {"password": "redis_password"},
    DatabaseEngine.KEYDB: {"password": "keydb_password"},
    DatabaseEngine.DRAGONFLY: {"password": "dragonfly_password"},
    DatabaseEngine.CLICKHOUSE: {"user": "clickhouse_admin_user", "password": "clickhouse_admin_password"},
}
"""Our name of a credential -> the engine's field."""
_CONF: Final = {
    DatabaseEngine.POSTGRESQL: "postgres_conf",
    DatabaseEngine.MYSQL: "mysql_conf",
    DatabaseEngine.MARIADB: "mariadb_conf",
    DatabaseEngine.MONGODB: "mongo_conf",
    DatabaseEngine.REDIS: "redis_conf",
    DatabaseEngine.KEYDB: "keydb_conf",
}


class DatabaseSettings(BaseModel):
    """What create and PATCH accept; what is not set is not sent."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    name: str | None = None
    description: str | None = None
    image: str | None = None
    user: str | None = None
    password: SecretStr | None = None
    root_password: SecretStr | None = None
    database: str | None = None
    conf: str | None = Field(default=None, description="The engine's own configuration, as plain text.")
    is_public: bool | None = None
    public_port: int | None = Field(default=None, ge=1024, le=65535)
    limits_memory: str | None = None
    limits_memory_swap: str | None = None
    limits_memory_reservation: str | None = None
    limits_cpus: str | None = None
    limits_cpu_shares: int | None = None
    limits_cpuset: str | None = None
    limits_memory_swappiness: int | None = Field(default=None, ge=0, le=100)
    public_port_timeout: int | None = Field(default=None, ge=1)
    postgres_initdb_args: str | None = None
    postgres_host_auth_method: str | None = None
    health_check_enabled: bool | None = None
    health_check_interval: int | None = Field(default=None, ge=1)
    health_check_timeout: int | None = Field(default=None, ge=1)
    health_check_retries: int | None = Field(default=None, ge=1)
    health_check_start_period: int | None = Field(default=None, ge=0)

    @property
    def has_health_check(self) -> bool:
        """Whether anything of the health check is set."""
        return any(name.startswith("health_check_") for name in self.model_fields_set)

    def body(self, engine: DatabaseEngine) -> dict[str, Any]:
        """Return the request body of exactly the fields that were set.

        Raises:
            ValueError: The engine has no such setting.
        """
        body: dict[str, Any] = {}
        for name in sorted(self.model_fields_set):
            value = getattr(self, name)
            value = value.get_secret_value() if isinstance(value, SecretStr) else value
            if name.startswith("postgres_") and engine is not DatabaseEngine.POSTGRESQL:
                _own(engine, None, name)
            if name == "conf":
                body[_own(engine, _CONF.get(engine), name)] = base64.b64encode(str(value).encode()).decode()
            elif name in {"user", "password", "root_password", "database"}:
                body[_own(engine, _FIELDS[engine].get(name), name)] = value
            else:
                body[name] = value
        return body


def _own(engine: DatabaseEngine, field: str | None, name: str) -> str:
    if field is None:
        raise ValueError(f"{engine.value} has no setting '{name}'.")
    return field


class DatabaseSpec(BaseModel):
    """A database that is to exist."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    engine: DatabaseEngine
    name: str
    placement: Placement
    settings: DatabaseSettings = DatabaseSettings()


class Database(Answer):
    """A database; URLs come only with `read:sensitive`."""

    uuid: str
    name: str
    description: str | None = None
    image: str | None = None
    database_type: str | None = None
    """`standalone-postgresql` and so on; KeyDB does not tell it."""
    status: str = "exited:unhealthy"
    is_public: bool = False
    public_port: int | None = None
    environment_id: int | None = None
    limits_memory: str | None = None
    limits_memory_swap: str | None = None
    limits_cpus: str | None = None
    conf: str | None = Field(default=None, validation_alias=AliasChoices(*dict.fromkeys(_CONF.values())))
    """The engine's own configuration, as text or in base64."""
    internal_db_url: SecretStr | None = None
    external_db_url: SecretStr | None = None

    @property
    def engine(self) -> DatabaseEngine:
        """What runs it; the one that does not tell is KeyDB."""
        return DatabaseEngine((self.database_type or "standalone-keydb").removeprefix(_PREFIX))

    def has_conf(self, text: str) -> bool:
        """Whether the engine's own configuration is this text; Coolify takes it in base64 and cuts off white space."""
        known = (self.conf or "").strip()
        return text.strip() in {known, plain_text(known).strip()}

    @property
    def is_running(self) -> bool:
        """Whether the container runs, whatever its health."""
        return self.status.startswith("running")

    @property
    def is_healthy(self) -> bool:
        """Whether it runs and nothing speaks against its health; without a health check that stays unknown."""
        return self.status in {"running:healthy", "running:unknown", "running (healthy)"}


_DATABASES: Final = listing(Database)


class Databases:
    """`/databases`."""

    def __init__(self, transport: Transport, capabilities: Callable[[], Awaitable[Capabilities]]) -> None:
        self._transport = transport
        self._capabilities = capabilities

    async def list(self) -> tuple[Database, ...]:
        """Return all databases of the team."""
        return _DATABASES.validate_python(await self._transport.get("/databases"))

    async def get(self, uuid: str) -> Database:
        """Return one database."""
        return Database.model_validate(await self._transport.get(f"/databases/{uuid}"))

    async def find(self, environment_id: int, name: str) -> Database | None:
        """Return the only database with this name in the environment, None if there is none.

        Raises:
            AmbiguousNameError: Several have this name.
        """
        return (await self.find_all(environment_id, [name])).get(name)

    async def find_all(self, environment_id: int, names: Collection[str]) -> dict[str, Database]:
        """Return name -> database for those that exist in the environment, by one look at all of them.

        Raises:
            AmbiguousNameError: Several have one of these names.
        """
        there = [one for one in await self.list() if one.environment_id == environment_id and one.name in names]
        for name in names:
            fitting = [one for one in there if one.name == name]
            if len(fitting) > 1:
                raise AmbiguousNameError(
                    f"There are {len(fitting)} databases named '{name}' in this environment "
                    f"({', '.join(one.uuid for one in fitting)}): rename or delete all but one in Coolify."
                )
        return {one.name: one for one in there}

    async def ensure(self, spec: DatabaseSpec, environment_id: int) -> Ensured[Database]:
        """Return the database with this name, created (not started) if there is none.

        Args:
            spec: What is to exist.
            environment_id: Number of the environment that the placement names.
        """
        found = await self.find(environment_id, spec.name)
        if found is not None:
            return Ensured(found, created=False)
        await self._refuse_unsupported(spec.settings)
        body = {
            **spec.settings.body(spec.engine),
            **spec.placement.model_dump(exclude_none=True),
            "name": spec.name,
            "instant_deploy": False,
        }

        async def send() -> Database:
            answer = await self._transport.post_once(f"/databases/{spec.engine.value}", body)
            return await self.get(str(answer["uuid"]))

        return Ensured(await create_once(send, lambda: self.find(environment_id, spec.name)), created=True)

    async def update(self, database: Database, settings: DatabaseSettings) -> None:
        """Change exactly the given settings; they apply with the next restart.

        A changed password is not changed inside of a volume that has been initialised (reference 5.2).
        """
        await self._refuse_unsupported(settings)
        body = settings.body(database.engine)
        if body:
            await self._transport.patch(f"/databases/{database.uuid}", body)

    async def delete(self, uuid: str, *, delete_volumes: bool = False) -> None:
        """Queue the deletion; volumes stay unless asked for (trap 15)."""
        await self._transport.delete(f"/databases/{uuid}", {"delete_volumes": delete_volumes})

    async def start(self, uuid: str) -> bool:
        """Queue the start; return False when it runs already."""
        return await self._act(uuid, "start")

    async def stop(self, uuid: str) -> bool:
        """Queue a stop; return False when it is stopped already."""
        return await self._act(uuid, "stop")

    async def restart(self, uuid: str) -> None:
        """Queue a restart."""
        await self._act(uuid, "restart")

    async def logs(self, uuid: str, lines: int = 100) -> str:
        """Return the last lines of the running container.

        Raises:
            UnsupportedVersionError: The server cannot tell them.
        """
        (await self._capabilities()).require(Feature.DATABASE_LOGS)
        answer = await self._transport.get(f"/databases/{uuid}/logs", {"lines": lines})
        return str(answer.get("logs") or "")

    async def variables(self, uuid: str) -> tuple[Variable, ...]:
        """Return the environment variables."""
        return _VARIABLES.validate_python(await self._transport.get(f"/databases/{uuid}/envs"))

    async def set_variables(self, uuid: str, variables: Sequence[VariableWrite]) -> None:
        """Create or replace environment variables; nothing is deleted."""
        if variables:
            names = {"key", "value", "is_literal", "is_multiline", "is_shown_once", "comment"}
            items = [{name: one for name, one in item.body().items() if name in names} for item in variables]
            await self._transport.patch(f"/databases/{uuid}/envs/bulk", {"data": items})

    async def delete_variable(self, uuid: str, variable_uuid: str) -> None:
        """Delete one environment variable."""
        await self._transport.delete(f"/databases/{uuid}/envs/{variable_uuid}")

    async def _refuse_unsupported(self, settings: DatabaseSettings) -> None:
        if settings.has_health_check:
            (await self._capabilities()).require(Feature.DATABASE_HEALTH)

    async def _act(self, uuid: str, action: str) -> bool:
        try:
            await self._transport.post_once(f"/databases/{uuid}/{action}")
        except BadRequestError:
            # "Database is already running" or "stopped": what was wanted is so.
            return False
        return True
