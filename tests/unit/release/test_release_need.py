from datetime import UTC, datetime

import pytest

from coolify.release import Outcome, ReleaseRecord
from coolify.release.need import decide_deploy


def completed_record(outcome: Outcome = Outcome.COMPLETED) -> ReleaseRecord:
    return ReleaseRecord(
        number=1,
        application_uuid="a" * 24,
        application_name="shop",
        environment="production",
        started_at=datetime(2026, 5, 1, tzinfo=UTC),
        outcome=outcome,
        fingerprint="f1",
        image_digest="sha256:1",
    )


UNCHANGED = {
    "latest": completed_record(),
    "resumed": False,
    "fingerprint": "f1",
    "configuration_changed": False,
    "deployed_commit": "c1",
    "wanted_commit": "c1",
    "force": False,
}


def test_nothing_changed_means_nothing_is_deployed() -> None:
    assert not decide_deploy(**UNCHANGED).needed


def test_a_digest_that_was_not_told_is_no_reason_to_deploy() -> None:
    never_told = completed_record().model_copy(update={"image_digest": None})
    assert not decide_deploy(**{**UNCHANGED, "image_digest": "sha256:1"}).needed
    assert not decide_deploy(**{**UNCHANGED, "image_digest": None}).needed
    assert not decide_deploy(**{**UNCHANGED, "latest": never_told, "image_digest": "sha256:2"}).needed


def test_a_source_that_cannot_be_read_beforehand_is_no_reason_to_deploy() -> None:
    assert not decide_deploy(**{**UNCHANGED, "wanted_commit": None}).needed


@pytest.mark.parametrize(
    ("difference", "reason"),
    [
        ({"force": True}, "asked for"),
        ({"resumed": True}, "did not end"),
        ({"latest": None}, "never released"),
        ({"latest": completed_record(outcome=Outcome.ROLLED_BACK)}, "did not complete"),
        ({"configuration_changed": True}, "configuration changed"),
        ({"fingerprint": "f2"}, "configuration differs"),
        ({"deployed_commit": None}, "nothing is deployed"),
        ({"wanted_commit": "c2"}, "source moved"),
        ({"image_digest": "sha256:2"}, "another image now"),
    ],
)
def test_every_difference_is_a_reason_to_deploy(difference: dict[str, object], reason: str) -> None:
    need = decide_deploy(**{**UNCHANGED, **difference})
    assert need.needed
    assert reason in need.reason
