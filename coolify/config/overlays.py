"""Section `environments`: what differs in one environment, laid over the rest of the file."""

import re
from collections.abc import Collection
from typing import Final

from coolify.config.document import PlacedMap
from coolify.config.errors import Problem

__all__ = ["chosen_environment", "take_overlays", "without"]

_NOT_IN_OVERLAY: Final = frozenset({"environment", "environments"})
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")


def take_overlays(document: PlacedMap) -> tuple[dict[str, PlacedMap], list[Problem]]:
    """Take the `environments` section out of the document: name -> overlay, and what is wrong in the section."""
    section = document.pop("environments", None)
    if section is None:
        return {}, []
    place = document.keys_at["environments"]
    if not isinstance(section, PlacedMap):
        return {}, [place.problem("must be a mapping of names to sections, as in `staging: {...}`.")]
    overlays: dict[str, PlacedMap] = {}
    problems: list[Problem] = []
    for name, overlay in section.items():
        at = section.keys_at[name]
        if not _LABEL.fullmatch(name):
            problems.append(at.problem("is not an environment's name: letters, digits, `.`, `_` and `-`."))
        elif overlay is None:
            overlays[name] = PlacedMap(at)
        elif not isinstance(overlay, PlacedMap):
            problems.append(at.problem("must be a mapping of sections."))
        else:
            overlays[name] = overlay
            problems += [
                overlay.keys_at[key].problem("cannot be set for one environment: remove it.")
                for key in overlay
                if key in _NOT_IN_OVERLAY
            ]
    return {name: without(overlay, _NOT_IN_OVERLAY) for name, overlay in overlays.items()}, problems


def without(source: PlacedMap, keys: Collection[str]) -> PlacedMap:
    """Return a mapping without some of its keys."""
    kept = PlacedMap(source.place)
    for key, value in source.items():
        if key not in keys:
            kept.put(key, source.keys_at[key], value)
    return kept


def chosen_environment(document: PlacedMap, wanted: str | None) -> str:
    """Return for which environment a document is read: the wanted one, else its own, else production."""
    written = document.get("environment")
    return wanted or (written if isinstance(written, str) else "") or "production"
