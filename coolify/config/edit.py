"""Change the configuration file and know beforehand that the result is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from coolify.config.load import load_config
from coolify.config.writer import ConfigDocument, Key, Plain

__all__ = ["Edit", "edit_config", "parse_path"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One value that changes."""

    path: str
    before: Plain
    after: Plain


def edit_config(
    path: Path, values: Mapping[tuple[Key, ...], Plain], *, environment: str | None = None, dry_run: bool = False
) -> tuple[Edit, ...]:
    """Set values of a file; the file is written when something changes and the whole is valid.

    Args:
        path: The file.
        values: Path in the file -> value; None removes.
        environment: Environment for which the result must be valid besides the file's own and all overlays.
        dry_run: Whether the file is left as it is.

    Returns:
        What changes, in the given order.

    Raises:
        ConfigError: The file is missing, or would be wrong.
    """
    document = ConfigDocument.open(path)
    edits = []
    for keys, value in values.items():
        before = document.get(*keys)
        if before == value:
            continue
        if value is None:
            document.remove(*keys)
        else:
            document.set(*keys, value=value)
        edits.append(Edit(".".join(str(key) for key in keys), before, value))
    if edits:
        load_config(path, environment=environment, text=document.text())
        if not dry_run:
            document.save()
    return tuple(edits)


def parse_path(text: str) -> tuple[Key, ...]:
    """Return the keys of a path such as `domains.0.primary`; numbers are places in lists."""
    return tuple(int(part) if part.isdigit() else part for part in text.split("."))
