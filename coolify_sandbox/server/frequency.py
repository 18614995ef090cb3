"""How often something happens, as Coolify's schedules say it."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_frequency"]

_WORDS: Final = frozenset({"every_minute", "hourly", "daily", "weekly", "monthly", "yearly"})
_CRON_FIELD: Final = re.compile(r"[0-9*,/-]+|[A-Za-z]{3}")


def is_frequency(value: object) -> bool:
    """Return whether a value is a word such as `daily` or a cron expression of five fields."""
    fields = str(value).split()
    return str(value) in _WORDS or (len(fields) == 5 and all(_CRON_FIELD.fullmatch(field) for field in fields))
