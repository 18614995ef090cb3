"""A real authority (Pebble), its name server and a real ACME proxy (Caddy), as child processes on loopback."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from coolify.trust import trusting
from tests.integration.tls.issuing import HOST, LOOPBACK, Issuer

START_SECONDS = 60.0


def free_ports(number: int) -> list[int]:
    """Return ports that are free for TCP and UDP now."""
    with contextlib.ExitStack() as stack:
        ports: list[int] = []
        while len(ports) < number:
            stream = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            stream.bind((LOOPBACK, 0))
            datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            with contextlib.suppress(OSError):
                datagrams.bind(stream.getsockname())
                ports.append(stream.getsockname()[1])
        return ports


@contextlib.asynccontextmanager
async def running(
    directory: Path, *command: str | Path, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program until the context is left; its output is kept in the directory."""
    with (directory / f"{Path(command[0]).name}.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *map(str, command), cwd=directory, stdout=log, stderr=log, env=os.environ | environment
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def until(check: Callable[[], object], *, seconds: float = START_SECONDS) -> object:
    """Ask again until the answer is good and return it."""
    async with asyncio.timeout(seconds):
        while True:
            answer = await check()
            if answer:
                return answer
            await asyncio.sleep(0.1)


@dataclass
class Authority:
    """Pebble with its name server."""

    directory: Path
    validity_seconds: int = 3600
    ports: list[int] = field(default_factory=lambda: free_ports(6))

    @property
    def directory_url(self) -> str:
        return f"https://{LOOPBACK}:{self.ports[0]}/dir"

    @property
    def http_port(self) -> int:
        """Port that the authority takes for 80."""
        return self.ports[4]

    @property
    def https_port(self) -> int:
        """Port that the authority takes for 443."""
        return self.ports[5]

    @property
    def api_ca_file(self) -> Path:
        """Whom to trust for the ACME API; what Pebble issues comes from another root."""
        return self.directory / "ca.pem"

    @property
    def ca_file(self) -> Path:
        """Root of what is issued, together with that of the API."""
        return self.directory / "roots.pem"

    @contextlib.asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        self.directory.mkdir(exist_ok=True)
        api, management, dns, names, http, https = self.ports
        # The issuer writes key and chain into one file, and its root beside it.
        Issuer(self.directory).context(LOOPBACK)
        server = str(self.directory / "server.pem")
        config = {
            "pebble": {
                "listenAddress": f"{LOOPBACK}:{api}",
                "managementListenAddress": f"{LOOPBACK}:{management}",
                "certificate": server,
                "privateKey": server,
                "httpPort": http,
                "tlsPort": https,
                "certificateValidityPeriod": self.validity_seconds,
                "profiles": {"default": {"description": "short", "validityPeriod": self.validity_seconds}},
            }
        }
        file = self.directory / "pebble.json"
        file.write_text(json.dumps(config))
        self._names = f"http://{LOOPBACK}:{names}"
        name_server = (
            "pebble-challtestsrv", "-management", f"{LOOPBACK}:{names}", "-dns01", f"{LOOPBACK}:{dns}",
            "-http01", "", "-https01", "", "-tlsalpn01", "", "-defaultIPv4", LOOPBACK, "-defaultIPv6", "",
        )  # fmt: skip
        pebble = ("pebble", "-config", file, "-dnsserver", f"{LOOPBACK}:{dns}")
        environment = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
        async with running(self.directory, *name_server), running(self.directory, *pebble, **environment):
            root = await until(lambda: self._root(f"https://{LOOPBACK}:{management}/roots/0"))
            self.ca_file.write_text(self.api_ca_file.read_text() + str(root))
            yield

    async def point(self, address: str) -> None:
        """Let every name lead to an address, as the authority sees it."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(f"{self._names}/set-default-ipv4", json={"ip": address})
            answer.raise_for_status()

    async def _root(self, url: str) -> str | None:
        try:
            async with httpx.AsyncClient(verify=trusting(self.api_ca_file), trust_env=False) as client:
                return (await client.get(url)).raise_for_status().text
        except httpx.HTTPError:
            return None


@contextlib.asynccontextmanager
async def caddy(directory: Path, authority: Authority | None, http_port: int, https_port: int) -> AsyncIterator[None]:
    """Run Caddy as the proxy of the host, with certificates of the authority, or of its own where there is none."""
    directory.mkdir(exist_ok=True)
    issuer = (
        f"acme_ca {authority.directory_url}\nacme_ca_root {authority.api_ca_file}\nrenew_interval 1s"
        if authority
        else "local_certs"
    )
    file = directory / "Caddyfile"
    file.write_text(
        f"{{\nadmin off\nskip_install_trust\ndefault_bind {LOOPBACK}\n"
        f"http_port {http_port}\nhttps_port {https_port}\nstorage file_system {directory / 'data'}\n{issuer}\n}}\n"
        f'{HOST} {{\nheader Strict-Transport-Security "max-age=31536000"\nrespond "hello"\n}}\n'
    )
    home = {"HOME": str(directory), "XDG_CONFIG_HOME": str(directory), "XDG_DATA_HOME": str(directory)}
    async with running(directory, "caddy", "run", "--config", file, "--adapter", "caddyfile", **home):
        yield
