"""Section `network`: how checks from the outside reach what they look at."""

import ipaddress
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from coolify.config.base import Section
from coolify.config.fields import Line, Port

__all__ = ["Network", "ResolverAddress"]


class ResolverAddress(Section):
    """A DNS server to ask, written as `192.0.2.53`, `192.0.2.53:5353` or `[2001:db8::53]:5353`."""

    address: str
    """IP address."""
    port: Port = 53
    """UDP and TCP port."""

    @model_validator(mode="before")
    @classmethod
    def _take_text(cls, data: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever was written
        if not isinstance(data, str):
            return data
        host, port = data, ""
        if data.startswith("["):
            host, _, rest = data[1:].partition("]")
            port = rest.removeprefix(":")
        elif data.count(":") == 1:
            host, _, port = data.partition(":")
        try:
            address = str(ipaddress.ip_address(host))
        except ValueError:
            raise ValueError("is not an IP address, as in 192.0.2.53 or 192.0.2.53:5353.") from None
        return {"address": address, **({"port": port} if port else {})}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the address as it is written, as text."""
        described = handler.resolve_ref_schema(handler(schema))
        description = described["description"]
        described.clear()
        described.update({"type": "string", "description": description})
        return described


class Network(Section):
    """How the checks from the outside reach name servers and the application."""

    resolvers: tuple[ResolverAddress, ...] = ()
    """DNS servers to ask; those of the system when left out."""
    ca_file: Line | None = None
    """PEM file with the certificate authorities to trust, for a private one; those of the system when left out."""
    http_port: Port = 80
    """Port of plain HTTP at the server."""
    https_port: Port = 443
    """Port of HTTPS at the server."""
    acme_directory: Annotated[str, Field(pattern=r"^https://[^\s]+$", max_length=2048)] | None = None
    """ACME directory of the authority, to ask when it wants certificates renewed (RFC 9773); known ones are known."""
