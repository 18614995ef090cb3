"""How much more than the bare network operations it costs to check a thousand domains in one process.

Promised: at most twice the time, and less than 300 MB of memory.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.domains_dns import compare_lookups
from benchmarks.domains_tls import compare_handshakes

_DOMAINS: Final = 1000
_RATIO: Final = 2.0
_MEGABYTES: Final = 300
_MEASUREMENTS: Final = (compare_lookups, compare_handshakes)


async def main() -> int:
    """Measure, print a table, and return 1 where a promise is broken."""
    print(f"{_DOMAINS} domains              {'ours s':>8} {'bare s':>8} {'ratio':>8} {'promised':>9}")
    kept = []
    for measure in _MEASUREMENTS:
        with tempfile.TemporaryDirectory() as directory:
            one = await measure(_DOMAINS, Path(directory))
        kept.append(one.ratio <= _RATIO)
        print(
            f"{one.what:<26} {one.ours_seconds:>6.2f} {one.bare_seconds:>8.2f} {one.ratio:>8.2f} {_RATIO:>9.1f}"
            f"{'' if kept[-1] else '  BROKEN'}",
            flush=True,
        )
    # Kilobytes on Linux (getrusage(2)); servers and certificates of the measurement are in it.
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    kept.append(megabytes < _MEGABYTES)
    print(f"{'peak memory (MB)':<26} {megabytes:>6.0f} {'':>17} {_MEGABYTES:>9}{'' if kept[-1] else '  BROKEN'}")
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
