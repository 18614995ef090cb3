"""Section `domains`: under which names the application is reached."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from coolify.config.base import Section
from coolify.config.fields import AbsolutePath, HostName, Label, Line

__all__ = ["SETTINGS", "Domain"]

SETTINGS: Final = frozenset({"ssl", "path", "service"})
"""Keys of an entry beside its name."""


class Domain(Section):
    """One entry: `primary:`, `staging:` or any other name with the host name as value, and its settings."""

    name: Label
    """The entry's name, as in `primary`; that of an environment keeps it there, and what is nearly one is refused."""
    host: HostName
    """The host name."""
    ssl: bool = True
    """Whether the domain is served over HTTPS with a certificate."""
    path: AbsolutePath = "/"
    """Path below which the application is served."""
    service: Line | None = None
    """Service of the compose file that is served, with the build pack dockercompose."""

    @model_validator(mode="before")
    @classmethod
    def _take_name_from_key(cls, data: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever was written
        if not isinstance(data, Mapping) or {"name", "host"} <= set(data):
            return data
        names = [str(key) for key in data if key not in SETTINGS]
        if len(names) != 1:
            have = ", ".join(f"`{name}`" for name in names) or "none"
            raise ValueError(
                f"needs exactly one name with a host, as in `primary: app.example.com`, beside `ssl`, `path` and "
                f"`service`; has {have}."
            )
        settings = {key: value for key, value in data.items() if key in SETTINGS}
        return {"name": names[0], "host": data[names[0]], **settings}

    @property
    def url(self) -> str:
        """The address as Coolify and a browser write it, without trailing slash."""
        return f"{'https' if self.ssl else 'http'}://{self.host}{self.path.rstrip('/')}"

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the entry as it is written: one free key beside `ssl`, `path` and `service`."""
        described = handler.resolve_ref_schema(handler(schema))
        host = described["properties"].pop("host")
        name = described["properties"].pop("name")
        described.pop("required", None)
        host["description"] = (
            f"{host['description']} The key is {name['description'][0].lower()}{name['description'][1:]}"
        )
        described["additionalProperties"] = host
        described["minProperties"] = 1
        return described
