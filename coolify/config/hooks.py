"""Sections `release.before` and `release.after`: commands around a deployment."""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from coolify.config.base import Section
from coolify.config.fields import Label

__all__ = ["Hook", "HookPlace"]


class HookPlace(StrEnum):
    """Where a command runs."""

    HERE = "here"
    """On the machine that runs the release, in the directory that holds `.coolify`."""
    CONTAINER = "container"
    """In the application's running container."""


class Hook(Section):
    """One command: its text alone, or a mapping. It may run again when a release is taken up again."""

    run: Annotated[str, Field(min_length=1, max_length=4000)]
    """Command of a shell; it failed when it does not end with 0."""
    where: HookPlace = HookPlace.HERE
    """`here`, where the release runs, or `container`, the application's running one (Coolify 4.3.0)."""
    container: Label | None = None
    """Service of a compose application whose container it is."""
    timeout: Annotated[float, Field(gt=0, le=36000, allow_inf_nan=False)] = 300.0
    """Seconds that it may take."""

    @model_validator(mode="before")
    @classmethod
    def _take_text(cls, data: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever was written
        return {"run": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _has_one_place(self) -> Self:
        if self.container is not None and self.where is not HookPlace.CONTAINER:
            raise ValueError("`container` goes with `where: container` alone.")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe both ways to write a hook."""
        described = handler(schema)
        resolved = handler.resolve_ref_schema(described)
        mapping = dict(resolved)
        resolved.clear()
        resolved["description"] = mapping.pop("description")
        resolved["anyOf"] = [{"type": "string"}, mapping]
        return described

    @property
    def title(self) -> str:
        """The command in one short line, for logs."""
        line = " ".join(self.run.split())
        return line if len(line) <= 60 else f"{line[:57]}..."
