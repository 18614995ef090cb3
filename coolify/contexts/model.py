"""One Coolify instance that a person works with."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from coolify.config.fields import ServerUrl

__all__ = ["Context", "TokenStorage"]


class TokenStorage(StrEnum):
    """Where a token is kept."""

    KEYRING = "keyring"
    ENVIRONMENT = "environment"
    COMMAND = "command"
    FILE = "file"


class Context(BaseModel):
    """A Coolify instance under a name, without its token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
    server: ServerUrl
    """Address of the instance, without /api."""
    storage: TokenStorage
    variable: str | None = None
    """Environment variable that holds the token, with `environment`."""
    command: tuple[str, ...] = ()
    """Command that prints the token, with `command`."""
    expires: AwareDatetime | None = None
    """When the token expires; Coolify's API cannot tell."""
    ca_file: str | None = None
    """PEM file of a private certificate authority."""
    prefect_api_url: str | None = None
    """Prefect server on which releases of this instance run; in this process when None."""

    @model_validator(mode="after")
    def _has_an_origin(self) -> Self:
        if (self.storage is TokenStorage.ENVIRONMENT) != (self.variable is not None):
            raise ValueError("`variable` belongs to the storage `environment`.")
        if (self.storage is TokenStorage.COMMAND) != bool(self.command):
            raise ValueError("`command` belongs to the storage `command`.")
        return self

    def days_left(self, now: datetime) -> float | None:
        """Return the days until the token expires, negative afterwards, None when nobody knows."""
        return None if self.expires is None else (self.expires - now).total_seconds() / 86400
