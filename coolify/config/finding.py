"""Where the configuration file is, and what commands need of it that only look at something in Coolify."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from coolify.config.coordinates import DEFAULT_PATH, Coordinates
from coolify.config.document import merge, read
from coolify.config.errors import ConfigError, Problem
from coolify.config.overlays import chosen_environment, take_overlays

__all__ = ["find_config", "load_coordinates", "nearest_above"]


def find_config(path: Path) -> Path:
    """Return the configuration file: the path itself or, for the default one, the nearest above the current directory.

    Raises:
        ConfigError: There is none.
    """
    if path.is_file():
        return path
    if path == DEFAULT_PATH:
        if found := nearest_above(path):
            return found
        message = f"not found in {Path.cwd()} or above: write one with `coolify project init`."
    elif path.is_dir():
        message = "is a directory: name the file in it."
    else:
        message = "not found: write one with `coolify project init`."
    raise ConfigError(path, (Problem(0, "", message),))


def nearest_above(path: Path) -> Path | None:
    """Return a file of this relative path in the nearest directory above the current one, None where none has it."""
    return next((folder / path for folder in Path.cwd().parents if (folder / path).is_file()), None)


def load_coordinates(path: Path, *, environment: str | None = None) -> Coordinates:
    """Read which application a file describes for an environment, without the sections that say how it shall be.

    Args:
        path: The file.
        environment: As for `load_config`.

    Raises:
        ConfigError: With all problems of the whole file, where one of them is in what is needed.
    """
    document = read(path)
    overlays, problems = take_overlays(document)
    chosen = chosen_environment(document, environment)
    merged = merge(document, overlays[chosen]) if chosen in overlays else document
    needed: dict[str, object] = {key: value for key, value in merged.items() if key in Coordinates.model_fields}
    if isinstance(needed.get("environment"), str | None):
        needed["environment"] = chosen
    filled = {key: value for key, value in needed.items() if value is not None}
    try:
        found = Coordinates.model_validate({**filled, "path": path})
    except ValidationError:
        found = None
    if found is not None and not problems:
        return found
    from coolify.config.load import load_config

    return load_config(path, environment=environment)
