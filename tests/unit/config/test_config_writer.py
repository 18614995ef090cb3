"""Rewriting the configuration file."""

import stat
from pathlib import Path

import pytest

from coolify.config import ConfigDocument, ConfigError, load_config

TEXT = """\
# Our shop.
server: "https://coolify.example.com"   # behind the VPN

auth:
  token: "${COOLIFY_TOKEN}"
project:
  name: 'shop'
# Names.
domains:
  - primary: app.example.com # main
    ssl: true
  - staging: staging.example.com
env:
  GREETING: "a very long line that goes on and on, far past the eighty columns at which a writer likes to fold text"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.yml"
    path.write_text(TEXT)
    return path


def test_an_unchanged_file_is_written_back_to_the_letter(file: Path) -> None:
    ConfigDocument.open(file).save()
    assert file.read_text() == TEXT


def test_setting_a_value_changes_only_its_line(file: Path) -> None:
    document = ConfigDocument.open(file)
    document.set("domains", 0, "ssl", value=False)
    document.save()
    assert file.read_text() == TEXT.replace("ssl: true", "ssl: false")


def test_missing_sections_are_made(file: Path) -> None:
    document = ConfigDocument.open(file)
    document.set("project", "uuid", value="abc123")
    document.set("health", "container", "retries", value=3)
    document.set("domains", 2, value={"api": "api.example.com"})
    document.set("network", "resolvers", 0, value="192.0.2.53")
    document.save()
    config = load_config(file)
    assert config.project.uuid == "abc123"
    assert config.health.container.retries == 3
    assert [domain.name for domain in config.all_domains] == ["primary", "staging", "api"]
    assert config.network.resolvers[0].address == "192.0.2.53"
    for comment in ("# Our shop.", "# behind the VPN", "# Names.", "# main"):
        assert comment in file.read_text()


def test_a_reference_is_never_written_back_resolved(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COOLIFY_TOKEN", "hunter2")
    document = ConfigDocument.open(file)
    assert document.get("auth", "token") == "${COOLIFY_TOKEN}"
    document.save()
    assert "hunter2" not in file.read_text()


def test_a_path_that_is_not_there_has_no_value(file: Path) -> None:
    document = ConfigDocument.open(file)
    assert document.get("health", "path") is None
    assert document.get("domains", 7, "primary") is None
    assert document.get("server", "x") is None


@pytest.mark.parametrize("path", [("server", "x"), ("domains", "primary"), ("domains", 7)])
def test_a_key_without_place_is_refused(file: Path, path: tuple[str | int, ...]) -> None:
    with pytest.raises(ConfigError, match="has no place for"):
        ConfigDocument.open(file).set(*path, value=1)


def test_saving_keeps_mode_and_link_and_leaves_nothing_behind(file: Path, tmp_path: Path) -> None:
    file.chmod(0o640)
    link = tmp_path / "link.yml"
    link.symlink_to(file)
    document = ConfigDocument.open(link)
    document.set("environment", value="staging")
    document.save()
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert load_config(file).environment == "staging"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["config.yml", "link.yml"]


def test_a_failed_save_leaves_the_old_file(file: Path, tmp_path: Path) -> None:
    document = ConfigDocument.open(file)
    document.set("environment", value="staging")
    file.rename(tmp_path / "moved.yml")
    with pytest.raises(ConfigError, match="cannot be written"):
        document.save()
    assert [one.name for one in tmp_path.iterdir()] == ["moved.yml"]


def test_a_missing_or_broken_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not found"):
        ConfigDocument.open(tmp_path / "none.yml")
    (tmp_path / "broken.yml").write_text("a: [")
    with pytest.raises(ConfigError, match="not valid YAML"):
        ConfigDocument.open(tmp_path / "broken.yml")
