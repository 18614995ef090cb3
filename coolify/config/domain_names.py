"""Names of domains that are nearly those of an environment."""

import re
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Final

from coolify.config.document import PlacedList, PlacedMap
from coolify.config.domains import SETTINGS
from coolify.config.errors import Problem

__all__ = ["meant_by", "misspelt_names"]

_NEAR: Final = 0.9


def misspelt_names(document: PlacedMap, known: Collection[str]) -> Iterator[Problem]:
    """Yield the domains of a document whose names are most likely misspelt.

    Any name may be given to a domain, and one that names no environment belongs to all of them: `stagin` would bring
    the domain of staging to production.

    Args:
        document: The file, or the overlay of an environment.
        known: Names with a meaning: `primary` and those of environments.
    """
    written = document.get("domains")
    entries = [one for one in written if isinstance(one, PlacedMap)] if isinstance(written, PlacedList) else []
    for entry in entries:
        for name in entry.keys() - SETTINGS:
            if meant := meant_by(name, known):
                yield entry.keys_at[name].problem(
                    f"names no environment; did you mean `{meant}`? If not, take a name that is less like it."
                )


def meant_by(name: str, known: Collection[str]) -> str | None:
    """Return the name that somebody meant who wrote this one, None where it is as good as any other.

    >>> [meant_by(one, ["staging"]) for one in ("stagin", "Staging", "stage", "staging", "staging-eu", "staging2")]
    ['staging', 'staging', None, None, None, None]
    """
    if name in known:
        return None
    digits = re.findall(r"\d+", name)
    candidates = [one for one in known if not name.startswith(one) and re.findall(r"\d+", one) == digits]
    folded = {one.lower(): one for one in candidates}
    return next((folded[one] for one in get_close_matches(name.lower(), folded, n=1, cutoff=_NEAR)), None)
