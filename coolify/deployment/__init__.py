"""What a deployment in Coolify is doing, and whether it still gets anywhere. Pure: from answers to a judgement."""

from coolify.deployment.findings import blocked, queue_full, stuck
from coolify.deployment.queue import Queue, queue_before
from coolify.deployment.stages import Stage, StageLimits, StageWatch, stage_after

__all__ = [
    "Queue",
    "Stage",
    "StageLimits",
    "StageWatch",
    "blocked",
    "queue_before",
    "queue_full",
    "stage_after",
    "stuck",
]
