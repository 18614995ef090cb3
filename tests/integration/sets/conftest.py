"""Three applications of one set in the sandbox, each with its repository and its configuration file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock, Mock, patch

import pytest
import ruamel.yaml

from coolify.release_set import SetReport
from coolify_sandbox.samples import SampleRepository
from coolify_sandbox.sandbox import Sandbox
from coolify_sandbox.server.settings import ServerSettings
from flows.release_all import ReleaseSetRequest, release_all
from flows.rollback_all import RollbackSetRequest, rollback_all
from tests.integration.command.conftest import home  # noqa: F401 - a fixture
from tests.integration.conftest import Shop
from tests.integration.robustness.bare import bare_flows, unlocked

NAMES = ("api", "web", "worker")


@dataclass
class Application(Shop):
    """A shop whose process can be ended behind everybody's back."""

    async def stop(self) -> None:
        rows = self.sandbox.state.all("application")
        name = self.changes["application"]["name"]
        await self.sandbox.runtime.stop(next(str(one.uuid) for one in rows if one["name"] == name))


@dataclass
class Fleet:
    """The applications, by name, and the set that they are."""

    shops: dict[str, Application]
    directory: Path

    @property
    def set_file(self) -> Path:
        return self.directory / ".coolify" / "set.yml"

    def declare(self, **keys: Any) -> None:
        """Write the set file."""
        self.set_file.parent.mkdir(exist_ok=True)
        # The name keeps the runs of one test apart from those of the others, which have the same Prefect server.
        document = {"name": str(self.directory), "applications": ["services/*"]} | keys
        with self.set_file.open("w") as stream:
            ruamel.yaml.YAML(typ="safe").dump(document, stream)

    def commit(self, version: str, *, broken: str = "") -> None:
        """Commit a version of all applications, one of them broken."""
        for name, shop in self.shops.items():
            shop.repository.commit(version, broken=name == broken)

    async def versions(self) -> list[str]:
        """Return what visitors get, in the order of the names; empty where nothing is served."""
        answers = [await shop.visit("/version") for shop in self.shops.values()]
        return [one.text.strip() if one.status_code == 200 else "" for one in answers]

    async def release(self, **wishes: Any) -> SetReport:
        request = ReleaseSetRequest(set_file=str(self.set_file), **wishes)
        return await _report(await release_all(request, return_state=True))

    async def roll_back(self) -> SetReport:
        request = RollbackSetRequest(set_file=str(self.set_file))
        return await _report(await rollback_all(request, return_state=True))


async def _report(state: Any) -> SetReport:
    report = await state.aresult(raise_on_failure=False)
    assert isinstance(report, SetReport), report
    assert state.name == report.outcome.state_name
    return report


@pytest.fixture
async def sandbox(monkeypatch):
    """A Coolify that never refuses for the number of requests: these tests release more in a minute than anybody."""
    async with Sandbox(settings=ServerSettings(rate_limit=10**6)) as running:
        monkeypatch.setenv("COOLIFY_TOKEN", running.token)
        yield running


@pytest.fixture
def fleet(sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.following._POLL_SECONDS", 0.2)
    shops = {}
    for name in NAMES:
        repository = SampleRepository(tmp_path / "repositories" / name)
        shops[name] = Application(sandbox, repository, tmp_path / "services" / name, f"{name}.sandbox.test")
        repository.commit("1.0.0")
        requires = {"requires": ["api"]} if name == "web" else {}
        shops[name].configure(project={"name": "fleet"}, application={"name": name}, release=requires)
    made = Fleet(shops, tmp_path)
    made.declare()
    return made


class MemoryVariables:
    """Prefect's variables for flows that run without it."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    async def aget(self, name: str) -> Any:
        return self.kept.get(name)

    async def aset(self, name: str, value: Any, *, overwrite: bool) -> None:
        self.kept[name] = value


@pytest.fixture
def bare():
    """Run flows without Prefect's engine, which takes ten times as long as all they do; see `bare_flows`."""
    with (
        bare_flows(),
        patch("tasks.sets.Variable", MemoryVariables()),
        patch("flows.release_all.exclusive_set", unlocked),
        patch("flows.rollback_all.exclusive_set", unlocked),
        patch("tasks.sets.acreate_markdown_artifact", AsyncMock()) as artifacts,
        patch("tasks.sets.emit_event", Mock()),
    ):
        yield artifacts
