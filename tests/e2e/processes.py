"""Processes that tests have started, with all that those have started."""

import contextlib
import os
import signal
from pathlib import Path


def descendants(pid: int) -> set[int]:
    """Return the processes below `pid`, by their parents in /proc."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found: set[int] = set()
    frontier = {pid}
    while frontier:
        frontier = {child for child, parent in parents.items() if parent in frontier} - found
        found |= frontier
    return found


def kill_all(pid: int) -> None:
    """Kill a process and everything below it, as a machine does that loses its power."""
    for one in (pid, *descendants(pid)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
