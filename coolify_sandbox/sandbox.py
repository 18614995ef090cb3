"""All of it together: Coolify's API, DNS, certificate authority, edge and applications, on loopback."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from coolify.errors import OperatorError
from coolify_sandbox.authority import CertificateAuthority
from coolify_sandbox.edge import EdgeProxy
from coolify_sandbox.names import NameServer
from coolify_sandbox.runtime.databases import DatabaseRuntime
from coolify_sandbox.runtime.local import LocalRuntime
from coolify_sandbox.runtime.volumes import VolumeRuntime
from coolify_sandbox.server.app import create_app
from coolify_sandbox.server.settings import ServerSettings
from coolify_sandbox.server.state import State
from coolify_sandbox.serving import serve_forever

__all__ = ["FULL_ABILITIES", "ZONE", "Sandbox", "SandboxError"]

FULL_ABILITIES: Final = ("read", "read:sensitive", "write", "deploy")
ZONE: Final = "sandbox.test"
"""The sandbox's own domain; every name below it can be given to an application (RFC 6761 reserves `.test`)."""


class SandboxError(OperatorError):
    """The sandbox cannot run here."""

    is_usage = True


class Sandbox:
    """An asynchronous context manager; outside of it nothing of the sandbox runs.

    Args:
        directory: Where its state lives; None for a temporary one that is removed at the end.
        settings: Version and limits of the embedded Coolify.
        port: Port of the API on 127.0.0.1, 0 for a free one.
    """

    def __init__(self, directory: Path | None = None, settings: ServerSettings | None = None, *, port: int = 0) -> None:
        self._temporary = directory is None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="coolify-sandbox-"))
        self._settings = settings or ServerSettings()
        self._port = port
        self._stack = contextlib.AsyncExitStack()
        self.url = ""
        self.token = ""

    async def __aenter__(self) -> Self:
        if self._temporary:
            self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        if shutil.which("git") is None:
            raise SandboxError("git was not found on this machine: install it (Debian: apt-get install git).")
        self.directory.mkdir(parents=True, exist_ok=True)
        self._lock()
        self.authority = CertificateAuthority(self.directory / "ca")
        self.names = NameServer(ZONE)
        self.names.set(f"*.{ZONE}", "A", "127.0.0.1")
        await self.names.start()
        self._stack.push_async_callback(self.names.stop)
        self.edge = EdgeProxy(self.authority)
        await self._stack.enter_async_context(self.edge.run())
        self.runtime = LocalRuntime(self.directory, self.edge, self._settings.disk_bytes)
        self._stack.push_async_callback(self.runtime.stop_all)
        self.state = State.open(self.directory / "coolify.sqlite", self._settings)
        self._stack.callback(self.state.close)
        self.databases = DatabaseRuntime(self.directory, self.state)
        self._stack.push_async_callback(self.databases.close)
        self.databases.resume()
        self.volumes = VolumeRuntime(self.directory, self.state)
        self._stack.push_async_callback(self.volumes.close)
        self.app = create_app(self.state, self.runtime, self.databases, self.volumes)
        port = await self._stack.enter_async_context(serve_forever(self.app, port=self._port))
        self.url = f"http://127.0.0.1:{port}"
        self.token = self.create_token(FULL_ABILITIES)

    def _lock(self) -> None:
        """Hold the directory for ourselves: two sandboxes would write the same database."""
        lock = self._stack.enter_context((self.directory / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SandboxError(
                f"Another sandbox runs in {self.directory}: end it, or choose another directory with --directory."
            ) from None

    @property
    def dns_address(self) -> tuple[str, int]:
        """Address and port of the name server."""
        return self.names.address

    @property
    def ca_file(self) -> Path:
        """Root certificate that the edge's certificates chain to."""
        return self.authority.ca_file

    def create_token(self, abilities: Iterable[str]) -> str:
        """Create another API token of the root team."""
        return self.state.create_token(abilities)

    def add_domain(self, host: str) -> None:
        """Let a name outside of the sandbox's own zone lead to the edge."""
        self.names.add_zone(host)
        self.names.set(host, "A", "127.0.0.1")
