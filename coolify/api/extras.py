"""Volumes, files, scheduled tasks and tags of applications, databases and services (reference 2.3, 2.5, 6.4)."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from coolify.api.capabilities import Capabilities, Feature
from coolify.api.models import Answer, listing
from coolify.api.reconcile import Ensured, create_once
from coolify.api.transport import Transport

__all__ = [
    "FileStorage",
    "ScheduledTask",
    "ScheduledTasks",
    "Storages",
    "Tag",
    "Tags",
    "TaskExecution",
    "TaskWrite",
    "Volume",
    "VolumeBackup",
    "VolumeBackupWrite",
    "VolumeWrite",
]


class Volume(Answer):
    """A volume that outlives the container."""

    uuid: str
    name: str
    """As Docker knows it: the application's UUID, a dash, and the name that was given."""
    mount_path: str
    host_path: str | None = None
    created_at: datetime | None = None


class VolumeWrite(BaseModel):
    """A volume that is to exist."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    mount_path: str
    host_path: str | None = None

    @property
    def place(self) -> str:
        """Where it is mounted, for people."""
        return f"{self.mount_path} from {self.host_path}" if self.host_path else self.mount_path


class FileStorage(Answer):
    """A file or a directory that Coolify mounts; the content comes only with `read:sensitive`."""

    uuid: str
    mount_path: str
    fs_path: str | None = None
    is_directory: bool = False
    content: str | None = Field(default=None, repr=False)


class VolumeBackup(Answer):
    """When a volume is backed up."""

    uuid: str
    frequency: str
    enabled: bool = True
    save_s3: bool = False
    message: str = ""

    @property
    def is_new(self) -> bool:
        """Whether writing it has created it, as the answer's sentence tells."""
        return "created" in self.message


class VolumeBackupWrite(BaseModel):
    """When a volume is to be backed up; what is not set is not sent. Names differ from those of databases' backups."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    frequency: str
    enabled: bool = True
    save_s3: bool | None = None
    s3_storage_uuid: str | None = None
    disable_local_backup: bool | None = None
    stop_during_backup: bool | None = None
    retention_amount_locally: int | None = Field(default=None, ge=0)
    retention_days_locally: int | None = Field(default=None, ge=0)
    retention_max_storage_locally: float | None = Field(default=None, ge=0)
    retention_amount_s3: int | None = Field(default=None, ge=0)
    retention_days_s3: int | None = Field(default=None, ge=0)
    retention_max_storage_s3: float | None = Field(default=None, ge=0)
    timeout: int | None = Field(default=None, ge=60, le=36000)

    def body(self) -> dict[str, Any]:
        """Return the request body.

        Raises:
            ValueError: S3 is wanted without a storage, or nothing would be kept anywhere.
        """
        if self.save_s3 and not self.s3_storage_uuid:
            raise ValueError("save_s3 needs s3_storage_uuid, at every change again.")
        if self.disable_local_backup and not self.save_s3:
            raise ValueError("disable_local_backup needs save_s3: otherwise nothing would be kept.")
        return {"enabled": self.enabled} | self.model_dump(exclude_unset=True)


class _AllStorages(Answer):
    persistent_storages: tuple[Volume, ...] = ()
    file_storages: tuple[FileStorage, ...] = ()


class Storages:
    """`/applications/{uuid}/storages`, and the same of databases and services."""

    def __init__(
        self,
        transport: Transport,
        capabilities: Callable[[], Awaitable[Capabilities]],
        group: str = "applications",
    ) -> None:
        self._group = group
        self._transport = transport
        self._capabilities = capabilities

    async def volumes(self, owner_uuid: str) -> tuple[Volume, ...]:
        """Return the volumes of an application."""
        return (await self._all(owner_uuid)).persistent_storages

    async def files(self, owner_uuid: str) -> tuple[FileStorage, ...]:
        """Return the mounted files and directories of an application."""
        return (await self._all(owner_uuid)).file_storages

    async def ensure_volume(self, owner_uuid: str, wanted: VolumeWrite) -> Ensured[Volume]:
        """Return the volume with this name, created if there is none, and mounted where it is wanted.

        A second one with the same name would be answered with 500, not with a conflict.
        """

        async def find() -> Volume | None:
            names = {wanted.name, f"{owner_uuid}-{wanted.name}"}
            return next((one for one in await self.volumes(owner_uuid) if one.name in names), None)

        path = f"/{self._group}/{owner_uuid}/storages"
        found = await find()
        if found is not None:
            if (found.mount_path, found.host_path) != (wanted.mount_path, wanted.host_path):
                # Without the name, which would replace the longer one that Docker knows the data by.
                place = wanted.model_dump(exclude={"name"})
                await self._transport.patch(path, {"uuid": found.uuid, "type": "persistent", **place})
            return Ensured(found.model_copy(update=wanted.model_dump(exclude={"name"})), created=False)
        body = {"type": "persistent", **wanted.model_dump(exclude_none=True)}

        async def send() -> Volume:
            return Volume.model_validate(await self._transport.post_once(path, body))

        return Ensured(await create_once(send, find), created=True)

    async def ensure_file(self, owner_uuid: str, mount_path: str, content: str) -> FileStorage:
        """Return the file at this path, created if there is none; its content is written once."""

        async def find() -> FileStorage | None:
            return next((one for one in await self.files(owner_uuid) if one.mount_path == mount_path), None)

        found = await find()
        if found is not None:
            return found
        body = {"type": "file", "mount_path": mount_path, "content": content}

        async def send() -> FileStorage:
            answer = await self._transport.post_once(f"/{self._group}/{owner_uuid}/storages", body)
            return FileStorage.model_validate(answer)

        return await create_once(send, find)

    async def delete(self, owner_uuid: str, storage_uuid: str) -> None:
        """Delete a volume or a file; data in a volume are lost with its container."""
        await self._transport.delete(f"/{self._group}/{owner_uuid}/storages/{storage_uuid}")

    async def update_file(self, owner_uuid: str, storage_uuid: str, content: str) -> None:
        """Replace what a mounted file contains; it is written with the next deployment.

        Raises:
            ValidationFailedError: The file comes from a compose file.
        """
        body = {"uuid": storage_uuid, "type": "file", "content": content}
        await self._transport.patch(f"/{self._group}/{owner_uuid}/storages", body)

    async def back_up(self, owner_uuid: str, volume_uuid: str, schedule: VolumeBackupWrite) -> VolumeBackup:
        """Back a volume up on a schedule; writing the same twice changes nothing.

        Raises:
            UnsupportedVersionError: The server cannot.
        """
        path = await self._backups(owner_uuid, volume_uuid)
        return VolumeBackup.model_validate(await self._transport.put(path, schedule.body()))

    async def back_up_now(self, owner_uuid: str, volume_uuid: str) -> None:
        """Queue a backup of a volume that has a schedule; there is no list of what came of it."""
        await self._transport.post_once(f"{await self._backups(owner_uuid, volume_uuid)}/run")

    async def stop_backing_up(self, owner_uuid: str, volume_uuid: str) -> None:
        """Delete the schedule of a volume with all of its archives."""
        await self._transport.delete(await self._backups(owner_uuid, volume_uuid))

    async def _backups(self, owner_uuid: str, volume_uuid: str) -> str:
        (await self._capabilities()).require(Feature.VOLUME_BACKUPS)
        return f"/{self._group}/{owner_uuid}/storages/{volume_uuid}/backups"

    async def _all(self, owner_uuid: str) -> _AllStorages:
        return _AllStorages.model_validate(await self._transport.get(f"/{self._group}/{owner_uuid}/storages"))


class ScheduledTask(Answer):
    """A command that runs in the application's container."""

    uuid: str
    name: str
    command: str
    frequency: str
    container: str | None = None
    enabled: bool = True
    timeout: int = 300
    """Seconds."""


class TaskExecution(Answer):
    """One run of a task."""

    uuid: str
    status: str
    message: str | None = None
    duration: float | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class TaskWrite(BaseModel):
    """A task that is to exist; what is not set is not sent."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    name: str
    command: str
    frequency: str
    container: str | None = None
    enabled: bool | None = None
    timeout: int | None = Field(default=None, ge=60)

    def body(self) -> dict[str, Any]:
        """Return the request body."""
        return self.model_dump(exclude_unset=True)


_TASKS: Final = listing(ScheduledTask)
_EXECUTIONS: Final = listing(TaskExecution)


class ScheduledTasks:
    """`/applications/{uuid}/scheduled-tasks`, and the same of services."""

    def __init__(
        self,
        transport: Transport,
        capabilities: Callable[[], Awaitable[Capabilities]],
        group: str = "applications",
    ) -> None:
        self._group = group
        self._transport = transport
        self._capabilities = capabilities

    async def list(self, owner_uuid: str) -> tuple[ScheduledTask, ...]:
        """Return the tasks of an application."""
        return _TASKS.validate_python(await self._transport.get(self._path(owner_uuid)))

    async def ensure(self, owner_uuid: str, task: TaskWrite) -> ScheduledTask:
        """Bring the task with this name to what is wanted, created if there is none."""

        async def find() -> ScheduledTask | None:
            return next((one for one in await self.list(owner_uuid) if one.name == task.name), None)

        found = await find()
        if found is not None:
            answer = await self._transport.patch(f"{self._path(owner_uuid)}/{found.uuid}", task.body())
            return ScheduledTask.model_validate(answer)

        async def send() -> ScheduledTask:
            answer = await self._transport.post_once(self._path(owner_uuid), task.body())
            return ScheduledTask.model_validate(answer)

        return await create_once(send, find)

    async def executions(self, owner_uuid: str, task_uuid: str) -> tuple[TaskExecution, ...]:
        """Return the runs of a task, newest first."""
        path = f"{self._path(owner_uuid)}/{task_uuid}/executions"
        return _EXECUTIONS.validate_python(await self._transport.get(path))

    async def execute(self, owner_uuid: str, task_uuid: str) -> None:
        """Queue a run; it has no id yet (4.3.0 and later)."""
        (await self._capabilities()).require(Feature.TASK_EXECUTION)
        await self._transport.post_once(f"{self._path(owner_uuid)}/{task_uuid}/execute")

    async def delete(self, owner_uuid: str, task_uuid: str) -> None:
        """Delete a task."""
        await self._transport.delete(f"{self._path(owner_uuid)}/{task_uuid}")

    def _path(self, owner_uuid: str) -> str:
        return f"/{self._group}/{owner_uuid}/scheduled-tasks"


class Tag(Answer):
    """A label for applications; a deployment can be triggered for all that have it."""

    uuid: str
    name: str


_TAGS: Final = listing(Tag)


class Tags:
    """`/tags` and the tags of applications, databases or services (4.2.0 and later)."""

    def __init__(
        self,
        transport: Transport,
        capabilities: Callable[[], Awaitable[Capabilities]],
        group: str = "applications",
    ) -> None:
        self._group = group
        self._transport = transport
        self._capabilities = capabilities

    async def list(self, owner_uuid: str | None = None) -> tuple[Tag, ...]:
        """Return the tags of an application, or of the whole team."""
        (await self._capabilities()).require(Feature.TAGS)
        path = f"/{self._group}/{owner_uuid}/tags" if owner_uuid else "/tags"
        return _TAGS.validate_python(await self._transport.get(path))

    async def add(self, owner_uuid: str, names: Sequence[str]) -> tuple[Tag, ...]:
        """Give tags to an application, created where there are none; having one already changes nothing."""
        (await self._capabilities()).require(Feature.TAGS)
        answer = await self._transport.post(f"/{self._group}/{owner_uuid}/tags", {"tag_names": list(names)})
        return _TAGS.validate_python(answer)

    async def remove(self, owner_uuid: str, tag_uuid: str) -> None:
        """Take a tag from an application; one that nothing has any more disappears."""
        await self._transport.delete(f"/{self._group}/{owner_uuid}/tags/{tag_uuid}")

    async def rename(self, tag_uuid: str, name: str) -> Tag:
        """Rename a tag of the team, wherever it is."""
        (await self._capabilities()).require(Feature.TAGS)
        return Tag.model_validate(await self._transport.patch(f"/tags/{tag_uuid}", {"name": name}))

    async def delete(self, tag_uuid: str) -> None:
        """Delete a tag of the team, and take it from all that have it."""
        (await self._capabilities()).require(Feature.TAGS)
        await self._transport.delete(f"/tags/{tag_uuid}")
