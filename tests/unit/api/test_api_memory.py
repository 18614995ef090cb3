"""What is found out once in a run."""

import asyncio

import pytest

from coolify.api.memory import Memory


class Question:
    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self) -> object:
        self.asked += 1
        await asyncio.sleep(0)
        answer = self.answers[min(self.asked, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_who_asks_at_the_same_time_waits_for_one_answer() -> None:
    memory, question = Memory(), Question("project")
    assert await asyncio.gather(*(memory.once("key", question) for _ in range(5))) == ["project"] * 5
    assert question.asked == 1


async def test_a_failure_is_not_remembered() -> None:
    memory, question = Memory(), Question(ValueError("refused"), "project")
    with pytest.raises(ValueError, match="refused"):
        await memory.once("key", question)
    assert await memory.once("key", question) == "project"


async def test_an_answer_that_is_too_old_is_asked_for_again() -> None:
    now = 0.0
    memory, question = Memory(lambda: now), Question("reachable", "not reachable")
    assert await memory.once("key", question, seconds=60) == "reachable"
    now = 59.0
    assert await memory.once("key", question, seconds=60) == "reachable"
    now = 60.0
    assert await memory.once("key", question, seconds=60) == "not reachable"
