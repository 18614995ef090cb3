"""A build that fails is diagnosed, adjusted and tried once more."""

from pathlib import Path

import pytest

from coolify.decisions import BUILD_FAILED
from coolify.progress import ProgressEvent, StepDone, observe
from coolify.release import Outcome


def fail_once(shop, marker: Path, line: str) -> None:
    """Let the build fail at its first attempt, with a line in its log."""
    command = f"sh -c 'test -e {marker} || {{ touch {marker}; echo \"{line}\"; exit 1; }}'"
    shop.configure(build={"build_command": command, "start_command": shop.repository.START_COMMAND})


@pytest.mark.parametrize(
    ("line", "causes", "how"),
    [
        ("npm error code EAI_AGAIN", {"build-network"}, "unchanged"),
        ("npm error code EINTEGRITY", {"build-cache-broken"}, "without cache"),
        ("something else went wrong", set(), "without cache"),
    ],
)
async def test_a_failed_build_is_diagnosed_adjusted_and_green(
    shop, release_shop, tmp_path, line: str, causes: set[str], how: str
) -> None:
    fail_once(shop, tmp_path / "failed-once", line)
    events: list[ProgressEvent] = []
    with observe(events.append):
        report = await release_shop()
    assert report.outcome is Outcome.COMPLETED
    assert await shop.version() == "1.0.0"
    assert [one.question for one in report.decisions] == [BUILD_FAILED.question]
    assert StepDone(f"building once more, {how}") in events
    assert {one.name for one in report.findings if one.name.startswith("build-")} == causes
