"""What the Prefect server has on record, as numbers: releases that are counted on, and questions that wait."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.flow_runs import resume_flow_run
from prefect.settings import PREFECT_API_URL, temporary_settings

from blocks import BlockRecordStore
from coolify.monitor.model import Metric
from coolify.monitor.recorded import measure_releases
from coolify.release import Outcome, ReleaseRecord
from flows.ask_operator import Asked, ask_operator
from tasks.recorded import PrefectRecords, PrefectUnreadableError
from tests.integration.monitor.prometheus import until

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


async def test_numbers_of_releases_stay_when_old_records_go(in_prefect) -> None:
    uuid = uuid4().hex
    store, records = BlockRecordStore(keep=3, keep_snapshots=1), PrefectRecords()
    assert (await records.history(uuid)).endings == {}
    seen = []
    for number in range(1, 9):
        opened = ReleaseRecord(
            number=number, application_uuid=uuid, application_name="shop", environment="production", started_at=NOW
        )
        await store.save(opened)
        ended = opened.closed(Outcome.COMPLETED if number % 2 else Outcome.ROLLED_BACK, NOW)
        # An answer that was lost is followed by the same once more.
        await store.save(ended)
        await store.save(ended)
        measures = measure_releases(await records.history(uuid), NOW)
        seen.append({one.detail: one.value for one in measures if one.metric is Metric.RELEASES})
    assert [sum(one.values()) for one in seen] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert seen[-1]["rolled_back"] == 4
    assert len((await records.history(uuid)).records) == 3


async def test_a_question_waits_until_it_is_answered(in_prefect) -> None:
    records = PrefectRecords()
    before = len((await records.waiting()).get("set-member-failed", ()))
    asked = Asked(decision="set-member-failed", evidence="It broke.", seconds=300)
    asking = asyncio.create_task(ask_operator(asked, return_state=True))
    try:
        await until(lambda: is_waiting(records, before + 1))
        (since, *_) = sorted((await records.waiting())["set-member-failed"], reverse=True)
        assert (datetime.now(UTC) - since).total_seconds() < 120
        async with get_client() as client:
            (run,) = [
                one
                for one in await client.read_flow_runs(limit=200)
                if one.name == "ask: set-member-failed" and one.state and one.state.is_paused()
            ]
        await resume_flow_run(run.id, run_input={"option": "abort", "name": "Ada"})
        state = await asyncio.wait_for(asking, 120)
        assert state.is_completed()
        assert await is_waiting(records, before)
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking


async def is_waiting(records: PrefectRecords, number: int) -> bool:
    return len((await records.waiting()).get("set-member-failed", ())) == number


async def test_a_server_that_is_away_is_one_sentence_and_is_not_asked_for_every_application() -> None:
    records = PrefectRecords()
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        with pytest.raises(PrefectUnreadableError, match=r"^The Prefect server cannot be read: it does not answer\.$"):
            await records.waiting()
        async with asyncio.timeout(5):
            for _ in range(1000):
                with pytest.raises(PrefectUnreadableError):
                    await records.history("abc")
