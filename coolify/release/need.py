"""Whether an application has to be deployed at all: running a release twice must change nothing."""

from __future__ import annotations

from dataclasses import dataclass

from coolify.release.record import Outcome, ReleaseRecord

__all__ = ["DeployNeed", "decide_deploy"]


@dataclass(frozen=True, slots=True)
class DeployNeed:
    """The verdict and its reason, fit for a log line."""

    needed: bool
    reason: str


def decide_deploy(
    *,
    latest: ReleaseRecord | None,
    resumed: bool,
    fingerprint: str,
    configuration_changed: bool,
    deployed_commit: str | None,
    wanted_commit: str | None,
    image_digest: str | None = None,
    force: bool,
) -> DeployNeed:
    """Decide from what is recorded and what is seen.

    Args:
        latest: The newest ended record of the application.
        resumed: Whether an unfinished release is being taken up again.
        fingerprint: Digest of the configuration that is wanted now.
        configuration_changed: Whether this run changed something that only a deployment puts into effect.
        deployed_commit: Commit or tag of the newest finished deployment on the server.
        wanted_commit: Commit or tag that the source points at, None when it cannot be known beforehand.
        image_digest: What the image's tag is at the registry, None when there is none or it was not told.
        force: Whether the operator asked for a deployment anyway.
    """
    checks = (
        (force, "it was asked for"),
        (resumed, "an earlier release did not end"),
        (latest is None, "it was never released from here"),
        (latest is not None and latest.outcome is not Outcome.COMPLETED, "the last release did not complete"),
        (configuration_changed, "the configuration changed"),
        (latest is not None and latest.fingerprint != fingerprint, "the configuration differs from the last release"),
        (deployed_commit is None, "nothing is deployed"),
        (wanted_commit is not None and deployed_commit != wanted_commit, "the source moved"),
        (_has_moved(latest, image_digest), "the tag is another image now"),
    )
    for needed, reason in checks:
        if needed:
            return DeployNeed(needed=True, reason=reason)
    return DeployNeed(needed=False, reason="source and configuration are what is deployed")


def _has_moved(latest: ReleaseRecord | None, digest: str | None) -> bool:
    released = latest.image_digest if latest else None
    return None not in {released, digest} and released != digest
