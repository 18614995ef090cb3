"""Quantities as Kubernetes writes them, and what Docker makes of them.

Source: Kubernetes `apimachinery` resource.Quantity (decimal suffixes m k M G T P E, binary Ki Mi Gi Ti Pi Ei);
Docker reads `b k m g` as powers of 1024.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

__all__ = ["docker_cpus", "docker_memory", "parse_quantity"]

_QUANTITY: Final = re.compile(r"(?P<number>\d+(\.\d+)?|\.\d+)(?P<suffix>m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
_FACTOR: Final = {
    "m": Decimal("0.001"),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate(("", "k", "M", "G", "T", "P", "E"))},
    **{suffix: Decimal(1024) ** power for power, suffix in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)},
}
_DOCKER_UNITS: Final = (("g", 1024**3), ("m", 1024**2), ("k", 1024))


def parse_quantity(text: str) -> Decimal:
    """Return the plain number of a quantity: `500m` is 0.5, `4Gi` is 4294967296.

    Raises:
        ValueError: The text is no quantity; the message says how one is written.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        raise ValueError("is not a quantity: write it as in 2, 500m, 512Mi or 4Gi.")
    return Decimal(match["number"]) * _FACTOR[match["suffix"] or ""]


def docker_cpus(quantity: str | None) -> str:
    """Return Docker's `--cpus` text, `0` (no limit) for none: `500m` becomes `0.5`.

    Raises:
        ValueError: The text is no quantity.
    """
    if quantity is None:
        return "0"
    return format(parse_quantity(quantity).normalize(), "f")


def docker_memory(quantity: str | None) -> str:
    """Return Docker's memory text, `0` (no limit) for none: `4Gi` becomes `4g`, `1500Mi` becomes `1500m`.

    A number of bytes that no unit divides evenly is given as bytes (`500M` becomes `500000000b`).

    Raises:
        ValueError: The text is no quantity.
    """
    if quantity is None:
        return "0"
    size = int(parse_quantity(quantity))
    return next((f"{size // unit}{name}" for name, unit in _DOCKER_UNITS if size % unit == 0), f"{size}b")
