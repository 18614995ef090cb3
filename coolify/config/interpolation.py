"""Text with `${VARIABLE}` in it, resolved only when it is used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from coolify.config.document import Place, PlacedText
from coolify.config.errors import ConfigError, Problem

__all__ = ["Reference", "literal_part"]

_REFERENCE: Final = re.compile(
    r"\$\$\{"
    r"|\$\{databases\.(?P<database>[A-Za-z_][A-Za-z0-9_-]*)\.(?P<part>url|host|port|user|password|name)\}"
    r"|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
)
_NOWHERE: Final = Place(Path(".coolify/config.yml"), 0, "")


@dataclass(frozen=True, slots=True)
class Reference:
    """Text in which `${NAME}` and `${NAME:-default}` stand for environment variables; `$${` is a plain `${`.

    In variables of the application `${databases.NAME.url}` stands for the connection string of a database, and
    `host`, `port`, `user`, `password` and `name` for its parts; they are known once the database exists.

    Attributes:
        text: The text as written, for example `${COOLIFY_TOKEN}`.
    """

    text: str
    place: Place = field(default=_NOWHERE, compare=False, repr=False)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables that the text needs, in order."""
        return tuple(match["name"] for match in _REFERENCE.finditer(self.text) if match["name"])

    @property
    def databases(self) -> tuple[str, ...]:
        """Names of the databases whose connection the text needs, in order."""
        return tuple(match["database"] for match in _REFERENCE.finditer(self.text) if match["database"])

    def resolve(self, environ: Mapping[str, str], databases: Mapping[str, Mapping[str, str]] | None = None) -> str:
        """Return the text with all variables replaced; an empty variable counts as not set, as in a shell's `:-`.

        Args:
            environ: Where `${NAME}` is looked up.
            databases: Parts of the connection of each database that exists; references to others stay as they are.

        Raises:
            ConfigError: A variable without default is not set.
        """
        missing: list[str] = []

        def value_of(match: re.Match[str]) -> str:
            if match["database"]:
                return (databases or {}).get(match["database"], {}).get(match["part"], match[0])
            if match["name"] is None:
                return "${"
            value = environ.get(match["name"], "")
            if not value and match["default"] is None:
                missing.append(match["name"])
            return value or match["default"] or ""

        resolved = _REFERENCE.sub(value_of, self.text)
        if missing:
            raise ConfigError(self.place.file, tuple(self._missing(name) for name in dict.fromkeys(missing)))
        return resolved

    def _missing(self, name: str) -> Problem:
        return self.place.problem(f"the environment variable {name} is not set: run `export {name}=...` first.")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accept text, keeping its place; appear as a string in JSON and in the JSON Schema."""
        return core_schema.no_info_before_validator_function(
            _from_text,
            core_schema.is_instance_schema(cls, cls_repr="text"),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda reference: reference.text),
            json_schema_input_schema=core_schema.str_schema(),
        )


def literal_part(text: str) -> str:
    """Return the text without its references; the default of a `${NAME:-default}` stays, for it stands in the file."""
    return _REFERENCE.sub(lambda match: match["default"] or "", text)


def _from_text(value: object) -> object:
    if isinstance(value, PlacedText):
        return Reference(str(value), value.place)
    return Reference(value) if isinstance(value, str) else value
