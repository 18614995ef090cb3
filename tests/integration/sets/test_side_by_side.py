"""Work on several applications at once, and how it ends."""

import asyncio

import pytest

from tasks.sets import side_by_side


async def test_no_more_run_at_once_than_are_allowed_and_all_have_their_turn() -> None:
    running, most, done = 0, 0, []

    async def work(name: str) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        done.append(name)

    await side_by_side("abcdef", 2, work, lambda: True)
    assert most == 2
    assert done == list("abcdef")


async def test_what_has_begun_comes_to_its_end_when_no_other_may_begin() -> None:
    done: list[str] = []

    async def work(name: str) -> None:
        await asyncio.sleep(0)
        done.append(name)

    await side_by_side("abcd", 2, work, lambda: not done)
    assert done == ["a", "b"]


async def test_each_is_cancelled_once_and_leaves_things_in_order() -> None:
    begun, left = asyncio.Event(), []

    async def work(name: str) -> None:
        try:
            if name == "b":
                begun.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            for _ in range(3 if name == "a" else 10):
                await asyncio.sleep(0)
            left.append(name)
            raise

    everything = asyncio.create_task(side_by_side("ab", 2, work, lambda: True))
    await begun.wait()
    everything.cancel()
    with pytest.raises(asyncio.CancelledError):
        await everything
    assert left == ["a", "b"]


async def test_a_defect_of_one_ends_the_others_and_is_told() -> None:
    left: list[str] = []

    async def work(name: str) -> None:
        if name == "b":
            raise ZeroDivisionError
        try:
            await asyncio.Event().wait()
        finally:
            left.append(name)

    with pytest.raises(ZeroDivisionError):
        await side_by_side("ab", 2, work, lambda: True)
    assert left == ["a"]
