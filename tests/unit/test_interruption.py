"""A run that is told to end within a task group ends as if it had been told elsewhere."""

import asyncio
import signal

import anyio
import pytest
from prefect.exceptions import TerminationSignal

from tasks.interruption import INTERRUPTIONS, interruption_alone
from tasks.phases import phase


async def ends() -> None:
    raise TerminationSignal(signal.SIGTERM)


async def waits() -> None:
    await asyncio.sleep(60)


async def test_the_signal_comes_out_of_the_task_groups_in_which_it_arrives() -> None:
    async def deploys() -> None:
        async with phase("deploy"), anyio.create_task_group() as outer:
            outer.start_soon(waits)
            async with asyncio.TaskGroup() as inner:
                inner.create_task(ends())
                inner.create_task(waits())

    with pytest.raises(TerminationSignal):
        await deploys()


def test_the_signal_counts_more_than_the_cancellations_that_it_causes() -> None:
    group = BaseExceptionGroup("", [asyncio.CancelledError(), BaseExceptionGroup("", [TerminationSignal(15)])])
    with pytest.raises(TerminationSignal), interruption_alone():
        raise group


def test_other_groups_stay_what_they_are() -> None:
    group = ExceptionGroup("", [ValueError("wrong")])
    with pytest.raises(ExceptionGroup) as caught, interruption_alone():
        raise group
    assert caught.value is group
    assert not isinstance(caught.value, INTERRUPTIONS)
