"""The file that remembers contexts: `$XDG_CONFIG_HOME/coolify/contexts.json` (XDG Base Directory Specification)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from coolify.contexts.model import Context
from coolify.errors import OperatorError
from coolify.files import write_whole
from coolify.suggest import nearest

__all__ = ["ContextError", "ContextStore", "config_home"]

_MODE: Final = 0o600


class ContextError(OperatorError):
    """There is no such context, or the file that holds them cannot be used."""

    is_usage = True


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    current: str | None = None
    contexts: tuple[Context, ...] = ()


class ContextStore:
    """Contexts of the person who runs the command."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._path = directory / "contexts.json"
        self._stored = self._read()

    @classmethod
    def open(cls, environ: Mapping[str, str]) -> Self:
        """Read the contexts of this person; none when there is no file yet.

        Raises:
            ContextError: The file cannot be read.
        """
        return cls(config_home(environ))

    @property
    def contexts(self) -> tuple[Context, ...]:
        """All contexts, in the order of their names."""
        return tuple(sorted(self._stored.contexts, key=lambda context: context.name))

    @property
    def current(self) -> Context | None:
        """The context that is used when none is named; the only one when there is one."""
        for context in self.contexts:
            if context.name == self._stored.current or len(self.contexts) == 1:
                return context
        return None

    def get(self, name: str) -> Context:
        """Return a context.

        Raises:
            ContextError: There is none with this name.
        """
        for context in self.contexts:
            if context.name == name:
                return context
        names = [context.name for context in self.contexts]
        told = f"{nearest(name, names)}" if names else "there is none yet: run `coolify auth login`."
        raise ContextError(f"There is no context '{name}': {told}")

    def for_server(self, server: str) -> Context | None:
        """Return the context of an instance by its address; the current one where several have it."""
        fitting = [one for one in self.contexts if _same(one.server, server)]
        if self.current in fitting:
            return self.current
        return fitting[0] if fitting else None

    def put(self, context: Context, *, make_current: bool = True) -> None:
        """Add a context, or replace the one of the same name."""
        others = tuple(one for one in self._stored.contexts if one.name != context.name)
        current = context.name if make_current else self._stored.current
        self._write(_Stored(current=current, contexts=(*others, context)))

    def use(self, name: str) -> Context:
        """Make a context the current one.

        Raises:
            ContextError: There is none with this name.
        """
        context = self.get(name)
        self._write(self._stored.model_copy(update={"current": context.name}))
        return context

    def remove(self, name: str) -> Context:
        """Forget a context.

        Raises:
            ContextError: There is none with this name.
        """
        context = self.get(name)
        others = tuple(one for one in self._stored.contexts if one.name != name)
        current = None if self._stored.current == name else self._stored.current
        self._write(_Stored(current=current, contexts=others))
        return context

    def _read(self) -> _Stored:
        try:
            return _Stored.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return _Stored()
        except OSError as error:
            raise ContextError(f"{self._path} cannot be read: {error.strerror}.") from None
        except ValidationError:
            raise ContextError(
                f"{self._path} is not a list of contexts: repair it, or delete it and run `coolify auth login` again."
            ) from None

    def _write(self, stored: _Stored) -> None:
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self._path, stored.model_dump_json(indent=2, exclude_none=True) + "\n", mode=_MODE)
        except OSError as error:
            raise ContextError(f"{self._path} cannot be written: {error.strerror}.") from None
        self._stored = stored


def config_home(environ: Mapping[str, str]) -> Path:
    """Return the directory of this program's settings."""
    base = environ.get("XDG_CONFIG_HOME", "")
    return (Path(base) if Path(base).is_absolute() else Path.home() / ".config") / "coolify"


def _same(one: str, other: str) -> bool:
    return one.rstrip("/").lower() == other.rstrip("/").lower()
