"""Who answers a question."""

import asyncio
from contextlib import contextmanager

import pytest

from coolify.asking import Answer, Question, answers, ask
from coolify.decisions import HEALTH_GATE_FAILED

QUESTION = Question(HEALTH_GATE_FAILED, "The gate is closed.", {"rollback": "There is no earlier version."})


def always(option: str):
    async def asker(_: Question) -> Answer:
        return Answer(option)

    return asker


async def test_where_nobody_can_be_asked_there_is_no_answer_and_no_time_out() -> None:
    assert await ask(QUESTION) == Answer(option=None, timed_out=False)


async def test_the_asker_gets_the_question_as_it_is_and_its_answer_counts() -> None:
    asked = []

    async def asker(question: Question) -> Answer:
        asked.append(question)
        return Answer(timed_out=True)

    with answers(asker):
        assert await ask(QUESTION) == Answer(timed_out=True)
    assert asked == [QUESTION]


async def test_the_innermost_asker_answers_and_the_outer_one_comes_back() -> None:
    with answers(always("keep")):
        with answers(always("abort")):
            assert (await ask(QUESTION)).option == "abort"
        assert (await ask(QUESTION)).option == "keep"
    assert await ask(QUESTION) == Answer()


async def test_an_asker_is_gone_after_an_error_too() -> None:
    @contextmanager
    def failing():
        with answers(always("keep")):
            yield
            raise RuntimeError("the flow broke")

    with pytest.raises(RuntimeError), failing():
        pass
    assert await ask(QUESTION) == Answer()


async def test_work_side_by_side_is_answered_by_its_own_asker() -> None:
    both_are_set = asyncio.Barrier(2)

    async def work(option: str) -> str | None:
        with answers(always(option)):
            await both_are_set.wait()
            return (await ask(QUESTION)).option

    assert await asyncio.gather(work("keep"), work("abort")) == ["keep", "abort"]


async def test_what_an_asker_raises_reaches_whoever_asked() -> None:
    async def asker(_: Question) -> Answer:
        raise ConnectionError("the terminal is gone")

    with answers(asker), pytest.raises(ConnectionError):
        await ask(QUESTION)
