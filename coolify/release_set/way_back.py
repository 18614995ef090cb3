"""Where an application goes when the run over a set that released it is rolled back: pure, from its records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coolify.release.record import Outcome, ReleaseRecord, last_good

__all__ = ["WayBack", "way_back"]


@dataclass(frozen=True, slots=True)
class WayBack:
    """What rolling back a run over a set means for one application."""

    number: int | None
    """Number of the release to go back to; None where nothing is done."""
    reason: str = ""
    """Why nothing is done."""
    is_needed: bool = True
    """False where there is nothing to take back."""


def way_back(records: Sequence[ReleaseRecord], run: str) -> WayBack:
    """Return the release that was proved before a run over a set released an application.

    Args:
        records: Records of the application, oldest first.
        run: The run, as its releases name it.
    """
    # What was rolled back by itself has left everything as it was before.
    standing = [one for one in records if one.outcome is not Outcome.ROLLED_BACK]
    of_run = [one for one in standing if one.set_run == run and one.kind == "release" and one.changed_anything]
    if not of_run:
        return WayBack(None, "The run has released nothing of it.", is_needed=False)
    newest = standing[-1]
    if newest.set_run != run:
        return WayBack(None, f"{newest.kind.capitalize()} {newest.number} came after the run: it was left alone.")
    if newest.kind == "rollback" and newest.outcome is Outcome.COMPLETED:
        return WayBack(None, "It was rolled back already.", is_needed=False)
    before = last_good(records, before=of_run[0].number)
    if before is None:
        return WayBack(None, "It was released for the first time: there is nothing to go back to.")
    return WayBack(before.number)
