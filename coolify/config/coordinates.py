"""What every command needs of the configuration: which application, on which server, and how one gets in."""

from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from coolify.config.access import Application, Auth, Project
from coolify.config.base import Section
from coolify.config.fields import Label, ServerUrl
from coolify.config.network import Network

__all__ = ["DEFAULT_PATH", "Coordinates"]

DEFAULT_PATH: Final = Path(".coolify/config.yml")
"""Where the file is, relative to the root of an application's repository."""


class Coordinates(Section):
    """The application that `.coolify/config.yml` describes, for one environment, without what is wanted of it.

    Commands that only look at something there take no more than this: the other sections are not read, and what is
    wrong in them does not keep anybody from looking.
    """

    path: SkipJsonSchema[Path] = Field(default=DEFAULT_PATH, exclude=True)
    """The file that was read."""

    server: ServerUrl
    """Address of the Coolify server."""
    auth: Auth = Auth()
    """How to authenticate."""
    project: Project
    """The project that holds the application."""
    environment: Label = "production"
    """Name of the Coolify environment."""
    application: Application = Application()
    """The application inside the project."""
    network: Network = Network()
    """How checks from the outside reach the application."""

    @property
    def application_name(self) -> str:
        """Name of the application, the project's when it has none of its own."""
        return self.application.name or self.project.name

    @property
    def root(self) -> Path:
        """The directory that the file describes: where `.coolify` is, and where commands run."""
        folder = self.path.resolve().parent
        return folder.parent if folder.name == DEFAULT_PATH.parent.name else folder

    @property
    def ca_path(self) -> Path | None:
        """File of the private certificate authority; a relative path starts at the configuration file."""
        if self.network.ca_file is None:
            return None
        path = Path(self.network.ca_file).expanduser()
        return path if path.is_absolute() else self.path.parent / path
