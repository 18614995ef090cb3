"""Counts that outlive a process: every deployment once, whenever the process dies."""

from datetime import date, timedelta

import pytest

from coolify.monitor import keeper as keeping_watch
from coolify.monitor.counting import Counted
from coolify.monitor.keeper import Keeper
from coolify.monitor.keeping import CountsFile, CountsFileError
from coolify.monitor.metrics import Exposed
from coolify.monitor.model import Look
from coolify.monitor.watch import Watch
from tests.unit.monitor.conftest import SHOP
from tests.unit.monitor.test_monitor_metrics import samples
from tests.unit.monitor.test_monitor_outcomes import ended, listed

FINISHED = ("coolify_app_deployments_total", "finished")
SECONDS = ("coolify_app_deployment_duration_seconds_sum", "")
TODAY = date(2026, 11, 25)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "counts.json"


def told(counted: Counted) -> dict[tuple[str, str], float]:
    return samples(Exposed(counted=counted))


class Process:
    """A process that looks; the next one begins where this one died."""

    def __init__(self, path, monkeypatch) -> None:
        self.file = CountsFile(path)
        self.keeper = Keeper(lambda: Watch(()), {}, counting=True, file=self.file)
        self.monkeypatch = monkeypatch

    async def sees(self, *looks: Look) -> float | None:
        async def look_at_everything(*_: object, **__: object) -> tuple[Look, ...]:
            return looks

        self.monkeypatch.setattr(keeping_watch, "look_at_everything", look_at_everything)
        return samples(await self.keeper.look()).get(FINISHED)

    def dies(self) -> None:
        # As the end of a process does.
        self.file._lock.close()


async def test_what_ended_while_nobody_looked_is_counted_once(path, monkeypatch) -> None:
    old, first, meanwhile, later = (ended(name) for name in ("old", "first", "meanwhile", "later"))
    one = Process(path, monkeypatch)
    assert [await one.sees(listed(old)), await one.sees(listed(first, old))] == [0, 1]
    one.dies()
    two = Process(path, monkeypatch)
    assert await two.sees(Look(subject=SHOP)) == 1, "Coolify does not answer: what was counted is told all the same"
    assert await two.sees(listed(meanwhile, first, old)) == 2
    two.dies()
    three = Process(path, monkeypatch)
    assert [await three.sees(listed(meanwhile, first, old)), await three.sees(listed(later, meanwhile))] == [2, 3]
    assert samples(three.keeper.exposed)[SECONDS] == 3 * 42


async def test_nothing_is_told_that_is_not_kept(path, monkeypatch) -> None:
    one = Process(path, monkeypatch)
    assert await one.sees(listed()) == 0
    with monkeypatch.context() as broken:

        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        broken.setattr("coolify.monitor.keeping.write_whole", full)
        assert await one.sees(listed(ended("new"))) == 0
        assert one.keeper.trouble == "counts cannot be kept: No space left on device"
    # A process that dies here has told 0, and the next one counts it.
    one.dies()
    two = Process(path, monkeypatch)
    assert await two.sees(listed(ended("new"))) == 1
    assert two.keeper.trouble == ""


async def test_an_application_that_nobody_looked_at_before_is_counted_from_then_on(path, monkeypatch) -> None:
    one = Process(path, monkeypatch)
    await one.sees(listed())
    one.dies()
    other = listed(ended("a")).model_copy(update={"subject": SHOP.model_copy(update={"key": "o", "application": "o"})})
    two = Process(path, monkeypatch)
    assert await two.sees(other) == 0


def test_an_application_that_is_away_for_a_while_is_not_told_and_goes_on() -> None:
    counted = Counted()
    for looks in ((listed(),), (listed(ended("a")),), ()):
        counted.add(looks, TODAY)
    assert FINISHED not in told(counted)
    counted.add((listed(ended("b"), ended("a")),), TODAY)
    assert told(counted)[FINISHED] == 2
    counted.add((), TODAY + timedelta(days=31))
    assert counted.kept.applications == ()


def test_a_deployment_that_is_listed_again_is_not_counted_again() -> None:
    counted = Counted()
    for looks in (listed(), listed(ended("b"), ended("a")), listed(), listed(ended("b"), ended("a"))):
        counted.add((looks,), TODAY)
    assert told(counted)[FINISHED] == 2


def test_a_file_belongs_to_one_process_and_a_wrong_one_is_refused(path, tmp_path) -> None:
    file = CountsFile(path)
    with pytest.raises(CountsFileError, match="is in use by another process"):
        CountsFile(path)
    file._lock.close()
    kept = path.read_text()
    path.write_text(kept.replace("1800.0", "3600.0"))
    with pytest.raises(CountsFileError, match="was written by another version"):
        CountsFile(path)
    path.write_text("{}}")
    with pytest.raises(CountsFileError, match="is no file with counts"):
        CountsFile(path)
    with pytest.raises(CountsFileError, match="cannot keep counts"):
        CountsFile(tmp_path)
