"""The memory that a container may use: what takes more is killed, as the kernel does with a container of Docker."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["kill_if_too_large"]

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def kill_if_too_large(pid: int, limit: int) -> bool:
    """Kill the largest of a process's descendants if all together take more than the limit; return whether one was.

    Args:
        pid: The process; it is the container's beginning and takes no part.
        limit: Bytes.
    """
    sizes = {one: _resident(one) for one in _descendants(pid)}
    if sum(sizes.values()) <= limit:
        return False
    with suppress(ProcessLookupError):
        os.kill(max(sizes, key=lambda one: sizes[one]), signal.SIGKILL)
    return True


def _descendants(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield int(child)
                yield from _descendants(int(child))


def _resident(pid: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0
