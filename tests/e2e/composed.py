"""The services of deployments/compose.yaml as processes on loopback: commands, environment, health as they stand there.

What a container brings is put in their place: host names become ports here, directories become ours, and the images of
PostgreSQL and Redis what Debian has installed.
"""

import asyncio
import contextlib
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from ruamel.yaml import YAML

from coolify.backup.engines.postgresql import PostgresTools, ScratchPostgres
from tests.e2e.prefect_runs import until
from tests.e2e.processes import kill_all

FOLDER = Path(__file__).parents[2] / "deployments"
SERVICES = YAML(typ="safe").load(FOLDER / "compose.yaml")["services"]
PROGRAMS = {
    "prefect": (sys.executable, "-m", "prefect"),
    "coolify": (sys.executable, "-m", "coolify_cli.main"),
    "python": (sys.executable,),
}


class Postgres(ScratchPostgres):
    """A server that is reached as in a container: through a port, with the password of its only user."""

    def __init__(self, port: int) -> None:
        super().__init__(1200)
        self.settings = {**ScratchPostgres.settings, "listen_addresses": "127.0.0.1", "port": str(port)}

    def find_tools(self) -> PostgresTools:
        """Prefect wants an extension that the one in a wheel lacks."""
        newest = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: int(one.parent.name))
        return PostgresTools(newest)

    async def make(self, wanted: Mapping[str, str]) -> None:
        """Make user and database as the image does by its environment."""
        user, password, database = (wanted[f"POSTGRES_{one}"] for one in ("USER", "PASSWORD", "DB"))
        await self.sql(f"CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{password}'")
        await self.sql(f"CREATE DATABASE {database} OWNER {user}")
        rules = "local all postgres trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (self.directory / "data" / "pg_hba.conf").write_text(rules)
        await self.sql("SELECT pg_reload_conf()")

    async def sql(self, text: str) -> None:
        await self.tool("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", text)

    async def tool(self, name: str, *arguments: str) -> bytes:
        process = await asyncio.create_subprocess_exec(
            self.tools.path(name), "-h", str(self.socket), "-p", self.settings["port"], "-U", "postgres", *arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        return output


class Composed:
    """Services that have been started, in the order that the file allows.

    Args:
        directory: Where each service has a directory, and its log.
        secrets: The variables of `.env`.
    """

    def __init__(self, directory: Path, secrets: Mapping[str, str]) -> None:
        self.directory, self.secrets = directory, secrets
        self.processes: dict[str, asyncio.subprocess.Process] = {}
        self.ports = {service: _free_port() for service in ("postgres", "redis", "server", "receiver")}
        self.postgres = Postgres(self.ports["postgres"])
        self._done = set[str]()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['server']}"

    def environment(self, service: str) -> dict[str, str]:
        """What the file gives a service, with what replaces the network of containers."""
        given = {name: self._here(value) for name, value in SERVICES[service].get("environment", {}).items()}
        hosts = {name: "127.0.0.1" for name, value in given.items() if value == "redis"}
        ports = {name.removesuffix("HOST") + "PORT": str(self.ports["redis"]) for name in hosts}
        return given | hosts | ports

    def _here(self, text: str) -> str:
        text = re.sub(r"\$\{(\w+)(?::\?|:-)\}", lambda found: self.secrets[found[1]], text)
        for host, port in (("postgres", 5432), ("redis", 6379), ("server", 4200)):
            text = text.replace(f"{host}:{port}", f"127.0.0.1:{self.ports[host]}")
        return text

    def _command(self, words: list[str], service: str, port: int | None) -> list[str]:
        """A command of the file, or the question for a service's health, as it is asked here."""
        inside = {"server": 4200, "receiver": 8087, "worker": 8080}.get(service)
        ours = {"0.0.0.0": "127.0.0.1", "/var/lib/coolify-flows": str(self.directory)}
        ours |= {f"127.0.0.1:{inside}": f"127.0.0.1:{port}"}
        here = [self._here(one) for one in words]
        for there, replaced in ours.items():
            here = [one.replace(there, replaced) for one in here]
        here = [str(port) if one == str(inside) else one for one in here]
        return [*PROGRAMS.get(here[0], (here[0],)), *here[1:]]

    async def start(self, service: str, name: str = "", **more: str) -> asyncio.subprocess.Process:
        """Start a service, and wait until it is what others wait for.

        Args:
            service: Its name in the file.
            name: Name of one of several.
            more: Variables that the file does not give it.
        """
        name = name or service
        for other in SERVICES[service].get("depends_on", {}):
            assert other in self._done, f"{service} waits for {other}"
        port = self.ports.setdefault(name, _free_port())
        home = self.directory / name
        home.mkdir()
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("PREFECT_", "COOLIFY_"))}
        env = clean | self.environment(service) | {"HOME": str(home), "PREFECT_HOME": str(home)}
        env |= {"PREFECT_SERVER_API_PORT": str(port), "PREFECT_WORKER_WEBSERVER_PORT": str(port)}
        env |= {"PREFECT_WORKER_WEBSERVER_HOST": "127.0.0.1", **more}
        command = self._command(SERVICES[service]["command"], service, port)
        if service == "redis":
            command += ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(home)]
        with (self.directory / f"{name}.log").open("wb") as log:
            process = self.processes[name] = await asyncio.create_subprocess_exec(
                *command, cwd=FOLDER.parent, env=env, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        if SERVICES[service].get("restart") == "no":
            assert await process.wait() == 0, self.log(name)
        elif "healthcheck" in SERVICES[service]:
            await self._healthy(service, name, env)
        self._done.add(service)
        return process

    async def start_postgres(self) -> None:
        await self.postgres.make(self.environment("postgres"))
        await self._healthy("postgres", "postgres", {**os.environ, "PGHOST": "127.0.0.1"})
        self._done.add("postgres")

    async def _healthy(self, service: str, name: str, env: Mapping[str, str]) -> None:
        kind, *question = SERVICES[service]["healthcheck"]["test"]
        assert kind == "CMD"
        question = self._command(question, service, self.ports[name])
        question[1:1] = {"redis": ["-p", str(self.ports["redis"])]}.get(service, [])

        async def answers() -> bool:
            if name in self.processes:
                assert self.processes[name].returncode is None, self.log(name)
            asked = await asyncio.create_subprocess_exec(
                *question, env={**env, "PGPORT": str(self.ports["postgres"])},
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            return await asked.wait() == 0

        await until(answers, f"the health of {name}")

    def log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text()[-4000:]

    async def kill(self, name: str) -> None:
        """Kill a service with everything that it has started."""
        process = self.processes[name]
        kill_all(process.pid)
        await process.wait()


@contextlib.asynccontextmanager
async def composed(directory: Path, secrets: Mapping[str, str]) -> AsyncIterator[Composed]:
    """Start PostgreSQL and Redis; everything that was started is killed at the end."""
    directory.mkdir()
    services = Composed(directory, secrets)
    async with services.postgres:
        try:
            await services.start_postgres()
            await services.start("redis")
            yield services
        finally:
            for name, process in reversed(services.processes.items()):
                if process.returncode is None:
                    await services.kill(name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
