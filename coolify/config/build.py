"""Sections `source` and `build`: what is built and how."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, model_validator

from coolify.config.base import Section, as_list
from coolify.config.fields import AbsolutePath, CoolifyId, ImageName, Line, Port, ShellCommand

__all__ = ["Build", "BuildPack", "Source"]


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


class Source(Section):
    """Where the application comes from: exactly one of `repository`, `image` and `dockerfile`."""

    repository: Line | None = None
    """URL of a Git repository, https for a public one, ssh together with `private_key` for a private one."""
    branch: Line = "main"
    """Branch of the repository."""
    commit: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", max_length=255)] | None = None
    """Commit to deploy; the branch's newest when left out."""
    private_key: CoolifyId | None = None
    """Uuid of the deploy key in Coolify (Keys & Tokens) that may read a private repository."""
    image: ImageName | None = None
    """Image of a registry, without tag, as in ghcr.io/team/app."""
    tag: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=128)] = "latest"
    """Tag of the image."""
    dockerfile: Line | None = None
    """Path of a Dockerfile, relative to the directory in which the command runs, whose text is sent to Coolify."""

    @model_validator(mode="after")
    def _has_one_origin(self) -> Source:
        given = [name for name in ("repository", "image", "dockerfile") if getattr(self, name) is not None]
        if len(given) != 1:
            have = " and ".join(given) or "none"
            raise ValueError(f"needs exactly one of `repository`, `image` and `dockerfile`, has {have}.")
        if self.private_key is not None and self.repository is None:
            raise ValueError("`private_key` is of use with `repository` only: remove it.")
        return self


class Build(Section):
    """How the application is built and which ports it listens on."""

    pack: BuildPack = BuildPack.NIXPACKS
    """Build pack."""
    install_command: ShellCommand | None = None
    """Command that installs dependencies; found by the build pack when left out."""
    build_command: ShellCommand | None = None
    """Command that builds; found by the build pack when left out."""
    start_command: ShellCommand | None = None
    """Command that starts the application; found by the build pack when left out."""
    base_directory: AbsolutePath = "/"
    """Directory of the repository in which to build."""
    publish_directory: AbsolutePath | None = None
    """Directory whose files are served, with `static`."""
    dockerfile: AbsolutePath | None = None
    """Location of the Dockerfile in the repository, below `base_directory`, with `dockerfile`."""
    port: Port | None = None
    """Port that the application listens on."""
    ports: Annotated[tuple[Port, ...], BeforeValidator(as_list)] = ()
    """Ports that the application listens on, when there are several; domains lead to the first one."""

    @model_validator(mode="after")
    def _has_one_way_to_say_ports(self) -> Build:
        if self.port is not None and self.ports:
            raise ValueError("`port` and `ports` say the same: keep one.")
        if len(set(self.ports)) != len(self.ports):
            raise ValueError("`ports` holds a port twice.")
        return self

    @property
    def ports_exposes(self) -> str:
        """Ports as Coolify's `ports_exposes` wants them, `3000` or `80` by build pack when none is given."""
        ports = self.ports or ((self.port,) if self.port is not None else ())
        return ",".join(str(port) for port in ports) or _DEFAULT_PORT[self.pack]
