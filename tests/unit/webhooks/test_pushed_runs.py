"""Which run gives way to which."""

from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.schemas.objects import StateType

from coolify.config import Config
from coolify.webhooks import Push, PushKind
from tasks.pushes import PushedRun, find_double, find_newer

START = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CONFIG = Config.model_validate(
    {
        "server": "https://coolify.example.com",
        "project": {"name": "shop"},
        "source": {"repository": "https://github.com/example/shop"},
        "release": {"on_push": {"paths": ["shop"]}},
    }
)


def push(seconds: float, *, delivery="d", **fields) -> Push:
    given = {"kind": PushKind.BRANCH, "addresses": ("https://github.com/example/shop",), "ref": "main"}
    return Push(**given | fields, delivery=delivery, received_at=START + timedelta(seconds=seconds))


def run(about: Push, state=StateType.RUNNING, created: float = 0) -> PushedRun:
    return PushedRun("other", about, START + timedelta(seconds=created), state)


@pytest.mark.parametrize(
    ("other", "gives_way"),
    [
        (run(push(1), StateType.SCHEDULED), True),
        (run(push(1), StateType.RUNNING), True),
        (run(push(1), StateType.COMPLETED), True),
        (run(push(1), StateType.FAILED), True),
        (run(push(1), StateType.CANCELLED), False),
        (run(push(1), StateType.CRASHED), False),
        (run(push(-1), StateType.SCHEDULED), False),
        (run(push(1, ref="develop")), False),
        (run(push(1, skip=True)), False),
        (run(push(1, addresses=("https://github.com/example/blog",))), False),
        (run(push(1, paths=("blog/a.py",), paths_complete=True)), False),
    ],
)
def test_a_push_gives_way_to_a_newer_one_that_is_meant_for_the_application(other, gives_way) -> None:
    assert (find_newer(push(0), CONFIG, [other], patient=True) is not None) is gives_way


def test_after_a_while_it_gives_way_only_to_what_was_done() -> None:
    others = [run(push(1), StateType.RUNNING), run(push(2), StateType.SCHEDULED)]
    assert find_newer(push(0), CONFIG, others, patient=False) is None
    assert find_newer(push(0), CONFIG, [*others, run(push(3), StateType.COMPLETED)], patient=False) is not None


def test_of_two_runs_about_one_delivery_the_later_one_is_a_double() -> None:
    created = START + timedelta(seconds=10)
    assert find_double(push(0), created, [run(push(0), created=5)]) is not None
    assert find_double(push(0), created, [run(push(0), created=15)]) is None
    assert find_double(push(0), created, [run(push(0), StateType.CRASHED, created=5)]) is None
    # Another ref of the same delivery, and another delivery about the same commit.
    assert find_double(push(0), created, [run(push(0, ref="v1", kind=PushKind.TAG), created=5)]) is None
    assert find_double(push(0), created, [run(push(0, delivery="e"), created=5)]) is None
