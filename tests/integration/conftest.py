"""A shop in the sandbox: one application with its repository and its configuration file."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import ruamel.yaml
from prefect.settings import PREFECT_API_URL, PREFECT_LOGGING_TO_API_ENABLED, temporary_settings
from pydantic import SecretStr

from coolify.api import CoolifyClient, RetryPolicy, StaticToken
from coolify.trust import trusting
from coolify_cli.prefect_server import deliver_logs, run_prefect_server
from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.settings import ServerSettings
from coolify_sandbox.serving import serve_forever
from tests.integration.buckets import bucket, s3_server  # noqa: F401 - fixtures
from tests.integration.git_over_ssh import serve_git
from tests.integration.impatience import impatient
from tests.integration.registry_on_loopback import Registry


@dataclass
class Shop:
    """What a test needs to release, and to look at it as a visitor does."""

    sandbox: Sandbox
    repository: SampleRepository
    directory: Path
    host: str = "shop.sandbox.test"
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.directory / ".coolify" / "config.yml"

    def configure(self, **sections: Any) -> Path:
        """Write the configuration file; sections given before stay, None drops one."""
        self.changes |= sections
        dns_host, dns_port = self.sandbox.dns_address
        document: dict[str, Any] = {
            "server": self.sandbox.url,
            "auth": {"token": "${COOLIFY_TOKEN}"},
            "project": {"name": "shop"},
            "application": {"name": "shop"},
            "source": {"repository": str(self.repository.path), "branch": "main"},
            "build": {"start_command": SampleRepository.START_COMMAND},
            "domains": [{"primary": self.host, "ssl": True}],
            "env": {"GREETING": "Hello"},
            "health": {
                "path": "/health",
                "successes": 2,
                "interval": 0.1,
                "failures_allowed": 3,
                "deadline": 20,
                "container": {"interval": 1, "retries": 3, "start_period": 0},
            },
            "network": {
                "resolvers": [f"{dns_host}:{dns_port}"],
                "ca_file": str(self.sandbox.ca_file),
                "http_port": self.sandbox.edge.http_port,
                "https_port": self.sandbox.edge.https_port,
            },
        } | self.changes
        self.config.parent.mkdir(parents=True, exist_ok=True)
        with self.config.open("w") as stream:
            ruamel.yaml.YAML(typ="safe").dump({name: one for name, one in document.items() if one is not None}, stream)
        return self.config

    async def visit(self, path: str = "/") -> httpx.Response:
        """Ask the edge as a browser would, certificate verified."""
        async with httpx.AsyncClient(verify=trusting(self.sandbox.ca_file), trust_env=False) as client:
            return await client.get(
                f"https://127.0.0.1:{self.sandbox.edge.https_port}{path}",
                headers={"Host": self.host},
                extensions={"sni_hostname": self.host},
            )

    async def version(self) -> str:
        return (await self.visit("/version")).text.strip()

    def client(self, token: str | None = None) -> CoolifyClient:
        return CoolifyClient(
            self.sandbox.url,
            StaticToken(SecretStr(token or self.sandbox.token)),
            retry=RetryPolicy(first_delay=0.01),
        )

    def requests(self, method: str) -> list[str]:
        """Paths of the requests of one method that reached the API."""
        return [one.path for one in self.sandbox.app.state.faults.requests if one.method == method]


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory):
    """A real Prefect server for all tests that run flows; environment for processes that use it."""
    with asyncio.Runner() as runner:
        context = run_prefect_server(tmp_path_factory.mktemp("prefect"))
        server = runner.run(context.__aenter__())
        try:
            runner.run(server.ready())
            yield server
            runner.run(deliver_logs())
        finally:
            runner.run(context.__aexit__(None, None, None))


@pytest.fixture
def in_prefect(prefect_server):
    """Run flows of this process against the server."""
    with (
        temporary_settings({PREFECT_API_URL: f"{prefect_server.url}/api", PREFECT_LOGGING_TO_API_ENABLED: False}),
        impatient(),
    ):
        yield prefect_server


@pytest.fixture
async def sandbox(monkeypatch):
    # What a test writes into the state of containers stays there. A test asks in a minute what others ask in an hour:
    # with the usual limit clients would spend most of the time with waiting.
    async with Sandbox(settings=ServerSettings(status_seconds=3600, rate_limit=10**6)) as running:
        monkeypatch.setenv("COOLIFY_TOKEN", running.token)
        yield running


@pytest.fixture
async def shop(sandbox, tmp_path):
    stage = Shop(sandbox, SampleRepository(tmp_path / "repository"), tmp_path / "work")
    stage.repository.commit("1.0.0")
    stage.configure()
    return stage


@pytest.fixture
def git_server(tmp_path, monkeypatch):
    """A private Git repository over ssh; mark the test with `component("sshd")`."""
    # Host keys are remembered there, and not in the home of whoever runs the tests.
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    with serve_git(tmp_path / "ssh") as server:
        yield server


@pytest.fixture
async def registry():
    made = Registry()
    async with serve_forever(made.app()) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made


@pytest.fixture
async def backed_up(shop, bucket):  # noqa: F811 - the fixture that is imported above
    """A shop with a database and backups, whose flows run without Prefect's engine, which is much faster."""
    from tests.integration.backed_up import BackedUpShop
    from tests.integration.robustness.bare import bare_flows

    with bare_flows():
        yield await BackedUpShop(shop, bucket).set_up()


@pytest.fixture
async def backed_up_in_prefect(shop, bucket, in_prefect):  # noqa: F811 - the fixture that is imported above
    """The same with Prefect: blocks, artifacts, commands that use them."""
    from tests.integration.backed_up import BackedUpShop

    return await BackedUpShop(shop, bucket).set_up()
