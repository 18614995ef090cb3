"""How errors become one sentence and an exit code."""

from __future__ import annotations

import sys
from typing import Final, NamedTuple

from coolify.errors import OperatorError

__all__ = ["EXIT_FAILURE", "EXIT_INTERRUPTED", "EXIT_OK", "EXIT_TERMINATED", "EXIT_USAGE", "Failure", "explain"]

EXIT_OK: Final = 0
EXIT_FAILURE: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130
"""128 + SIGINT, as shells report it."""
EXIT_TERMINATED: Final = 143
"""128 + SIGTERM."""


class Failure(NamedTuple):
    """What the operator reads, and what the shell gets."""

    message: str
    exit_code: int


def explain(error: BaseException) -> Failure | None:
    """Return the sentence and exit code of an error that is meant for operators, None for a defect of ours."""
    if isinstance(error, OperatorError):
        return Failure(f"Error: {error}", EXIT_USAGE if error.is_usage else EXIT_FAILURE)
    if "prefect" in sys.modules:
        return _explain_prefect(error)
    return None


def _explain_prefect(error: BaseException) -> Failure | None:
    import httpx
    from prefect.exceptions import PrefectHTTPStatusError, TerminationSignal

    if isinstance(error, TerminationSignal):
        return Failure("Terminated.", EXIT_TERMINATED)
    if isinstance(error, PrefectHTTPStatusError):
        return Failure(
            f"Error: The Prefect server answered {error.response.status_code}: check PREFECT_API_URL and "
            "PREFECT_API_AUTH_STRING.",
            EXIT_FAILURE,
        )
    if isinstance(error, httpx.TransportError) or "Failed to reach API" in str(error):
        return Failure(
            "Error: The Prefect server cannot be reached: start it, or unset PREFECT_API_URL to run without one.",
            EXIT_FAILURE,
        )
    if isinstance(error, RuntimeError) and "ephemeral Prefect API server" in str(error):
        return Failure(
            "Error: Prefect's temporary server did not start in time: run it again when the machine is less busy, see "
            "that its directory (PREFECT_HOME, or ~/.prefect) can be written, or set PREFECT_API_URL to a server.",
            EXIT_FAILURE,
        )
    return None
