"""Section `env`: the environment variables of the application."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import Field, GetJsonSchemaHandler, SecretStr, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from coolify.config.base import Section
from coolify.config.fields import Line
from coolify.config.interpolation import Reference

__all__ = ["EnvValue", "ResolvedVariable"]


class EnvValue(Section):
    """One variable: its text alone, or a mapping with `value` or `from_file` and settings."""

    value: Reference | None = None
    """The value, with `${NAME}` for variables of the machine that runs the release, `${databases.NAME.url}` for the
    connection string of a database."""
    from_file: Line | None = None
    """File that holds the value, relative to the configuration file; one line break at its end is cut off."""
    literal: bool | None = None
    """Whether Coolify keeps `$` as it is; when left out, yes if the value holds one."""
    multiline: bool | None = None
    """Whether the value has several lines; when left out, as the value is."""
    build: bool = True
    """Whether the variable is set while building."""
    runtime: bool = True
    """Whether the variable is set while running."""
    comment: Annotated[str, Field(max_length=256)] | None = None
    """Comment shown in Coolify."""

    @model_validator(mode="before")
    @classmethod
    def _take_text(cls, data: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever was written
        if isinstance(data, bool):
            return {"value": str(data).lower()}
        if isinstance(data, int):
            return {"value": str(data)}
        # `KEY:` with nothing after it is an empty value, as in a .env file.
        return data if isinstance(data, Mapping | EnvValue) else {"value": "" if data is None else data}

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if (self.value is None) == (self.from_file is None):
            raise ValueError("needs either `value` or `from_file`.")
        if not self.build and not self.runtime:
            raise ValueError("is set neither while building nor while running: remove it.")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe both ways to write a variable."""
        described = handler(schema)
        resolved = handler.resolve_ref_schema(described)
        mapping = dict(resolved)
        resolved.clear()
        resolved["description"] = mapping.pop("description")
        resolved["anyOf"] = [{"type": ["string", "number", "boolean", "null"]}, mapping]
        return described


@dataclass(frozen=True, slots=True)
class ResolvedVariable:
    """A variable with its real value, ready to be sent; never store it."""

    key: str
    value: SecretStr
    literal: bool
    multiline: bool
    build: bool
    runtime: bool
    comment: str | None
    awaits: tuple[str, ...] = ()
    """Databases whose connection is part of the value and not known yet."""
