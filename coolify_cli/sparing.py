"""What libraries load along and a short command does without.

Half of a second is long for somebody who looks how a deployment goes, and most of it is imports.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from typing import Final

__all__ = ["load_http_client", "spare_at_start"]

_GARBAGE_THRESHOLD: Final = 100_000


def spare_at_start() -> None:
    """Set what has to be set before anything is imported."""
    # Importing makes many objects that live on; looking for garbage among them takes a seventh of a short command.
    gc.set_threshold(_GARBAGE_THRESHOLD)
    # httpx loads its own command along where it can, and with it everything for colours: another eighth.
    sys.modules["httpx._main"] = None  # type: ignore[assignment]
    # pydantic reads the metadata of all that is installed in search of plugins, and we have none: a fortieth.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


def load_http_client() -> None:
    """Import what httpx sends requests with, without its HTTP/2: a thirtieth.

    HTTP/2 is only put off: httpcore imports it when a server has chosen it, and ours are not offered it.
    """
    if not {"httpcore", "h2"} & sys.modules.keys():
        sys.modules["h2"] = None  # type: ignore[assignment]
        try:
            import_module("httpcore")
        finally:
            del sys.modules["h2"]
