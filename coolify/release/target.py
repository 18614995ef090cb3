"""Which recorded release a rollback by hand means."""

from __future__ import annotations

from collections.abc import Sequence

from coolify.errors import OperatorError
from coolify.release.record import Outcome, ReleaseRecord

__all__ = ["PREVIOUS", "RollbackTargetError", "find_target"]

PREVIOUS = "previous"


class RollbackTargetError(OperatorError):
    """There is no such release to go back to."""

    is_usage = True


def find_target(records: Sequence[ReleaseRecord], version: str) -> ReleaseRecord:
    """Return the record whose proved state is meant.

    Args:
        records: Records of one application, oldest first.
        version: `previous`, a release number, or the beginning of a commit or a tag.

    Raises:
        RollbackTargetError: None fits, several versions do, or its state is not kept any more.
    """
    good = [record for record in records if record.outcome is Outcome.COMPLETED]
    if not good:
        raise RollbackTargetError("No release of this application has completed yet: there is nothing to go back to.")
    current = next((record for record in reversed(records) if record.serving), good[-1])
    if version == PREVIOUS:
        fitting = [record for record in good if record.serving != current.serving]
    elif version.isdecimal() and len(version) < 7:
        fitting = [record for record in good if record.number == int(version)]
    else:
        fitting = [record for record in good if record.serving and record.serving.startswith(version)]
    if not fitting:
        known = ", ".join(f"{record.number} ({(record.serving or '?')[:12]})" for record in good)
        raise RollbackTargetError(f"No completed release fits '{version}'; there are: {known}.")
    if version != PREVIOUS and len({record.serving for record in fitting}) > 1:
        raise RollbackTargetError(f"Several versions begin with '{version}': give more of it.")
    chosen = fitting[-1]
    if chosen.proved is None:
        raise RollbackTargetError(f"The state of release {chosen.number} is not kept any more: choose a newer one.")
    return chosen
