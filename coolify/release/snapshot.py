"""The state of an application before a release, complete enough to bring it back.

Coolify's rollback brings back the image alone (reference 4.6): variables, domains, labels, health check and
limits are ours to keep. A snapshot holds secret values and is stored encrypted only.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, JsonValue, SecretStr, field_serializer

__all__ = ["Snapshot", "SnapshotVariable"]


class SnapshotVariable(BaseModel):
    """One production variable as it was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    value: SecretStr | None = Field(description="None where Coolify stored no value.")
    is_literal: bool = False
    is_multiline: bool = False
    is_shown_once: bool = False
    is_runtime: bool = True
    is_buildtime: bool = True
    comment: str | None = None

    @field_serializer("value", when_used="json")
    def _reveal(self, value: SecretStr | None) -> str | None:
        # JSON of a snapshot exists only inside encrypted storage.
        return None if value is None else value.get_secret_value()


class Snapshot(BaseModel):
    """What a rollback restores."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    taken_at: datetime
    commit: str | None = Field(default=None, description="Commit of the version that was serving, None if none was.")
    image_tag: str | None = Field(default=None, description="Registry tag of a docker image application.")
    settings: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Settings by their API names, only those that the release may change.",
    )
    domains: str | None = Field(default=None, description="Comma-separated URLs as Coolify stores them.")
    custom_labels: str | None = Field(default=None, description="Plain text of the container labels.")
    login_password: SecretStr | None = Field(default=None, description="Password that Coolify asked visitors for.")
    variables: tuple[SnapshotVariable, ...] = ()
    preview_keys: tuple[str, ...] = Field(default=(), description="Keys that had a preview twin.")
    unreadable: tuple[str, ...] = Field(
        default=(),
        description="Names of variables whose values Coolify never shows again; a rollback leaves them alone.",
    )

    @field_serializer("login_password", when_used="json")
    def _reveal(self, value: SecretStr | None) -> str | None:
        # JSON of a snapshot exists only inside encrypted storage.
        return None if value is None else value.get_secret_value()

    def variable(self, key: str) -> SnapshotVariable | None:
        """Return the variable with this key, None when it did not exist."""
        return next((variable for variable in self.variables if variable.key == key), None)
