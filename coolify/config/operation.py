"""Sections `release` and `network`: how a release runs, and how checks reach what they look at."""

import ipaddress
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from coolify.config.base import Section
from coolify.config.fields import Line, Port
from coolify.config.freeze import Freeze
from coolify.config.hooks import Hook
from coolify.config.pushes import OnPush

__all__ = ["Network", "Release", "ResolverAddress", "StageTimeouts"]


Moment = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]


class StageTimeouts(Section):
    """Seconds after which a deployment that stays in one stage is stuck: it is cancelled and told."""

    queued: Moment = 900.0
    """In the queue without coming forward, and before that for room in a full queue."""
    preparing: Moment = 300.0
    """Until the build container runs."""
    cloning: Moment = 600.0
    """Fetching the source."""
    building: Moment = 1800.0
    """Building the image; a deployment before ours that writes nothing for so long counts as dead."""
    pushing: Moment = 900.0
    """Pushing the image to a registry."""
    starting: Moment = 600.0
    """Pulling images and starting the container."""
    health: Moment = 900.0
    """Docker's own health check."""
    finishing: Moment = 600.0
    """Removing what was before."""


class Release(Section):
    """How a release runs."""

    deploy_timeout: Moment = 1800.0
    """Seconds that Coolify may take to build and start the new version, without the time in the queue."""
    stage_timeouts: StageTimeouts = StageTimeouts()
    """Seconds after which a deployment that stays in one stage is cancelled."""
    auto_deploy: bool = False
    """Whether Coolify itself deploys on a push, past the health gate; off, pushes start a release."""
    on_push: OnPush = OnPush()
    """Which pushes start a release."""
    requires: tuple[Line, ...] = ()
    """Applications of the same environment that must run and be healthy before this one is released."""
    freeze: tuple[Freeze, ...] = ()
    """Times in which nothing is released or deployed, unless it is overridden; rollbacks always go."""
    backup_before: bool = False
    """Whether every database with a schedule is backed up before a deployment, and the release fails unless the fresh
    dump was restored and asked; schedules need a `storage`: what lies beside its database cannot be fetched."""
    before: tuple[Hook, ...] = ()
    """Commands before the deployment of a release, in order; when one fails, nothing is deployed."""
    after: tuple[Hook, ...] = ()
    """Commands after the health gate of a release, in order; when one fails, the gate counts as failed."""


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
