"""An S3 endpoint with one object of any size, made while it is sent: nothing of it lies in memory or on a disk."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

__all__ = ["GeneratedObject", "serving"]

_BLOCK: Final = bytes(range(256)) * 4096
_RANGE: Final = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class GeneratedObject:
    """What is served, and how badly."""

    size: int
    breaks_after: int | None = None
    """Bytes of one answer after which the connection is cut; None where none is."""
    requested: list[str] = field(default_factory=list)
    """Ranges that were asked for."""


@contextmanager
def serving(wanted: GeneratedObject) -> Iterator[str]:
    """Serve an object under every key of every bucket, and yield the address of the endpoint."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._send_head(200, 0, wanted.size)

        def do_GET(self) -> None:
            asked = _RANGE.fullmatch(self.headers.get("Range", "bytes=0-"))
            start = int(asked[1]) if asked else 0
            wanted.requested.append(self.headers.get("Range", ""))
            self._send_head(206, start, wanted.size - start)
            left = wanted.size - start
            allowed = left if wanted.breaks_after is None else min(left, wanted.breaks_after)
            try:
                while allowed > 0:
                    allowed -= self.wfile.write(_BLOCK[: min(allowed, len(_BLOCK))])
            except OSError:
                return
            self.close_connection = wanted.breaks_after is not None

        def _send_head(self, status: int, start: int, length: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(length))
            self.send_header("Content-Range", f"bytes {start}-{wanted.size - 1}/{wanted.size}")
            # Several parts: the ETag is no digest.
            self.send_header("ETag", '"0123456789abcdef0123456789abcdef-2"')
            self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - of the base class
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
