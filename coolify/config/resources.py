"""Section `resources`: how much of the server the application may use."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from coolify.config.base import Section
from coolify.config.fields import FilePath, PortMapping, VolumeName
from coolify.config.quantities import docker_cpus, docker_memory, parse_quantity

__all__ = ["Resources", "VolumeMount"]

_LEAST_MEMORY = 6 * 1024**2  # Docker refuses less.


def _cpu(text: str) -> str:
    if parse_quantity(text) < Decimal("0.01"):
        raise ValueError("is less than 10m, the least that Docker allows.")
    return text


def _memory(text: str) -> str:
    if parse_quantity(text) < _LEAST_MEMORY:
        raise ValueError("is less than 6Mi, the least that Docker allows: a number alone counts bytes.")
    return text


_Written = WithJsonSchema({"type": ["string", "number"]})
Processors = Annotated[str, Field(coerce_numbers_to_str=True), AfterValidator(_cpu), _Written]
Memory = Annotated[str, Field(coerce_numbers_to_str=True), AfterValidator(_memory), _Written]


class VolumeMount(Section):
    """A volume that outlives the container."""

    name: VolumeName
    """Name of the volume."""
    mount_path: FilePath
    """Directory of the container in which it appears."""
    host_path: FilePath | None = None
    """Directory of the server to mount instead of a volume of Docker."""


class Resources(Section):
    """Limits, in the notation of Kubernetes: processors `2` or `500m`, sizes `512Mi` or `4Gi`; none when left out."""

    cpu: Processors | None = None
    """Processors."""
    memory: Memory | None = None
    """Memory."""
    memory_swap: Memory | None = None
    """Memory and swap together, at least `memory`."""
    storage: Memory | None = None
    """Disk that must be free on the server before a release; Coolify sets no limit."""

    volumes: tuple[VolumeMount, ...] = ()
    """Volumes; one that is removed here stays on the server with its data."""
    port_mappings: tuple[PortMapping, ...] = ()
    """Ports of the server that lead straight to the container, as in `8080:80`; switches rolling updates off."""

    @model_validator(mode="after")
    def _mounts_each_once(self) -> Self:
        for what, values in (
            ("name", [one.name for one in self.volumes]),
            ("mount_path", [one.mount_path for one in self.volumes]),
        ):
            if twice := next((value for value in values if values.count(value) > 1), None):
                raise ValueError(f"`volumes` holds the {what} {twice} twice: keep one.")
        taken = [mapping.partition(":")[0] for mapping in self.port_mappings]
        if twice := next((port for port in taken if taken.count(port) > 1), None):
            raise ValueError(f"`port_mappings` takes the server's port {twice} twice: keep one.")
        return self

    @model_validator(mode="after")
    def _swap_includes_memory(self) -> Self:
        if self.memory_swap is None:
            return self
        if self.memory is None:
            raise ValueError("`memory_swap` needs `memory`.")
        if parse_quantity(self.memory_swap) < parse_quantity(self.memory):
            raise ValueError("`memory_swap` is memory and swap together: it cannot be less than `memory`.")
        return self

    @property
    def docker_cpus(self) -> str:
        """Processors for Coolify's `limits_cpus`, `0` for no limit."""
        return docker_cpus(self.cpu)

    @property
    def docker_memory(self) -> str:
        """Memory for Coolify's `limits_memory`, `0` for no limit."""
        return docker_memory(self.memory)

    @property
    def docker_memory_swap(self) -> str:
        """Memory and swap for Coolify's `limits_memory_swap`, `0` for no limit."""
        return docker_memory(self.memory_swap)

    @property
    def memory_bytes(self) -> int | None:
        """Memory in bytes."""
        return None if self.memory is None else int(parse_quantity(self.memory))

    @property
    def storage_bytes(self) -> int | None:
        """Disk in bytes."""
        return None if self.storage is None else int(parse_quantity(self.storage))
