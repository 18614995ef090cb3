"""Who works at this machine, for the record."""

from __future__ import annotations

import getpass
import socket

__all__ = ["this_operator"]


def this_operator() -> str:
    """Return user and machine, as in `ada@workstation`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a number without a name.
        user = "somebody"
    return f"{user}@{socket.gethostname()}"
