"""Section `build`: how the application is built."""

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, model_validator

from coolify.config.base import Section, as_list
from coolify.config.fields import FilePath, Port, ShellCommand

__all__ = ["Build", "BuildPack"]


class BuildPack(StrEnum):
    """How Coolify turns the source into an image."""

    NIXPACKS = "nixpacks"
    RAILPACK = "railpack"
    STATIC = "static"
    DOCKERFILE = "dockerfile"
    DOCKERCOMPOSE = "dockercompose"


# Reference 2.2: the default of `ports_exposes` depends on the build pack.
_DEFAULT_PORT: Final = {
    BuildPack.NIXPACKS: "3000",
    BuildPack.RAILPACK: "3000",
    BuildPack.STATIC: "80",
    BuildPack.DOCKERFILE: "3000",
    BuildPack.DOCKERCOMPOSE: "80",
}


class Build(Section):
    """How the application is built and which ports it listens on."""

    pack: BuildPack = BuildPack.NIXPACKS
    """Build pack."""
    install_command: ShellCommand | None = None
    """Command that installs dependencies; found by the build pack when left out."""
    build_command: ShellCommand | None = None
    """Command that builds; found by the build pack when left out. With `dockercompose` it replaces
    `docker compose build`."""
    start_command: ShellCommand | None = None
    """Command that starts the application; found by the build pack when left out. With `dockercompose` it replaces
    `docker compose up`."""
    base_directory: FilePath = "/"
    """Directory of the repository in which to build."""
    publish_directory: FilePath | None = None
    """Directory whose files are served, with `static`."""
    dockerfile: FilePath | None = None
    """Location of the Dockerfile in the repository, below `base_directory`, with `dockerfile`."""
    compose_file: FilePath | None = None
    """Location of the compose file in the repository, below `base_directory`, with `dockercompose`."""
    port: Port | None = None
    """Port that the application listens on."""
    ports: Annotated[tuple[Port, ...], BeforeValidator(as_list)] = ()
    """Ports that the application listens on, when there are several; domains lead to the first one."""

    @model_validator(mode="after")
    def _names_files_of_its_pack(self) -> Self:
        for key, pack in (("dockerfile", BuildPack.DOCKERFILE), ("compose_file", BuildPack.DOCKERCOMPOSE)):
            if getattr(self, key) is not None and self.pack is not pack:
                raise ValueError(f"`{key}` is of use with the build pack {pack.value} only: set `pack` or remove it.")
        if self.pack is BuildPack.DOCKERCOMPOSE and self.install_command is not None:
            raise ValueError("`install_command` is of no use with the build pack dockercompose: remove it.")
        return self

    @model_validator(mode="after")
    def _has_one_way_to_say_ports(self) -> Self:
        if self.port is not None and self.ports:
            raise ValueError("`port` and `ports` say the same: keep one.")
        if len(set(self.ports)) != len(self.ports):
            raise ValueError("`ports` holds a port twice.")
        return self

    @property
    def dockerfile_path(self) -> str:
        """Path of the Dockerfile in the repository, without leading slash; the default is Coolify's."""
        return _joined(self.base_directory, self.dockerfile or "/Dockerfile")

    @property
    def compose_path(self) -> str:
        """Path of the compose file in the repository, without leading slash; the default is Coolify's."""
        return _joined(self.base_directory, self.compose_file or "/docker-compose.yaml")

    @property
    def directory(self) -> str:
        """Directory of the repository in which is built, without slashes around it; empty for its root."""
        return self.base_directory.strip("/")

    @property
    def ports_exposes(self) -> str:
        """Ports as Coolify's `ports_exposes` wants them, `3000` or `80` by build pack when none is given."""
        ports = self.ports or ((self.port,) if self.port is not None else ())
        return ",".join(str(port) for port in ports) or _DEFAULT_PORT[self.pack]


def _joined(directory: str, file: str) -> str:
    return f"{directory.strip('/')}/{file.lstrip('/')}".lstrip("/")
