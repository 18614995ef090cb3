"""Requests to the API of a Git host: one token, JSON, pages, errors in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, SecretStr, TypeAdapter, ValidationError

from coolify.errors import OperatorError
from coolify.githosts.model import GitHostError, GitHostUncertainError

__all__ = ["Answer", "HostClient"]

T = TypeVar("T")
_PAGES: Final = 50
_SECONDS: Final = 20.0


class Answer(BaseModel):
    """Base of the models of answers."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class HostClient:
    """The API of one host.

    Requests are never repeated: whoever runs the command again finds what was done and does the rest.

    Args:
        name: Name of the host, for messages.
        base: Address of the API.
        headers: Headers with the token.
        auth: User and password, where the host wants them so.
        advice: What a token needs, for messages.
    """

    def __init__(
        self,
        name: str,
        base: str,
        headers: Mapping[str, SecretStr],
        advice: str,
        auth: httpx.Auth | None = None,
    ) -> None:
        self._name = name
        self._advice = advice
        url = httpx.URL(base)
        if url.scheme != "https" and url.host not in {"127.0.0.1", "localhost", "::1"}:
            raise GitHostError(f"The API {base} is not encrypted: no token is sent there. Use https.")
        # With redirects followed the token would go wherever the answer says.
        self._http = httpx.AsyncClient(
            base_url=f"{base.rstrip('/')}/",
            headers={name: value.get_secret_value() for name, value in headers.items()},
            auth=auth,
            timeout=_SECONDS,
            follow_redirects=False,
        )

    async def get(self, path: str, model: type[T], query: Mapping[str, str | int] | None = None) -> T:
        """Return an answer as a model."""
        return self._read(await self._send("GET", path, query=query), model)

    async def pages(self, path: str, model: type[T], size: Mapping[str, int]) -> tuple[T, ...]:
        """Return all entries of a list whose pages are chained by `Link` headers (RFC 8288)."""
        entries: list[T] = []
        adapter: TypeAdapter[list[T]] = TypeAdapter(list[model])  # type: ignore[valid-type]
        answer = await self._send("GET", path, query=size)
        for _ in range(_PAGES):
            page: list[T] = self._validated(answer, adapter)
            entries += page
            following = answer.links.get("next", {}).get("url")
            if not following:
                break
            answer = await self._send("GET", self.own(following))
        return tuple(entries)

    async def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> None:
        """Send a request that changes something."""
        await self._send(method, path, body=body)

    def own(self, url: str) -> str:
        """Return an address that the host has told, if it is one of the same host.

        Raises:
            GitHostError: It is not: the token does not go there.
        """
        told, base = httpx.URL(url), self._http.base_url
        if (told.scheme, told.host, told.port) != (base.scheme, base.host, base.port):
            raise GitHostError(f"{self._name} continues its list at {told.host}: the token does not go there.")
        return url

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        try:
            answer = await self._http.request(method, path, params=query, json=body)
        except httpx.HTTPError as error:
            raise GitHostUncertainError(
                f"{self._name} cannot be asked ({str(error) or type(error).__name__}): check the network and run again."
            ) from None
        if answer.is_success:
            return answer
        raise self._error(answer)

    def _error(self, answer: httpx.Response) -> OperatorError:
        status, told = answer.status_code, _message(answer)
        if status == httpx.codes.UNAUTHORIZED:
            return GitHostError(f"{self._name} refuses the token (401{told}): {self._advice}")
        if status == httpx.codes.TOO_MANY_REQUESTS or answer.headers.get("x-ratelimit-remaining") == "0":
            return GitHostError(f"{self._name} limits requests ({status}): wait some minutes, and run again.")
        if status in {httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}:
            return GitHostError(
                f"{self._name} does not show the repository or its settings to this token ({status}{told}): "
                f"correct the repository, or {self._advice[:1].lower()}{self._advice[1:]}"
            )
        if answer.is_server_error:
            return GitHostUncertainError(f"{self._name} has a failure of its own ({status}{told}): run again later.")
        return GitHostError(f"{self._name} refused the request ({status}{told}).")

    def _read(self, answer: httpx.Response, model: type[T]) -> T:
        return self._validated(answer, TypeAdapter(model))

    def _validated(self, answer: httpx.Response, adapter: TypeAdapter[T]) -> T:
        try:
            return adapter.validate_json(answer.content)
        except ValidationError:
            raise GitHostError(
                f"{answer.request.url.host} does not answer as {self._name} does: check the address of its API."
            ) from None


def _message(answer: httpx.Response) -> str:
    """Return the host's own words: the four hosts have a `message` or an `error` somewhere."""
    try:
        told = answer.json()
    except ValueError:
        return ""
    if not isinstance(told, dict):
        return ""
    errors = told.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    inner = first.get("message") if isinstance(first, dict) else first
    error = told.get("error")
    text = inner or told.get("message") or (error.get("message") if isinstance(error, dict) else error)
    return f": {' '.join(str(text).split())[:200]}" if text else ""
