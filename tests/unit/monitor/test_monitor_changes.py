"""Only changes are told, and not each of them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coolify.config.freeze import Freeze
from coolify.config.monitoring import Aspect, Monitoring
from coolify.finding import Severity
from coolify.monitor.changes import ChangeKind
from coolify.monitor.memory import Acknowledgement, Notes, Silence
from coolify.monitor.model import Look, Observation
from tests.unit.monitor.conftest import GOOD, SHOP, Watching, finding


def test_one_bad_look_tells_nothing(watching) -> None:
    assert watching.see(finding()) == ()
    assert watching.see(GOOD) == ()
    assert watching.see(finding()) == ()


def test_two_in_a_row_are_told_once_and_two_good_ones_end_it(watching) -> None:
    assert [watching.kinds(one) for one in (finding(), finding(), finding())] == [[], ["raised"], []]
    assert [watching.kinds(one) for one in (GOOD, GOOD, GOOD)] == [[], ["resolved"], []]


def test_what_is_not_looked_at_stays_as_it_is(watching) -> None:
    watching.see(finding())
    watching.see(finding())
    for _ in range(5):
        assert watching.compare(Look(subject=SHOP)) == ()
    assert len(watching.state.active) == 1


def test_an_aspect_that_is_ignored_from_now_on_is_forgotten(watching) -> None:
    watching.see(finding())
    watching.see(finding())
    watching.policy = Monitoring(ignore=(Aspect.HEALTH,))
    watching.compare(Look(subject=SHOP))
    assert watching.state.problems == ()


def test_what_nobody_watches_any_more_is_forgotten(watching) -> None:
    watching.see(finding())
    watching.see(finding())
    assert watching.compare() == ()
    assert watching.state.problems == ()


def test_it_is_told_again_when_it_gets_worse_and_after_a_day(watching) -> None:
    warning = finding(Severity.WARNING)
    watching.see(warning)
    assert watching.kinds(warning) == ["raised"]
    assert watching.kinds(finding()) == ["worsened"]
    assert watching.kinds(finding(), minutes=23 * 60) == []
    assert watching.kinds(finding(), minutes=60) == ["reminded"]
    assert watching.kinds(finding()) == []


def test_what_comes_and_goes_is_told_once_until_it_is_good_for_an_hour(watching) -> None:
    kinds: list[str] = []
    for _ in range(6):
        kinds += [kind for one in (finding(), finding(), GOOD, GOOD) for kind in watching.kinds(one)]
    assert kinds == ["raised", "resolved", "raised", "resolved", "flapping"]
    assert watching.kinds(GOOD, minutes=50) == []
    assert watching.kinds(GOOD, minutes=15) == ["resolved"]
    # An hour later it is a new problem like any other.
    assert watching.kinds(finding(), minutes=61) == []
    assert watching.kinds(finding()) == ["raised"]


def test_nothing_is_told_in_maintenance_and_what_is_still_wrong_afterwards_is(watching) -> None:
    window = Freeze.model_validate({"from": "2026-11-25 12:00", "until": "2026-11-25 13:00", "reason": "Work"})
    watching.policy = Monitoring(maintenance=(window,))
    assert [watching.kinds(finding()) for _ in range(5)] == [[]] * 5
    assert watching.kinds(finding(), minutes=60) == ["raised"]


def test_what_began_and_ended_in_maintenance_is_never_told(watching) -> None:
    window = Freeze.model_validate({"from": "2026-11-25 12:00", "until": "2026-11-25 13:00", "reason": "Work"})
    watching.policy = Monitoring(maintenance=(window,))
    told = [watching.kinds(one) for one in (finding(), finding(), GOOD, GOOD)]
    assert [*told, watching.kinds(GOOD, minutes=60)] == [[]] * 5


def test_a_deployment_under_way_disturbs_nobody(watching) -> None:
    assert [watching.kinds(finding(), deploying=True) for _ in range(5)] == [[]] * 5
    assert [watching.kinds(finding()) for _ in range(2)] == [[], ["raised"]]


def test_an_acknowledged_problem_is_told_no_more_but_its_end_is(watching) -> None:
    watching.see(finding())
    watching.see(finding())
    (problem,) = watching.state.active
    note = Acknowledgement(problem=problem.id, raised=problem.raised, by="ada", at=watching.now)
    watching.notes = Notes(acknowledged=(note,))
    assert watching.kinds(finding(), minutes=48 * 60) == []
    assert [watching.kinds(GOOD), watching.kinds(GOOD)] == [[], ["resolved"]]
    # When it comes again, it is another one.
    assert [watching.kinds(finding()), watching.kinds(finding())] == [[], ["raised"]]
    assert watching.notes.current(watching.now, watching.state.active).acknowledged == ()


@pytest.mark.parametrize(("text", "is_told"), [("shop", False), ("*", False), ("healthy", False), ("other", True)])
def test_a_silence_covers_what_it_names(watching, text, is_told) -> None:
    until = watching.now + timedelta(hours=1)
    watching.notes = Notes(silences=(Silence(text=text, until=until, by="ada"),))
    watching.see(finding())
    assert watching.kinds(finding()) == (["raised"] if is_told else [])
    assert watching.kinds(finding(), minutes=60) == ([] if is_told else ["raised"])


def test_restarts_are_remembered_for_an_hour_and_only_when_they_change(watching) -> None:
    for count in (4, 4, 4, 5, 7, 7):
        watching.see(GOOD, restarts=count)
    assert [count for _, count in watching.state.memories[SHOP.key].restarts] == [4, 5, 7]
    watching.see(GOOD, restarts=7, minutes=90)
    assert [count for _, count in watching.state.memories[SHOP.key].restarts] == [7]


def test_the_state_survives_being_written_down(watching) -> None:
    watching.see(finding(), restarts=1, uuid="abc")
    text = watching.state.model_dump_json()
    assert type(watching.state).model_validate_json(text) == watching.state


@given(st.lists(st.booleans(), max_size=60))
def test_whatever_happens_ends_alternate_with_beginnings(good: list[bool]) -> None:
    watching = Watching()
    told = [kind for one in good for kind in watching.kinds(GOOD if one else finding())]
    begun = [ChangeKind.RAISED, ChangeKind.FLAPPING]
    assert all((kind in begun) == (place % 2 == 0) for place, kind in enumerate(told))
    assert bool(watching.state.active) == (bool(told) and told[-1] != ChangeKind.RESOLVED)


def test_two_findings_of_one_aspect_are_two_problems(watching) -> None:
    slow = finding(Severity.WARNING, "watch-slow")
    watching.see(finding(), slow)
    assert [one.severity for one in watching.see(finding(), slow)] == [Severity.ERROR, Severity.WARNING]
    watching.see(slow)
    (over,) = watching.see(slow)
    assert (over.kind, over.problem.finding.name) == (ChangeKind.RESOLVED, "watch-not-healthy")


def test_observations_of_other_aspects_do_not_end_a_problem(watching) -> None:
    watching.see(finding())
    watching.see(finding())
    other = Observation(aspect=Aspect.DNS, at=watching.now)
    assert [watching.compare(Look(subject=SHOP, observations=(other,))) for _ in range(3)] == [()] * 3
