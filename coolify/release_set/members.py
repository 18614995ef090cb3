"""From the entries of a set file to loaded configurations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from coolify.config.coordinates import DEFAULT_PATH
from coolify.config.errors import ConfigError
from coolify.config.load import load_config
from coolify.config.model import Config
from coolify.errors import OperatorError
from coolify.release_set.file import ReleaseSet, SetMember
from coolify.suggest import nearest

__all__ = ["Member", "MembersError", "load_members"]


class MembersError(OperatorError):
    """The applications of a set cannot be read, or cannot be told apart. Lists all problems at once."""

    is_usage: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Member:
    """An application of a set."""

    name: str
    """What it is called in the set; unique there."""
    path: Path
    """Its configuration file."""
    environment: str
    """Environment whose overlay applies, empty for the file's own."""
    config: Config
    tags: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, str, str]:
        """Where it lives: Coolify server, project, environment. Applications of one place see each other."""
        return (self.config.server, self.config.project.uuid or self.config.project.name, self.config.environment)


def load_members(
    declared: ReleaseSet, root: Path, tags: Sequence[str] = (), environment: str = "", own: Path | None = None
) -> tuple[Member, ...]:
    """Return the applications of a set, in the order of the file.

    Args:
        declared: The set file.
        root: Directory that its paths start from.
        tags: Only applications with one of these; all when empty.
        environment: Environment of those that name none.
        own: The set file, which no pattern stands for.

    Raises:
        MembersError: With all problems of all configuration files.
    """
    known = sorted({tag for entry in declared.applications for tag in entry.tags})
    unknown = [tag for tag in tags if tag not in known]
    if unknown:
        hint = nearest(unknown[0], known) if known else "no application of the set has one."
        raise MembersError(f"There is no tag '{unknown[0]}' in the set: {hint}")
    members: list[Member] = []
    problems: list[str] = []
    for entry in declared.applications:
        if tags and not set(tags) & set(entry.tags):
            continue
        files = _files(entry, root, own)
        if not files:
            problems.append(f"No configuration file fits '{entry.config}' in {root}: correct it, or remove the entry.")
        for path in files:
            try:
                members.append(_load(entry, path, environment))
            except ConfigError as error:
                problems.append(str(error))
    if not problems:
        members = _told_apart(members)
        problems = [*_repeated(members)]
    if problems:
        raise MembersError("\n".join(problems))
    return tuple(members)


def _files(entry: SetMember, root: Path, own: Path | None) -> list[Path]:
    if not entry.is_pattern:
        return [_file_at(root / Path(entry.config).expanduser())]
    absolute = Path(entry.config).is_absolute()
    base, pattern = (Path("/"), entry.config.lstrip("/")) if absolute else (root, entry.config)
    found = sorted(_file_at(one) for one in base.glob(pattern) if one.is_file() or (one / DEFAULT_PATH).is_file())
    return [one for one in found if own is None or not one.samefile(own)]


def _file_at(path: Path) -> Path:
    return path / DEFAULT_PATH if path.is_dir() else path


def _load(entry: SetMember, path: Path, environment: str) -> Member:
    chosen = entry.environment or environment
    config = load_config(path, environment=chosen or None)
    return Member(entry.name or config.application_name, path, chosen, config, entry.tags)


def _told_apart(members: Sequence[Member]) -> list[Member]:
    """Add the environment, and where that is not enough the server, to names that several have."""

    def apart(named: Sequence[Member], more: Callable[[Member], str]) -> list[Member]:
        counts = Counter(one.name for one in named)
        return [replace(one, name=f"{one.name}@{more(one)}") if counts[one.name] > 1 else one for one in named]

    return apart(apart(members, lambda one: one.config.environment), lambda one: one.config.server)


def _repeated(members: Sequence[Member]) -> Iterable[str]:
    seen: dict[tuple[object, ...], Member] = {}
    for one in members:
        first = seen.setdefault((*one.place, one.config.application.uuid or one.config.application_name), one)
        if first is not one:
            yield (
                f"{one.config.application_name} ({one.config.environment}) is in the set twice, with {first.path} and "
                f"{one.path}: keep one."
            )
    for name, count in Counter(one.name for one in seen.values()).items():
        if count > 1:
            yield f"{count} applications of the set are called {name}: give each a `name` of its own in the set file."
