"""Section `databases`: what the application stores its data in."""

from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from coolify.config.base import Section
from coolify.config.fields import Label, Line
from coolify.config.resources import Resources
from coolify.engines import DatabaseEngine

__all__ = ["IMAGES", "DatabaseName", "DatabaseSection", "Schema"]

IMAGES: Final = {
    DatabaseEngine.POSTGRESQL: "postgres",
    DatabaseEngine.MYSQL: "mysql",
    DatabaseEngine.MARIADB: "mariadb",
    DatabaseEngine.MONGODB: "mongo",
    DatabaseEngine.REDIS: "redis",
    DatabaseEngine.KEYDB: "eqalpha/keydb",
    DatabaseEngine.DRAGONFLY: "docker.dragonflydb.io/dragonflydb/dragonfly",
    DatabaseEngine.CLICKHOUSE: "clickhouse/clickhouse-server",
}
"""Image of each engine, to which a version is a tag; those that Coolify itself starts with (reference 5.1)."""
_WITHOUT_DATABASE: Final = frozenset(
    {DatabaseEngine.REDIS, DatabaseEngine.KEYDB, DatabaseEngine.DRAGONFLY, DatabaseEngine.CLICKHOUSE}
)
_WITHOUT_USER: Final = _WITHOUT_DATABASE - {DatabaseEngine.CLICKHOUSE}
_WITHOUT_CONF: Final = frozenset({DatabaseEngine.DRAGONFLY, DatabaseEngine.CLICKHOUSE})

Identifier = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
"""A name that Coolify takes for a database or a user (reference 5.1)."""
DatabaseName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$")]
"""Key of a database in the section; it stands in `${databases.NAME.url}`."""


class Schema(Section):
    """How the tables come into being: commands that run once in the application's container, in order.

    They run after a deployment and before its health is proved; a failure ends the release as a failed gate does.
    """

    commands: Annotated[tuple[Line, ...], Field(min_length=1)]
    """Commands; a changed list runs again, an unchanged one never does."""
    container: Label | None = None
    """Service of a compose application whose container they run in."""
    timeout: Annotated[int, Field(ge=1, le=36000)] = 600
    """Seconds that one may take on average."""


class DatabaseSection(Section):
    """One database. Coolify makes its password; it is never asked for and never printed."""

    engine: DatabaseEngine
    """What runs it."""
    name: Line | None = None
    """Name in Coolify; project and key joined by a hyphen when left out."""
    version: Annotated[Label, Field(coerce_numbers_to_str=True)] | None = None
    """Version, that is the tag of the engine's image; Coolify's own choice when left out."""
    image: Line | None = None
    """Whole image with tag instead of `version`."""
    database: Identifier | None = None
    """Database that is created in it."""
    user: Identifier | None = None
    """User that owns it."""
    resources: Resources = Resources()
    """How much of the server it may use."""
    conf: Annotated[str, Field(max_length=65536)] | None = None
    """Configuration in the engine's own language; applies with the next restart."""
    public_port: Annotated[int, Field(ge=1024, le=65535)] | None = None
    """Port under which the whole world reaches it; closed when left out, and better so."""
    start_timeout: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] = 300.0
    """Seconds that it may take to become healthy."""
    schema_: Schema | None = Field(default=None, alias="schema")
    """How the tables come into being."""

    @model_validator(mode="after")
    def _fits_the_engine(self) -> Self:
        if self.version is not None and self.image is not None:
            raise ValueError("needs either `version` or `image`, not both.")
        for field, lacking in (("database", _WITHOUT_DATABASE), ("user", _WITHOUT_USER), ("conf", _WITHOUT_CONF)):
            if getattr(self, field) is not None and self.engine in lacking:
                raise ValueError(f"`{field}` cannot be set for {self.engine.value}: remove it.")
        if self.resources.storage is not None:
            raise ValueError("`resources.storage` is checked for applications only: remove it.")
        return self

    @property
    def whole_image(self) -> str | None:
        """Image with tag, None for Coolify's own choice."""
        if self.image is not None:
            return self.image
        return f"{IMAGES[self.engine]}:{self.version}" if self.version else None
