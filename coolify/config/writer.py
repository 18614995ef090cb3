"""Changes to the configuration file that keep its comments, order and quotes."""

from __future__ import annotations

import stat
from collections.abc import MutableMapping, MutableSequence, Sequence
from io import StringIO
from pathlib import Path
from typing import TypeAlias, cast

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from coolify.config.document import read
from coolify.config.errors import ConfigError, Problem
from coolify.files import write_whole

__all__ = ["ConfigDocument", "Key", "Plain", "save_text"]

Key: TypeAlias = str | int
"""Name of a key, or index of a list's entry."""
Plain: TypeAlias = "str | int | float | bool | list[Plain] | dict[str, Plain] | None"
"""What a value can be."""


class ConfigDocument:
    """A configuration file to change in place; `${NAME}` is text like any other and never resolved."""

    def __init__(self, path: Path, document: CommentedMap, yaml: YAML) -> None:
        self.path = path
        self._document = document
        self._yaml = yaml

    @classmethod
    def open(cls, path: Path) -> ConfigDocument:
        """Read a file.

        Raises:
            ConfigError: It is missing or no valid YAML mapping.
        """
        read(path)
        text = path.read_text(encoding="utf-8")
        yaml = YAML(typ="rt")
        yaml.preserve_quotes = True
        yaml.width = 10_000  # never fold a long line that was one line before
        if any(line.startswith("  - ") for line in text.splitlines()):
            yaml.indent(mapping=2, sequence=4, offset=2)
        return cls(path, yaml.load(text), yaml)

    def get(self, *keys: Key) -> Plain:
        """Return the value at a path such as `("domains", 0, "primary")`, None when there is none."""
        value: object = self._document
        for key in keys:
            value = self._child(value, key)
        return cast("Plain", value)

    def set(self, *keys: Key, value: Plain) -> None:
        """Set the value at a path; mappings on the way are made, an index one past the end appends.

        Raises:
            ConfigError: The path leads through a value that cannot hold the key.
        """
        if not keys:
            raise ValueError("A path needs at least one key.")
        owner: object = self._document
        for index, key in enumerate(keys[:-1]):
            below = self._child(owner, key)
            if below is None:
                below = [] if isinstance(keys[index + 1], int) else CommentedMap()
                self._put(owner, key, below, keys[:index])
                below = self._child(owner, key)
            owner = below
        self._put(owner, keys[-1], value, keys[:-1])

    def remove(self, *keys: Key) -> None:
        """Remove the value at a path, and the mappings above it that are empty then; nothing when there is none."""
        for depth in range(len(keys), 0, -1):
            owner: object = self._document
            for key in keys[: depth - 1]:
                owner = self._child(owner, key)
            if isinstance(owner, MutableMapping):
                owner.pop(keys[depth - 1], None)
            elif isinstance(owner, MutableSequence) and self._child(owner, keys[depth - 1]) is not None:
                del owner[cast("int", keys[depth - 1])]
            if owner:
                return

    @staticmethod
    def _child(owner: object, key: Key) -> object:
        if isinstance(owner, MutableMapping):
            return owner.get(key)
        if isinstance(owner, MutableSequence) and isinstance(key, int) and 0 <= key < len(owner):
            return owner[key]
        return None

    def _put(self, owner: object, key: Key, value: object, above: Sequence[Key]) -> None:
        if isinstance(owner, MutableMapping) and isinstance(key, str):
            owner[key] = value
        elif isinstance(owner, MutableSequence) and isinstance(key, int) and 0 <= key <= len(owner):
            owner[key : key + 1] = [value]
        else:
            where = ".".join(str(one) for one in above)
            raise ConfigError(self.path, (Problem(0, where, f"has no place for `{key}`: edit the file by hand."),))

    def text(self) -> str:
        """Return the file's text as it would be saved."""
        stream = StringIO()
        self._yaml.dump(self._document, stream)
        return stream.getvalue()

    def save(self) -> None:
        """Write the file so that a reader sees the old text or the new one and nothing between; its mode is kept.

        Raises:
            ConfigError: The file cannot be written.
        """
        save_text(self.path, self.text())


def save_text(path: Path, text: str) -> None:
    """Write a configuration file so that a reader sees the old text or the new one; its mode is kept.

    Raises:
        ConfigError: The file cannot be written.
    """
    try:
        write_whole(path, text, mode=stat.S_IMODE(path.stat().st_mode))
    except OSError as error:
        raise ConfigError(path, (Problem(0, "", f"cannot be written: {error.strerror}."),)) from None
