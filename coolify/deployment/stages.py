"""Stages of a deployment, read off its status and its log, and how long each may take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from coolify.api.models import Deployment, DeploymentStatus, LogLine
from coolify.deployment.queue import Queue

__all__ = ["Overdue", "Stage", "StageLimits", "StageWatch", "stage_after", "starts_container"]


class Stage(StrEnum):
    """What a deployment that has not ended is doing, in the usual order."""

    QUEUED = "queued"
    PREPARING = "preparing"
    CLONING = "cloning"
    BUILDING = "building"
    PUSHING = "pushing"
    STARTING = "starting"
    HEALTH = "health"
    FINISHING = "finishing"


_MARKS: Final[tuple[tuple[str, Stage], ...]] = (
    ("Importing ", Stage.CLONING),
    ("Generating nixpacks configuration", Stage.BUILDING),
    ("Building docker image started", Stage.BUILDING),
    ("Pulling & building required images", Stage.BUILDING),
    ("Pushing image to docker registry", Stage.PUSHING),
    ("Rolling update started", Stage.STARTING),
    ("Pulling latest images from the registry", Stage.STARTING),
    ("Custom container name or port mapping is used", Stage.STARTING),
    ("Application has ports mapped to the host system", Stage.STARTING),
    ("Starting new application", Stage.STARTING),
    ("New container started", Stage.STARTING),
    ("Waiting for healthcheck to pass", Stage.HEALTH),
    ("New container is healthy", Stage.FINISHING),
    ("New container is unhealthy", Stage.FINISHING),
    ("New container is not healthy", Stage.FINISHING),
    ("Removing old containers", Stage.FINISHING),
    ("Rolling update completed", Stage.FINISHING),
    ("Gracefully shutting down build container", Stage.FINISHING),
)
"""Beginnings of lines with which Coolify's deployment job announces what it does next."""


def starts_container(line: str) -> bool:
    """Return whether a line announces that the build is over and the container is started."""
    return any(line.startswith(mark) for mark, stage in _MARKS if stage is Stage.STARTING)


def stage_after(lines: Iterable[LogLine], before: Stage = Stage.PREPARING) -> Stage:
    """Return the stage that a running deployment is in after these lines of its log.

    Args:
        lines: Lines in order; lines that announce nothing change nothing.
        before: The stage before them.
    """
    stage = before
    for line in lines:
        stage = next((reached for mark, reached in _MARKS if line.output.startswith(mark)), stage)
    return stage


@dataclass(frozen=True, slots=True)
class StageLimits:
    """How long a deployment may take, in seconds."""

    stages: Mapping[Stage, float] = field(default_factory=dict)
    """A stage that is missing has no limit of its own."""
    total: float = 1800.0
    """All stages after the queue together."""

    def times(self, factor: float) -> StageLimits:
        """Return limits that are this many times as long, but for the wait in the queue."""
        stages = {one: seconds * (1 if one is Stage.QUEUED else factor) for one, seconds in self.stages.items()}
        return StageLimits(stages, self.total * factor)


@dataclass(frozen=True, slots=True)
class Overdue:
    """A limit that was passed."""

    stage: Stage
    seconds: float
    """How long it has taken."""
    limit: float
    is_total: bool = False
    """Whether the whole deployment took too long, not this stage."""


class StageWatch:
    """Follows one deployment through its stages; fed with what is seen, it does nothing itself."""

    def __init__(self, limits: StageLimits) -> None:
        self._limits = limits
        self._entered = 0.0
        self._began: float | None = None
        self.stage: Stage | None = None
        self.queue = Queue()

    def feed(self, at: float, deployment: Deployment, queue: Queue, lines: Iterable[LogLine] = ()) -> bool:
        """Take note of one look, and return whether stage or place in the queue changed.

        Args:
            at: Seconds since following began; never smaller than before.
            deployment: The deployment as it is.
            queue: What is before it.
            lines: New lines of its log.
        """
        if deployment.status is DeploymentStatus.QUEUED:
            stage, place = Stage.QUEUED, queue
        else:
            before = self.stage if self.stage not in {None, Stage.QUEUED} else Stage.PREPARING
            stage, place = stage_after(lines, before or Stage.PREPARING), Queue()
        changed = stage is not self.stage or place.position != self.queue.position
        if changed:
            # A queue that moves is not stuck, however long it is.
            self._entered = at
        if self._began is None and stage is not Stage.QUEUED:
            self._began = at
        self.stage, self.queue = stage, place
        return changed

    def overdue(self, at: float) -> Overdue | None:
        """Return the limit that is passed at this moment, None while there is time."""
        if self.stage is None:
            return None
        seconds, limit = at - self._entered, self._limits.stages.get(self.stage)
        if limit is not None and seconds > limit:
            return Overdue(self.stage, seconds, limit)
        if self._began is not None and at - self._began > self._limits.total:
            return Overdue(self.stage, at - self._began, self._limits.total, is_total=True)
        return None

    def __str__(self) -> str:
        """Tell the stage in words."""
        if self.stage is not Stage.QUEUED or not self.queue.ahead:
            return str(self.stage or "")
        return f"queued at position {self.queue.position}, behind {', '.join(self.queue.names)}"
