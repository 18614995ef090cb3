"""Section `health.probes`: further questions that the health gate asks."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from coolify.config.base import Section, as_list
from coolify.config.fields import AbsolutePath, Line

__all__ = ["Endpoint", "Probe", "Statuses"]

_ENDPOINT: Final = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+):(?P<port>[0-9]{1,5})")

Status = Annotated[int, Field(ge=100, le=599)]
Statuses = Annotated[
    tuple[Status, ...],
    BeforeValidator(as_list),
    Field(min_length=1),
]


def _endpoint(text: str) -> str:
    match = _ENDPOINT.fullmatch(text)
    if match is None or not 1 <= int(match["port"]) <= 65535:
        raise ValueError("must be a host and a port, as in db.example.com:5432.")
    return text


Endpoint = Annotated[str, Field(max_length=255), AfterValidator(_endpoint)]
"""A host name or an address, and a port."""


class Probe(Section):
    """One question: exactly one of `http`, `tcp`, `tls` and `run`."""

    name: Line | None = None
    """What it is called in reports."""
    http: AbsolutePath | None = None
    """Path that is asked under every domain."""
    tcp: Endpoint | None = None
    """Host and port that must accept a connection."""
    tls: Endpoint | None = None
    """Host and port that must show a certificate which is trusted and names the host."""
    run: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    """Command of a shell that must end with 0; it runs where the check runs, in the directory that holds `.coolify`."""
    method: Literal["GET", "HEAD", "OPTIONS"] | None = None
    """HTTP method, GET when left out."""
    expect: Statuses | None = None
    """HTTP status codes that count as success, 200 when left out."""
    body: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Text that the body must hold."""
    json_path: Line | None = None
    """Where in a JSON body `json_value` must be, as in `checks.0.status`."""
    json_value: Line | None = None
    """What must be there, as text."""
    header: Line | None = None
    """Response header that must hold `header_value`."""
    header_value: Line | None = None
    """Text that the header must hold."""
    max_seconds: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] | None = None
    """A slower answer is a bad one."""
    timeout: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] | None = None
    """Seconds that it may take; `health.timeout` when left out."""

    @model_validator(mode="after")
    def _is_one_question(self) -> Self:
        given = [name for name in ("http", "tcp", "tls", "run") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"needs exactly one of `http`, `tcp`, `tls` and `run`, has {' and '.join(given) or 'none'}."
            )
        of_http = ("method", "expect", "body", "json_path", "json_value", "header", "header_value")
        foreign = [name for name in of_http if getattr(self, name) is not None]
        if foreign and self.http is None:
            raise ValueError(f"`{foreign[0]}` goes with `http` alone.")
        for one, other in (("json_path", "json_value"), ("header", "header_value")):
            if (getattr(self, one) is None) != (getattr(self, other) is None):
                raise ValueError(f"`{one}` and `{other}` go together.")
        return self
