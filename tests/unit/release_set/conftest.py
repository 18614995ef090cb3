"""A directory with applications and a set file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import ruamel.yaml

from coolify.release_set import SetPlan, make_plan


@dataclass
class Folder:
    path: Path

    @property
    def set_file(self) -> Path:
        return self.path / ".coolify" / "set.yml"

    def application(self, name: str, **sections: Any) -> None:
        """Write `services/NAME/.coolify/config.yml`."""
        document = {
            "server": "https://coolify.example.com",
            "project": {"name": "fleet"},
            "application": {"name": name},
        } | sections
        _write(self.path / "services" / name / ".coolify" / "config.yml", document)

    def set(self, *applications: Any, **keys: Any) -> None:
        _write(self.set_file, {"applications": list(applications) or ["services/*"]} | keys)

    def plan(self, **wishes: Any) -> SetPlan:
        return make_plan(self.set_file, **wishes)

    def stages(self, **wishes: Any) -> list[tuple[str, ...]]:
        return [one.applications for one in self.plan(**wishes).stages]


def _write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        ruamel.yaml.YAML(typ="safe").dump(document, stream)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COOLIFY_TOKEN", "3|token")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    made = Folder(tmp_path / "fleet")
    made.set()
    return made
