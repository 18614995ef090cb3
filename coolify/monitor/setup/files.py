"""What is written into the directory, compared with what is there; the plan is shown before it is carried out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePosixPath

from coolify.errors import OperatorError
from coolify.files import write_whole
from coolify.monitor.setup.alertmanager import Mail, alertmanager_file
from coolify.monitor.setup.blackbox import TARGETS, blackbox_file, targets_file
from coolify.monitor.setup.dashboard import dashboard_file
from coolify.monitor.setup.prometheus import prometheus_file
from coolify.monitor.setup.rules import rules_file
from coolify.monitor.setup.yaml import MARK
from coolify.monitor.watched import Watched

__all__ = ["FileChange", "Places", "SetupRefusedError", "apply_changes", "plan_files", "wanted_files"]


class SetupRefusedError(OperatorError):
    """A file is there that somebody else has written."""

    is_usage = True


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is."""

    target: str
    """Host and port of `coolify monitor serve`, as Prometheus reaches it."""
    alertmanager: str
    """Host and port of the Alertmanager, as Prometheus reaches it."""
    secrets: PurePosixPath
    """Directory with credentials, as Alertmanager and the blackbox exporter see it."""
    interval: float
    """Seconds between two looks."""
    mail: Mail
    blackbox: str = ""
    """Host and port of a blackbox exporter, as Prometheus reaches it; empty where there is none."""


class FileKind(StrEnum):
    """What happens to a file."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of the plan."""

    path: Path
    kind: FileKind
    text: str

    @property
    def is_change(self) -> bool:
        """Whether it is written."""
        return self.kind is not FileKind.UNCHANGED


def wanted_files(watched: Iterable[Watched], places: Places) -> Mapping[str, str]:
    """Return name -> text of every file."""
    there = tuple(watched)
    files = {
        "coolify-prometheus.yml": prometheus_file(places.target, places.alertmanager, places.interval, places.blackbox),
        "coolify-rules.yml": rules_file(places.interval, probes=bool(places.blackbox)),
        "coolify-alertmanager.yml": alertmanager_file(there, places.secrets, places.mail),
        "coolify-dashboard.json": dashboard_file(),
    }
    if places.blackbox:
        files["coolify-blackbox.yml"] = blackbox_file(there, places.secrets)
        files[TARGETS] = targets_file(there, places.secrets)
    return files


def plan_files(directory: Path, wanted: Mapping[str, str]) -> tuple[FileChange, ...]:
    """Compare what is wanted with what is there.

    Args:
        directory: Where the files are.
        wanted: Name -> text.

    Raises:
        SetupRefusedError: A file of that name is not ours.
        OperatorError: One cannot be read.
    """
    return tuple(_compare(directory / name, text) for name, text in wanted.items())


def _compare(path: Path, text: str) -> FileChange:
    try:
        there = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return FileChange(path, FileKind.CREATE, text)
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"{path} cannot be read: {error}.") from None
    if MARK not in there:
        raise SetupRefusedError(f"{path} was not written by us: move it away, or choose another --directory.")
    return FileChange(path, FileKind.UNCHANGED if there == text else FileKind.UPDATE, text)


def apply_changes(changes: Iterable[FileChange]) -> None:
    """Write what differs, each file whole.

    Raises:
        OperatorError: One cannot be written; those before it are.
    """
    for change in changes:
        if not change.is_change:
            continue
        try:
            change.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(change.path, change.text, mode=0o644)
        except OSError as error:
            raise OperatorError(f"{change.path} cannot be written: {error.strerror}.") from None
