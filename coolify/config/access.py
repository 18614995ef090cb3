"""Sections `auth`, `project` and `application`: where the configuration applies and how one gets in."""

from datetime import datetime

from pydantic import AwareDatetime, Field

from coolify.config.base import Section
from coolify.config.fields import CoolifyId, Line, ProjectName
from coolify.config.interpolation import Reference

__all__ = ["Application", "Auth", "Project"]


class Auth(Section):
    """How to authenticate at the Coolify server."""

    token: Reference = Field(default=Reference("${COOLIFY_TOKEN}"), json_schema_extra={"default": "${COOLIFY_TOKEN}"})
    """API token, as a reference to an environment variable; a literal token is refused."""
    expires: AwareDatetime | None = None
    """When the token expires, as its page in Coolify shows it; the API cannot tell. Releases warn before."""

    def days_left(self, now: datetime) -> float | None:
        """Return the days until the token expires, negative afterwards, None when the date is not given."""
        return None if self.expires is None else (self.expires - now).total_seconds() / 86400


class Project(Section):
    """The Coolify project that holds the application; created when it is missing and no uuid is given."""

    name: ProjectName
    """Name of the project."""
    uuid: CoolifyId | None = None
    """Coolify's identifier of an existing project; goes before the name."""
    description: Line | None = None
    """Description shown in Coolify."""


class Application(Section):
    """The application inside the project."""

    name: Line | None = None
    """Name of the application; the project's name when left out."""
    uuid: CoolifyId | None = None
    """Coolify's identifier of an existing application; goes before the name."""
    description: Line | None = None
    """Description shown in Coolify."""
    server: Line | None = None
    """Name or uuid of the server that runs it; needed when Coolify has more than one."""
    destination: CoolifyId | None = None
    """Uuid of the destination (Docker network); needed when the server has more than one."""
