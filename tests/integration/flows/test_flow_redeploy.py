"""What a push makes of an application, in the sandbox and without a deployment of Prefect."""

from datetime import UTC, datetime

import pytest

from blocks import BlockRecordStore
from coolify.webhooks import Push, PushKind
from flows.redeploy import RedeployRequest, redeploy
from tasks.session import Target

pytestmark = pytest.mark.component("git")


def push(shop, **fields) -> Push:
    given = {"kind": PushKind.BRANCH, "addresses": (str(shop.repository.path),), "ref": "main"}
    return Push(**given | fields, delivery="d1", received_at=datetime.now(UTC))


async def pushed(shop, *configs, **fields):
    targets = tuple(Target(config=str(one)) for one in configs or (shop.config,))
    return await redeploy(push(shop, **fields), RedeployRequest(targets=targets), return_state=True)


async def test_a_tag_releases_its_commit_and_not_the_branch(shop, in_prefect) -> None:
    shop.configure(release={"on_push": {"branch": False, "tags": ["v*"]}})
    tagged = shop.repository.commit("2.0.0")
    shop.repository.commit("3.0.0")
    branch = await pushed(shop)
    assert (branch.name, "release.on_push.branch is off" in branch.message) == ("Skipped", True)
    tag = await pushed(shop, kind=PushKind.TAG, ref="v2", commit=tagged, message="Sell hats", author="octocat")
    assert tag.name == "Completed", tag.message
    assert await shop.version() == "2.0.0"
    (application,) = shop.sandbox.state.all("application")
    (record,) = await BlockRecordStore().load(application.uuid)
    assert (record.by, record.why) == ("octocat (by hand)", f"tag v2 {tagged[:12]}: Sell hats")


async def test_the_worst_that_happens_to_an_application_names_the_state(shop, in_prefect, tmp_path) -> None:
    shop.repository.commit("2.0.0", broken=True)
    broken = tmp_path / "broken.yml"
    broken.write_text("server: https://coolify.example.com\nprojet: {}\n")
    state = await pushed(shop, shop.config, broken)
    assert state.is_failed()
    assert state.name == "Failed"
    assert "broken.yml:2" in state.message
    # The other application was released all the same, and told the truth about.
    told = await state.aresult(raise_on_failure=False)
    assert {one.result.value for one in told.applications} & {"Aborted", "RolledBack"}
