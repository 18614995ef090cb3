"""The sandbox as an outsider sees it: plain HTTP to its API, TLS to its edge, processes of this machine."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.settings import ServerSettings

ENDED = ("finished", "failed", "cancelled-by-user")

SERVER = '''"""A web application that tells what it was started with."""

import json
import os
import signal
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status, text = {"/health": (HEALTH, "health"), "/environment": (200, json.dumps(dict(os.environ)))}.get(
            self.path, (200, "version VERSION")
        )
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


PRELUDE
print("VERSION is up", flush=True)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
'''


class Repository(SampleRepository):
    """The sample, and applications that differ from it."""

    def commit_server(self, version: str, *, health: int = 200, prelude: str = "") -> str:
        """Commit an application that tells its environment, answers `health` on /health, and runs `prelude` before."""
        text = SERVER.replace("HEALTH", str(health)).replace("VERSION", version).replace("PRELUDE", prelude)
        (self.path / "server.py").write_text(text)
        self._git("add", "server.py")
        self._git("commit", "--quiet", "--message", f"Version {version}")
        return self._git("rev-parse", "HEAD")


async def until(ask: Callable[[], Awaitable[Any]], wanted: Callable[[Any], Any], seconds: float = 30) -> Any:
    """Ask again and again until the answer is as wanted, and return it."""
    answer = None
    try:
        async with asyncio.timeout(seconds):
            while not wanted(answer := await ask()):
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"not as wanted within {seconds} s: {answer!r}")
    return answer


def processes_below(directory: Path) -> dict[int, list[str]]:
    """Arguments of all living processes that work somewhere in a directory, by process id."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(directory):
                found[int(entry.name)] = (entry / "cmdline").read_text().rstrip("\0").split("\0")
        except OSError:
            # It ended meanwhile, or it is somebody else's.
            continue
    return found


@dataclass
class Outsider:
    """Somebody who knows the API's address, a token, the edge's port and the CA, and nothing else."""

    url: str
    token: str
    https_port: int
    ca_file: Path
    http: httpx.AsyncClient = field(init=False)
    edge: httpx.AsyncClient = field(init=False)

    @classmethod
    @asynccontextmanager
    async def of(cls, url: str, token: str, https_port: int, ca_file: Path) -> AsyncIterator["Outsider"]:
        one = cls(url, token, https_port, ca_file)
        context = ssl.create_default_context(cafile=str(ca_file))
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        async with (
            httpx.AsyncClient(base_url=f"{url}/api/v1", headers=headers, trust_env=False, timeout=20) as one.http,
            httpx.AsyncClient(verify=context, trust_env=False, timeout=20) as one.edge,
        ):
            yield one

    async def call(self, method: str, path: str, status: int = 200, **body: Any) -> Any:
        answer = await self.http.request(method, path, json=body or None)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def create_application(self, repository: Path, host: str = "shop.sandbox.test", **fields: Any) -> Any:
        """Create a project and an application in it."""
        project = await self.call("POST", "/projects", 201, name=f"project of {host}")
        (server,) = await self.call("GET", "/servers")
        created = await self.call(
            "POST",
            "/applications/public",
            201,
            project_uuid=project["uuid"],
            environment_name="production",
            server_uuid=server["uuid"],
            git_repository=str(repository),
            **{
                "git_branch": "main",
                "build_pack": "nixpacks",
                "start_command": SampleRepository.START_COMMAND,
                "ports_exposes": "3000",
                "domains": f"https://{host}",
                "health_check_enabled": True,
                "health_check_path": "/health",
                "health_check_interval": 0.1,
                "health_check_retries": 50,
                "health_check_start_period": 0,
            }
            | fields,
        )
        return Application(self, created["uuid"], host)


@dataclass
class Application:
    """One application and its visitors."""

    outsider: Outsider
    uuid: str
    host: str

    async def call(self, method: str, path: str = "", status: int = 200, **body: Any) -> Any:
        return await self.outsider.call(method, f"/applications/{self.uuid}{path}", status, **body)

    async def queue(self, **fields: Any) -> str:
        """Ask for a deployment and return its UUID."""
        answer = await self.outsider.call("POST", "/deploy", uuid=self.uuid, **fields)
        return answer["deployments"][0]["deployment_uuid"]

    async def roll_back(self, commit: str) -> Any:
        """Roll back and return the ended deployment."""
        return await self.end_of((await self.call("POST", "/rollback", commit=commit))["deployment_uuid"])

    async def deployment(self, uuid: str) -> Any:
        return await self.outsider.call("GET", f"/deployments/{uuid}")

    async def end_of(self, uuid: str) -> Any:
        """Wait for a deployment's end and return it."""
        return await until(lambda: self.deployment(uuid), lambda one: one["status"] in ENDED and one["finished_at"])

    async def deploy(self, status: str = "finished", **fields: Any) -> Any:
        """Deploy, wait for the end, which is expected to be `status`, and return the deployment."""
        ended = await self.end_of(await self.queue(**fields))
        assert ended["status"] == status, log_of(ended)
        return ended

    async def until_logged(self, uuid: str, words: str) -> None:
        """Wait until a deployment's log has these words."""
        await until(lambda: self.deployment(uuid), lambda one: words in log_of(one))

    async def visit(self, path: str = "/") -> httpx.Response:
        """Ask the edge as a browser would, certificate verified."""
        return await self.outsider.edge.get(
            f"https://127.0.0.1:{self.outsider.https_port}{path}",
            headers={"Host": self.host},
            extensions={"sni_hostname": self.host},
        )

    async def status_for_visitors(self) -> int:
        """Status that a visitor gets who does not care for certificates."""
        async with httpx.AsyncClient(verify=False, trust_env=False) as careless:
            url = f"https://127.0.0.1:{self.outsider.https_port}/"
            answer = await careless.get(url, headers={"Host": self.host}, extensions={"sni_hostname": self.host})
            return answer.status_code

    async def version(self) -> str:
        return (await self.visit("/version")).text.strip().removeprefix("version ")

    async def images(self) -> list[str]:
        """Tags of the kept images, newest first."""
        return [image["tag"] for image in (await self.call("GET", "/rollback-images"))["images"]]


def log_of(deployment: Any) -> str:
    """What a deployment's log says, hidden lines included."""
    return "\n".join(entry["output"] for entry in json.loads(deployment["logs"] or "[]"))


@pytest.fixture(name="until")
def until_():
    return until


@pytest.fixture(name="log_of")
def log_of_():
    return log_of


@pytest.fixture(name="processes_below")
def processes_below_():
    if not Path("/proc/self/cwd").exists():
        pytest.skip("this machine has no /proc to find processes in")
    return processes_below


@pytest.fixture
def outsider_of():
    """Address a sandbox from the outside: `async with outsider_of(sandbox)`, or with its facts."""

    def of(sandbox: Sandbox | None = None, **facts: Any):
        if sandbox is not None:
            facts = {"url": sandbox.url, "token": sandbox.token, "ca_file": sandbox.ca_file} | {
                "https_port": sandbox.edge.https_port
            }
        return Outsider.of(facts["url"], facts["token"], facts["https_port"], Path(facts["ca_file"]))

    return of


@pytest.fixture
async def sandbox():
    # Waiting is asking often: the limit on requests is not what is looked at here.
    async with Sandbox(settings=ServerSettings(rate_limit=100_000)) as running:
        yield running


@pytest.fixture
async def outsider(sandbox, outsider_of):
    async with outsider_of(sandbox) as one:
        yield one


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "repository")


@pytest.fixture
async def application(outsider, repository):
    """An application that was never deployed."""
    return await outsider.create_application(repository.path)


@pytest.fixture
async def served(application, repository):
    """An application whose version 1.0.0 is served."""
    repository.commit("1.0.0")
    await application.deploy()
    return application
