"""What costs requests is looked at in turn."""

from datetime import UTC, datetime, timedelta

from coolify.config import Config
from coolify.config.monitoring import Aspect
from coolify.monitor.instance import Allowance
from coolify.monitor.memory import Memory
from coolify.monitor.rota import choose
from coolify.monitor.watched import of_config

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def fleet(number: int, **sections: object) -> list:
    return [
        of_config(
            Config.model_validate(
                {"server": "https://coolify.example.com", "project": {"name": f"shop-{place}"}, **sections}
            )
        )
        for place in range(number)
    ]


def test_everybody_gets_a_turn_and_no_run_sends_more_than_it_may() -> None:
    watched = fleet(100)
    memories: dict[str, Memory] = {}
    now = NOW
    for _ in range(40):
        allowance = Allowance(60)
        turns = choose(watched, memories, allowance, now)
        assert 0 <= allowance.left <= 60
        for key, aspects in turns.items():
            memory = memories.get(key, Memory())
            memories[key] = Memory(looked={**memory.looked, **dict.fromkeys(aspects, now)})
        now += timedelta(minutes=1)
    assert {one.subject.key for one in watched} == set(memories)
    assert all(set(one.looked) == {Aspect.DEPLOYMENT, Aspect.DRIFT} for one in memories.values())


def test_what_was_just_looked_at_is_left_out() -> None:
    (shop,) = fleet(1)
    memory = Memory(looked={Aspect.DEPLOYMENT: NOW - timedelta(minutes=2), Aspect.DRIFT: NOW - timedelta(hours=7)})
    assert choose([shop], {shop.subject.key: memory}, Allowance(100), NOW) == {shop.subject.key: {Aspect.DRIFT}}


def test_what_is_ignored_costs_nothing() -> None:
    (shop,) = fleet(1, monitoring={"ignore": ["deployment", "drift"]})
    assert choose([shop], {}, Allowance(100), NOW) == {}
