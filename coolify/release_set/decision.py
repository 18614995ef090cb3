"""The one decision about a set: what follows when an application of it could not be released."""

from __future__ import annotations

from typing import Final

from coolify.decisions import ABORT, Decision, Option

__all__ = ["SET_MEMBER_FAILED"]

SET_MEMBER_FAILED: Final = Decision(
    id="set-member-failed",
    question="An application of the set was not released. How should the run over the set go on?",
    options=(
        Option("continue", "Go on with the rest", "Everything is released that does not require what failed."),
        Option(
            "rollback",
            "Roll back the set",
            "Nothing more is released, and what this run has released is rolled back, in reverse order.",
        ),
        Option(ABORT, "Stop and keep", "Nothing more is released; what was released stays."),
    ),
    default=ABORT,
    fallback=(),
    evidence="Which application failed and why, and what this run has released before.",
    timeout_seconds=900.0,
)
