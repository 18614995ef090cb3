"""Scheduled backups of databases (reference 5.3) and the S3 storages that they go to (5.4)."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from coolify.api.capabilities import Capabilities, Feature
from coolify.api.databases import Database
from coolify.api.errors import AmbiguousNameError
from coolify.api.models import Answer, listing
from coolify.api.reconcile import Ensured, create_once
from coolify.api.transport import Transport

__all__ = [
    "BackupExecution",
    "BackupSchedule",
    "BackupStatus",
    "BackupWrite",
    "Backups",
    "S3Storage",
    "S3StorageWrite",
    "S3Storages",
    "S3Verdict",
]


class BackupStatus(StrEnum):
    """State of an execution. `success` says nothing about the upload (trap 27)."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


class BackupExecution(Answer):
    """One run of a backup schedule for one database name."""

    uuid: str
    status: BackupStatus
    filename: str | None = None
    size: int | None = None
    """Bytes; Coolify sends a number or a text."""
    message: str | None = None
    created_at: datetime | None = None
    s3_uploaded: bool | None = None
    """Whether the upload worked; None where no storage is configured or the list does not tell."""

    @property
    def is_proved_uploaded(self) -> bool:
        """Whether the copy in S3 can be relied on."""
        return self.status is BackupStatus.SUCCESS and self.s3_uploaded is True

    @property
    def upload_failed(self) -> bool:
        """Whether Coolify says so, in the field or in the message."""
        return self.s3_uploaded is False or "S3 upload failed" in (self.message or "")


class BackupSchedule(Answer):
    """When a database is backed up, and what is kept."""

    uuid: str
    frequency: str
    enabled: bool = True
    save_s3: bool = False
    s3_storage_id: int | None = None
    databases_to_backup: str | None = None
    dump_all: bool = False
    disable_local_backup: bool = False
    timeout: int = 3600
    created_at: datetime | None = None
    database_type: str | None = None
    """Class name of the engine's model, for example `App\\Models\\StandalonePostgresql`."""
    database_backup_retention_amount_locally: int = 0
    database_backup_retention_days_locally: int = 0
    database_backup_retention_max_storage_locally: float = 0
    database_backup_retention_amount_s3: int = 0
    database_backup_retention_days_s3: int = 0
    database_backup_retention_max_storage_s3: float = 0
    executions: tuple[BackupExecution, ...] = ()

    def belongs_to(self, database: Database) -> bool:
        """Whether it is a schedule of this database: lists mix engines with the same number (reference 5.3)."""
        model = (self.database_type or "").rpartition("\\")[2].lower()
        return model == f"standalone{database.engine.value}"


class BackupWrite(BaseModel):
    """What create and PATCH accept; what is not set is not sent. Retention 0 is unlimited, storage is in GB."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    frequency: str | None = None
    enabled: bool | None = None
    save_s3: bool | None = None
    s3_storage_uuid: str | None = None
    databases_to_backup: str | None = None
    dump_all: bool | None = None
    timeout: int | None = Field(default=None, ge=60, le=36000)
    database_backup_retention_amount_locally: int | None = Field(default=None, ge=0)
    database_backup_retention_days_locally: int | None = Field(default=None, ge=0)
    database_backup_retention_max_storage_locally: float | None = Field(default=None, ge=0)
    database_backup_retention_amount_s3: int | None = Field(default=None, ge=0)
    database_backup_retention_days_s3: int | None = Field(default=None, ge=0)
    database_backup_retention_max_storage_s3: float | None = Field(default=None, ge=0)

    def body(self) -> dict[str, Any]:
        """Return the request body.

        Without a word about S3 Coolify switches `save_s3` on with no storage to save to, so that it is always told.

        Raises:
            ValueError: S3 is wanted without a storage.
        """
        if self.save_s3 and not self.s3_storage_uuid:
            raise ValueError("save_s3 needs s3_storage_uuid, at every change again.")
        return self.model_dump(exclude_unset=True)


_SCHEDULES: Final = listing(BackupSchedule)
_EXECUTIONS: Final = listing(BackupExecution)


class Backups:
    """`/databases/{uuid}/backups`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, database: Database) -> tuple[BackupSchedule, ...]:
        """Return the schedules of this database, newest first."""
        answer = await self._transport.get(f"/databases/{database.uuid}/backups")
        return tuple(one for one in _SCHEDULES.validate_python(answer) if one.belongs_to(database))

    async def create(self, database: Database, schedule: BackupWrite) -> BackupSchedule:
        """Add a schedule; a lost answer is looked for among those that were not there before."""
        before = {one.uuid for one in await self.list(database)}
        body = {"save_s3": False} | schedule.body()

        async def find() -> BackupSchedule | None:
            return next((one for one in await self.list(database) if one.uuid not in before), None)

        async def send() -> BackupSchedule:
            answer = await self._transport.post_once(f"/databases/{database.uuid}/backups", body)
            return next(one for one in await self.list(database) if one.uuid == answer["uuid"])

        return await create_once(send, find)

    async def update(self, database: Database, backup_uuid: str, schedule: BackupWrite) -> None:
        """Change exactly the given settings of a schedule."""
        await self._transport.patch(f"/databases/{database.uuid}/backups/{backup_uuid}", schedule.body())

    async def run_now(self, database: Database, backup_uuid: str) -> None:
        """Queue an execution; it has no id yet: note the newest execution before, and wait for a newer one."""
        await self._transport.patch(f"/databases/{database.uuid}/backups/{backup_uuid}", {"backup_now": True})

    async def executions(self, database: Database, backup_uuid: str) -> tuple[BackupExecution, ...]:
        """Return the executions, newest first, with what the schedule's list knows of their upload."""
        path = f"/databases/{database.uuid}/backups/{backup_uuid}/executions"
        answer = await self._transport.get(path)
        found = _EXECUTIONS.validate_python(answer["executions"])
        schedule = next((one for one in await self.list(database) if one.uuid == backup_uuid), None)
        uploads = {one.uuid: one.s3_uploaded for one in schedule.executions} if schedule else {}
        return tuple(one.model_copy(update={"s3_uploaded": uploads.get(one.uuid, one.s3_uploaded)}) for one in found)

    async def delete(self, database: Database, backup_uuid: str, *, delete_s3: bool = False) -> None:
        """Delete a schedule with its executions and local files; copies in S3 stay unless asked for."""
        path = f"/databases/{database.uuid}/backups/{backup_uuid}"
        await self._transport.delete(path, {"delete_s3": delete_s3})

    async def delete_execution(
        self, database: Database, backup_uuid: str, execution_uuid: str, *, delete_s3: bool = False
    ) -> None:
        """Delete one execution with its local file."""
        path = f"/databases/{database.uuid}/backups/{backup_uuid}/executions/{execution_uuid}"
        await self._transport.delete(path, {"delete_s3": delete_s3})


class S3Storage(Answer):
    """A bucket; key and secret come only with `read:sensitive`."""

    uuid: str
    name: str
    description: str | None = None
    endpoint: str
    bucket: str
    region: str
    is_usable: bool = False
    key: SecretStr | None = None
    secret: SecretStr | None = None


class S3StorageWrite(BaseModel):
    """A bucket that is to exist."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    name: str
    endpoint: str
    bucket: str
    region: str
    key: SecretStr
    secret: SecretStr
    description: str | None = None

    def body(self) -> dict[str, Any]:
        """Return the request body."""
        plain = self.model_dump(exclude={"key", "secret"}, exclude_none=True)
        return plain | {"key": self.key.get_secret_value(), "secret": self.secret.get_secret_value()}


class S3Verdict(Answer):
    """Whether Coolify could use a bucket."""

    valid: bool
    message: str = ""


_STORAGES: Final = listing(S3Storage)


class S3Storages:
    """`/s3-storages` (4.3.0 and later)."""

    def __init__(self, transport: Transport, capabilities: Callable[[], Awaitable[Capabilities]]) -> None:
        self._transport = transport
        self._capabilities = capabilities

    async def list(self) -> tuple[S3Storage, ...]:
        """Return the storages of the team."""
        (await self._capabilities()).require(Feature.S3_STORAGES)
        return _STORAGES.validate_python(await self._transport.get("/s3-storages"))

    async def ensure(self, storage: S3StorageWrite) -> Ensured[S3Storage]:
        """Return the storage with this name, created if there is none.

        Raises:
            AmbiguousNameError: Several have this name.
        """
        found = await self._find(storage.name)
        if found is not None:
            return Ensured(found, created=False)

        async def send() -> S3Storage:
            answer = await self._transport.post_once("/s3-storages", storage.body())
            return S3Storage.model_validate(await self._transport.get(f"/s3-storages/{answer['uuid']}"))

        return Ensured(await create_once(send, lambda: self._find(storage.name)), created=True)

    async def update(self, uuid: str, storage: S3StorageWrite) -> None:
        """Write all settings of a storage."""
        await self._transport.patch(f"/s3-storages/{uuid}", storage.body())

    async def validate(self, uuid: str) -> S3Verdict:
        """Let Coolify try the bucket; the answer is always 200 and tells in its body."""
        return S3Verdict.model_validate(await self._transport.post_once(f"/s3-storages/{uuid}/validate"))

    async def delete(self, uuid: str) -> None:
        """Delete a storage; the bucket is left alone."""
        await self._transport.delete(f"/s3-storages/{uuid}")

    async def _find(self, name: str) -> S3Storage | None:
        fitting = [one for one in await self.list() if one.name == name]
        if len(fitting) > 1:
            raise AmbiguousNameError(
                f"There are {len(fitting)} S3 storages named '{name}' ({', '.join(one.uuid for one in fitting)}): "
                "rename or delete all but one in Coolify."
            )
        return fitting[0] if fitting else None
