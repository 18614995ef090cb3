"""Faults on demand: what a network, a proxy or a tired server does to a request."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from enum import StrEnum

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Fault", "FaultInjector", "FaultKind", "SeenRequest"]


class FaultKind(StrEnum):
    """What happens to the request."""

    DELAY = "delay"
    STATUS = "status"
    UNAUTHORIZED = "unauthorized"
    RESET_BEFORE = "connection reset before the request is applied"
    RESET_AFTER = "connection reset after the request was applied"
    CUT = "answer cut in the middle"
    HTML = "HTML instead of JSON"
    CONTENT_TYPE = "wrong content type"
    EMPTY = "empty body"
    HANG = "no answer after the request was applied"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault for the n-th request that fits, counted from 1."""

    kind: FaultKind
    method: str = ".*"
    path: str = ".*"
    """Regular expression for the path below `/api/v1`."""
    nth: int = 1
    status: int = 500
    retry_after: int | None = None
    seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request that arrived, with the status that was sent, 0 where the connection was reset."""

    method: str
    path: str
    status: int


@dataclass
class FaultInjector:
    """ASGI middleware that keeps a list of what arrived and spoils what it is told to."""

    app: ASGIApp
    requests: list[SeenRequest] = field(default_factory=list)
    hung: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request hangs."""
    _waiting: list[tuple[Fault, list[int]]] = field(default_factory=list)

    def add(self, fault: Fault) -> None:
        """Arm a fault; it strikes once."""
        self._waiting.append((fault, [0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = str(scope["path"]).removeprefix("/api/v1")
        status = 0

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            fault = self._next_fault(scope["method"], path)
            if fault is None:
                await self.app(scope, receive, counted)
            else:
                await self._strike(fault, scope, receive, counted)
        finally:
            self.requests.append(SeenRequest(scope["method"], path, status))

    def _next_fault(self, method: str, path: str) -> Fault | None:
        for entry in self._waiting:
            fault, count = entry
            if re.fullmatch(fault.method, method) and re.fullmatch(fault.path, path):
                count[0] += 1
                if count[0] == fault.nth:
                    self._waiting.remove(entry)
                    return fault
        return None

    async def _strike(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        match fault.kind:
            case FaultKind.DELAY:
                await asyncio.sleep(fault.seconds)
                await self.app(scope, receive, send)
            case FaultKind.STATUS:
                extra = [(b"retry-after", str(fault.retry_after).encode())] if fault.retry_after is not None else []
                await _respond(send, fault.status, json.dumps({"message": "Server Error"}).encode(), extra=extra)
            case FaultKind.UNAUTHORIZED:
                await _respond(send, 401, b'{"message":"Unauthenticated."}')
            case FaultKind.RESET_BEFORE:
                _reset(receive)
            case FaultKind.RESET_AFTER:
                await self.app(scope, receive, _swallow)
                _reset(receive)
            case FaultKind.CUT:
                await self.app(scope, receive, _Cutting(send))
                _reset(receive, at_once=False)
            case FaultKind.HTML:
                await self.app(scope, receive, _swallow)
                await _respond(send, 200, b"<!DOCTYPE html><html></html>", b"text/html; charset=utf-8")
            case FaultKind.CONTENT_TYPE:
                await self.app(scope, receive, _swallow)
                await _respond(send, 200, b"OK", b"application/octet-stream")
            case FaultKind.HANG:
                await self.app(scope, receive, _swallow)
                self.hung.set()
                while (await receive())["type"] != "http.disconnect":
                    pass
            case FaultKind.EMPTY:
                await self.app(scope, receive, _swallow)
                await _respond(send, 200, b"")


def _reset(receive: Receive, *, at_once: bool = True) -> None:
    """Drop the connection without a word.

    An application cannot do that by the interface's own means: one that fails is answered for, with 500. The server's
    cycle, whose method `receive` is, holds the connection.

    Args:
        receive: As the server has passed it in.
        at_once: Whether what is still to be sent is thrown away.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("there is no connection to drop")
    if at_once:
        transport.abort()
    else:
        transport.close()


async def _swallow(message: Message) -> None:
    """Let the application answer into the void."""


class _Cutting:
    """Sends the head of an answer and half of its body."""

    def __init__(self, send: Send) -> None:
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            message = {**message, "body": body[: len(body) // 2], "more_body": True}
        await self._send(message)


async def _respond(
    send: Send,
    status: int,
    body: bytes,
    content_type: bytes = b"application/json",
    extra: list[tuple[bytes, bytes]] | None = None,
) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *(extra or [])]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
