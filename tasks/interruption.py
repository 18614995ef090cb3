"""How a run notices that it is being cancelled."""

from __future__ import annotations

import asyncio
from typing import Final

from prefect.exceptions import TerminationSignal

__all__ = ["INTERRUPTIONS"]

INTERRUPTIONS: Final = (asyncio.CancelledError, TerminationSignal)
"""What a step sees: Prefect raises SIGTERM where the process is at the moment, within a step or in the event loop,
which then cancels the step."""
