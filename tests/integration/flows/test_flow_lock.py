"""Who may release, and when: one at a time, and nobody in a freeze."""

import asyncio
import uuid
from datetime import UTC, datetime

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.concurrency import _leases
from prefect.runtime import flow_run
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings
from prefect.variables import Variable

from coolify.release import Outcome
from tasks.locks import LockNote, LockServerError, ReleaseLockedError, exclusive_release, exclusive_set
from tests.integration.flows.conftest import run

ALWAYS = {"from": "2020-01-01", "until": "2199-12-31", "reason": "Stocktaking"}


async def test_who_is_refused_learns_who_releases_and_since_when(in_prefect) -> None:
    identity = ("https://coolify.example.com", "shop", "production", uuid.uuid4().hex)

    @flow(flow_run_name="the first one")
    async def first() -> None:
        async with exclusive_release(*identity):
            with pytest.raises(ReleaseLockedError) as refused:
                await second()
        assert "in the run 'the first one', since 20" in str(refused.value)
        assert "free again within 60 s" in str(refused.value)

    @flow
    async def second() -> None:
        async with exclusive_release(*identity):
            pass

    await first()
    await second()


async def test_locks_in_a_set_outlast_a_prefect_server_that_is_late_and_it_is_told_how_long(in_prefect) -> None:
    identity = ("https://coolify.example.com", "shop", "production", uuid.uuid4().hex)

    @flow
    async def of_the_set() -> str:
        async with exclusive_set(uuid.uuid4().hex):
            return await member()

    @flow
    async def member() -> str:
        async with exclusive_release(*identity):
            with pytest.raises(ReleaseLockedError) as refused:
                await another()
            return str(refused.value)

    @flow
    async def another() -> None:
        async with exclusive_release(*identity):
            pass

    assert "free again within 300 s" in await of_the_set()


async def test_a_note_of_a_run_that_has_ended_is_not_passed_off_as_the_holder(in_prefect, monkeypatch) -> None:
    identity = ("https://coolify.example.com", "shop", "production", uuid.uuid4().hex)
    ended: list[str] = []

    @flow
    async def dead() -> None:
        ended.append(str(flow_run.id))

    await dead()
    # What others have left there is theirs: a run that was killed takes no note away.
    before = await _notes()

    @flow
    async def holder() -> None:
        async with exclusive_release(*identity):
            (name,) = await _notes() - before
            note = LockNote(run_id=ended[0], run_name="dead", who="x@y", since=datetime.now(UTC))
            await Variable.aset(name, note.model_dump(mode="json"), overwrite=True)
            with pytest.raises(ReleaseLockedError) as refused:
                await second()
        assert "dead" not in str(refused.value)
        assert "right now: wait" in str(refused.value)

    @flow
    async def second() -> None:
        async with exclusive_release(*identity):
            pass

    await holder()
    assert await _notes() <= before


@pytest.mark.timeout(120)
async def test_whoever_loses_the_lock_stops_and_is_told_so_in_a_sentence(in_prefect, monkeypatch) -> None:
    identity = ("https://coolify.example.com", "shop", "production", uuid.uuid4().hex)
    held: list[uuid.UUID] = []
    begin = _leases._start_lease_renewal_thread

    def noting(lease_id, *rest):
        held.append(lease_id)
        return begin(lease_id, *rest)

    monkeypatch.setattr(_leases, "_start_lease_renewal_thread", noting)
    monkeypatch.setattr(_leases, "_RENEWAL_FRACTION", 0.02)

    @flow
    async def holder() -> None:
        async with exclusive_release(*identity):
            async with get_client() as client:
                await client.release_concurrency_slots_with_lease(held[0])
            await asyncio.sleep(100)

    with pytest.raises(LockServerError, match="was lost"):
        await holder()


async def test_without_a_prefect_server_the_file_says_who_it_is(in_prefect, tmp_path, monkeypatch) -> None:
    identity = ("https://coolify.example.com", "shop", "production", uuid.uuid4().hex)

    @flow(flow_run_name="the local one")
    async def first() -> None:
        with temporary_settings({PREFECT_HOME: tmp_path}, restore_defaults={PREFECT_API_URL}):
            async with exclusive_release(*identity):
                with pytest.raises(ReleaseLockedError) as refused:
                    async with exclusive_release(*identity):
                        pass
            assert "in the run 'the local one', since 20" in str(refused.value)
            assert "free again" not in str(refused.value)
            async with exclusive_release(*identity):
                pass

    await first()


async def _notes() -> set[str]:
    from prefect.client.orchestration import get_client

    async with get_client() as client:
        return {one.name for one in await client.read_variables() if one.name.startswith("coolify_release_")}


async def test_a_freeze_refuses_with_its_reason_before_anything_is_asked(shop, release_shop) -> None:
    shop.configure(release={"freeze": [ALWAYS]})
    report = await release_shop()
    assert report.outcome is Outcome.ABORTED
    assert "Stocktaking" in report.reason
    assert "--override" in report.reason
    assert shop.sandbox.app.state.faults.requests == []


async def test_an_overridden_freeze_stands_in_the_report(shop, in_prefect) -> None:
    from flows.release import ReleaseRequest, release
    from tasks.session import Target

    shop.configure(release={"freeze": [ALWAYS]})
    report = await run(release, ReleaseRequest(target=Target(config=str(shop.config)), override=True))
    assert report.outcome is Outcome.COMPLETED
    (told,) = (one for one in report.findings if one.name == "release-frozen")
    assert "in spite of a freeze: Stocktaking" in told.summary
