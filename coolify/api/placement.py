"""Where a resource lives in Coolify."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Placement"]


class Placement(BaseModel):
    """Where an application lives; fixed at its creation."""

    model_config = ConfigDict(frozen=True, defer_build=True, extra="forbid")

    project_uuid: str = Field(title="Project", description="UUID of the project in Coolify.")
    environment_name: str = Field(title="Environment", description="Name of the environment in the project.")
    server_uuid: str = Field(title="Server", description="UUID of the server in Coolify.")
    destination_uuid: str | None = Field(
        default=None, title="Destination", description="Needed where a server has several networks."
    )
