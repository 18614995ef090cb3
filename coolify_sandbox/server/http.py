"""Requests, answers and refusals in Coolify's manner (reference 0.1-0.4)."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from coolify_sandbox.server.fields import SENSITIVE
from coolify_sandbox.server.state import Row, State, Token

__all__ = ["ROUTES", "Call", "Endpoint", "Refusal", "answer", "not_found", "present", "refuse", "route", "truthy"]

Payload = Any
"""JSON, or text for the few endpoints that answer plain text."""
Handler = Callable[["Call"], Awaitable[tuple[int, Payload]]]


class Refusal(Exception):  # noqa: N818 - an answer, not an error of the program
    """An error answer."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


def refuse(status: int, message: str, **more: Any) -> NoReturn:  # noqa: ANN401 - JSON
    """Answer with an error and a message."""
    raise Refusal(status, {"message": message, **more})


def not_found(what: str) -> NoReturn:
    """Answer that an object does not exist, or belongs to another team."""
    refuse(404, f"{what} not found.")


@dataclass(frozen=True)
class Call:
    """One authorised request."""

    request: Request
    state: State
    token: Token | None
    path: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def team_id(self) -> int:
        """Team of the token; all look-ups are limited to it."""
        return self.token.team_id if self.token else -1

    @property
    def sees_secrets(self) -> bool:
        """Whether hidden fields are shown."""
        return self.token is not None and self.token.sees_secrets

    def parameter(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - JSON or text
        """Return a parameter of the query or the body; actions accept both."""
        if name in self.request.query_params:
            return self.request.query_params[name]
        return self.body.get(name, default)

    def find(self, kind: str, uuid: str, what: str, *, period: bool = True) -> Row:
        """Return the team's object with this UUID, or answer 404."""
        row = self.state.by_uuid(kind, uuid)
        if row is None or row.get("team_id") != self.team_id:
            refuse(404, f"{what} not found{'.' if period else ''}")
        return row


@dataclass(frozen=True)
class Endpoint:
    """A route of the API."""

    method: str
    pattern: re.Pattern[str]
    ability: str | None
    handler: Handler
    body: bool
    """Whether a JSON body is demanded, as by the guard of most writing endpoints."""
    since: str
    until: str | None


ROUTES: Final[list[Endpoint]] = []


def route(
    method: str, path: str, ability: str | None, *, body: bool = False, since: str = "4.0.0", until: str | None = None
) -> Callable[[Handler], Handler]:
    """Register a handler for a path below `/api/v1`; `{name}` matches one segment.

    Args:
        method: HTTP method.
        path: Path with placeholders.
        ability: Ability that the token needs, None for public endpoints.
        body: Whether the guard demands a JSON body.
        since: First version with this route.
        until: First version without it.
    """
    pattern = re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "/?$")

    def register(handler: Handler) -> Handler:
        ROUTES.append(Endpoint(method, pattern, ability, handler, body, since, until))
        return handler

    return register


async def read_body(request: Request, *, demanded: bool) -> dict[str, Any]:
    """Read the JSON body; strings are trimmed and empty ones become null, as Laravel's middleware does.

    Raises:
        Refusal: The body is demanded and is no JSON object with something in it.
    """
    raw = await request.body()
    kind = request.headers.get("content-type", "")
    is_json = "json" in kind
    if not demanded and not (raw and is_json):
        return dict(parse_qsl(raw.decode(errors="replace"))) if "form-urlencoded" in kind else {}
    if not is_json:
        refuse(400, "Invalid request.", error="Content-Type must be application/json.")
    try:
        parsed = json.loads(raw or b"null")
    except ValueError:
        if not demanded:
            return {}
        refuse(400, "Invalid request.", error="Invalid JSON.")
    if parsed in (None, []) and demanded:
        refuse(400, "Invalid request.", error="Invalid JSON.")
    if not parsed and demanded:
        refuse(400, "Invalid request.", error="Empty JSON.")
    if isinstance(parsed, dict):
        body: dict[str, Any] = _trimmed(parsed)
        return body
    # PHP has one type for lists and maps: an item is a field with a number for its name.
    items = parsed if isinstance(parsed, list) else [parsed]
    return {str(index): _trimmed(item) for index, item in enumerate(items)}


def _trimmed(value: Any) -> Any:  # noqa: ANN401 - JSON
    match value:
        case str():
            return value.strip() or None
        case dict():
            return {name: _trimmed(one) for name, one in value.items()}
        case list():
            return [_trimmed(one) for one in value]
        case _:
            return value


def truthy(value: Any) -> bool:  # noqa: ANN401 - JSON or text
    """Read a boolean of a query as leniently as Laravel."""
    return value is True or str(value).lower() in {"1", "true", "on", "yes"}


def answer(status: int, payload: Payload, headers: Mapping[str, str]) -> Response:
    """Turn a payload into a response."""
    if isinstance(payload, str):
        return PlainTextResponse(payload, status, headers={**headers, "content-type": "text/html; charset=utf-8"})
    content = json.dumps(payload, separators=(",", ":"))
    return Response(content, status, headers={**headers, "content-type": "application/json"})


def present(row: Row, call: Call, *, drop: frozenset[str] = frozenset(), **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Serialise an object as the API shows it: hidden fields omitted, keys in Coolify's order."""
    secret = frozenset() if call.sees_secrets else SENSITIVE.get(row.kind, frozenset())
    hidden = drop | secret | ({"team_id"} - more.keys())
    shown = {name: value for name, value in (row.data | more).items() if name not in hidden}
    head = [name for name in ("id", "uuid", "description", "name") if name in shown]
    tail = [name for name in ("created_at", "updated_at") if name in shown]
    middle = sorted(name for name in shown if name not in {*head, *tail})
    return {name: shown[name] for name in (*head, *middle, *tail)}
