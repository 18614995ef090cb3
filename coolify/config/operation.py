"""Section `release`: how a release runs."""

from typing import Annotated

from pydantic import Field

from coolify.config.base import Section
from coolify.config.fields import Line
from coolify.config.freeze import Freeze
from coolify.config.hooks import Hook
from coolify.config.pushes import OnPush

__all__ = ["Release", "StageTimeouts"]

Moment = Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)]


class StageTimeouts(Section):
    """Seconds after which a deployment that stays in one stage is stuck: it is cancelled and told."""

    queued: Moment = 900.0
    """In the queue without coming forward, and before that for room in a full queue."""
    preparing: Moment = 300.0
    """Until the build container runs."""
    cloning: Moment = 600.0
    """Fetching the source."""
    building: Moment = 1800.0
    """Building the image; a deployment before ours that writes nothing for so long counts as dead."""
    pushing: Moment = 900.0
    """Pushing the image to a registry."""
    starting: Moment = 600.0
    """Pulling images and starting the container."""
    health: Moment = 900.0
    """Docker's own health check."""
    finishing: Moment = 600.0
    """Removing what was before."""


class Release(Section):
    """How a release runs."""

    deploy_timeout: Moment = 1800.0
    """Seconds that Coolify may take to build and start the new version, without the time in the queue."""
    stage_timeouts: StageTimeouts = StageTimeouts()
    """Seconds after which a deployment that stays in one stage is cancelled."""
    auto_deploy: bool = False
    """Whether Coolify itself deploys on a push, past the health gate; off, pushes start a release."""
    on_push: OnPush = OnPush()
    """Which pushes start a release."""
    requires: tuple[Line, ...] = ()
    """Applications of the same environment that must run and be healthy before this one is released."""
    freeze: tuple[Freeze, ...] = ()
    """Times in which nothing is released or deployed, unless it is overridden; rollbacks always go."""
    backup_before: bool = False
    """Whether every database with a schedule is backed up before a deployment, and the release fails unless the fresh
    dump was restored and asked; schedules need a `storage`: what lies beside its database cannot be fetched."""
    before: tuple[Hook, ...] = ()
    """Commands before the deployment of a release, in order; when one fails, nothing is deployed."""
    after: tuple[Hook, ...] = ()
    """Commands after the health gate of a release, in order; when one fails, the gate counts as failed."""
