"""Bringing earlier versions back by hand."""

from coolify.release import Outcome


async def test_the_previous_version_comes_back_with_its_variables(shop, release_shop, roll_back_shop) -> None:
    await release_shop()
    shop.repository.commit("1.1.0")
    shop.configure(env={"GREETING": "Good morning"})
    await release_shop()
    report = await roll_back_shop()
    assert report.outcome is Outcome.COMPLETED
    assert report.kind == "rollback"
    assert "Hello from version 1.0.0" in (await shop.visit()).text


async def test_a_version_is_named_by_number_or_commit(shop, release_shop, roll_back_shop) -> None:
    await release_shop()
    for version in ("1.1.0", "1.2.0"):
        commit = shop.repository.commit(version)
        await release_shop()
    assert (await roll_back_shop("2")).outcome is Outcome.COMPLETED
    assert await shop.version() == "1.1.0"
    assert (await roll_back_shop(commit[:10])).outcome is Outcome.COMPLETED
    assert await shop.version() == "1.2.0"


async def test_an_unknown_version_is_refused_with_the_known_ones(shop, release_shop, roll_back_shop) -> None:
    await release_shop()
    report = await roll_back_shop("99")
    assert report.outcome is Outcome.ABORTED
    assert "99" in report.reason
    assert await shop.version() == "1.0.0"


async def test_what_was_never_released_cannot_be_rolled_back(roll_back_shop) -> None:
    report = await roll_back_shop()
    assert report.outcome is Outcome.ABORTED


async def test_a_release_after_a_rollback_brings_the_new_version_again(shop, release_shop, roll_back_shop) -> None:
    await release_shop()
    shop.repository.commit("1.1.0")
    await release_shop()
    await roll_back_shop()
    assert await shop.version() == "1.0.0"
    report = await release_shop()
    assert report.outcome is Outcome.COMPLETED
    assert report.deployed
    assert await shop.version() == "1.1.0"
