"""The automations of an installation, as data: who is told of what, and what is put right without anybody.

Everything is recognised by its name: `apply` creates what is missing, changes what differs and leaves alone whatever
has another name. An automation that was switched off stays off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from prefect.client.schemas.objects import StateType
from prefect.events import ResourceSpecification
from prefect.events.actions import ActionTypes, ChangeFlowRunState, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

__all__ = ["ALERTS", "ALERTS_BLOCK", "HEARTBEAT_SECONDS", "REPAIRS", "Alert", "Repair"]

ALERTS_BLOCK: Final = "coolify-alerts"
"""Name of the notification block through which operators are told; of any type that Prefect knows."""

HEARTBEAT_SECONDS: Final = 60
"""How often a run says that it lives; the work pool sets it for every run (Prefect's own default is 180)."""

_RUN: Final = {"prefect.resource.id": "prefect.flow-run.*"}
_OURS: Final = (
    {"prefect.resource.role": "tag", "prefect.resource.id": "prefect.tag.coolify"},
    # Phases are runs too, and have no deployment: the run that they belong to tells of their failures.
    {"prefect.resource.role": "deployment", "prefect.resource.id": "prefect.deployment.*"},
)
_LINK: Final = "{{ flow_run | ui_url }}"
_TOLD: Final = "{{ flow_run.name }}: {{ flow_run.state.message }}\n" + _LINK


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that operators want to be told of."""

    name: str
    description: str
    expect: tuple[str, ...]
    """Names of events, a trailing `*` allowed. Runs that end otherwise than Completed are named by their state."""
    subject: str
    body: str = _TOLD
    match: dict[str, str] = field(default_factory=lambda: dict(_RUN))
    of_runs: bool = True
    """Whether the event is one of a run that a deployment of ours made."""
    after: tuple[str, ...] = ()
    """With `within`: tell when none of `expect` has come that long after one of these."""
    within: timedelta = timedelta(0)

    def automation(self, block: UUID) -> AutomationCore:
        """Return it as Prefect's API takes it.

        Args:
            block: The notification block.
        """
        return _automation(
            self.name,
            self.description,
            EventTrigger(
                posture=Posture.Proactive if self.after else Posture.Reactive,
                after=set(self.after),
                expect=set(self.expect),
                match=ResourceSpecification(dict(self.match)),
                match_related=[dict(one) for one in _OURS] if self.of_runs else {},
                for_each={"prefect.resource.id"},
                threshold=1,
                within=self.within,
            ),
            SendNotification(block_document_id=block, subject=self.subject, body=self.body),
        )


@dataclass(frozen=True, slots=True)
class Repair:
    """A run that nobody will end any more, and is ended."""

    name: str
    description: str
    after: str
    expect: str
    within: timedelta
    message: str

    def automation(self) -> AutomationCore:
        """Return it as Prefect's API takes it."""
        return _automation(
            self.name,
            self.description,
            EventTrigger(
                posture=Posture.Proactive,
                after={self.after},
                expect={self.expect},
                match=ResourceSpecification(dict(_RUN)),
                # Not phases: each event that a trigger counts is a write, of which SQLite takes one at a time.
                match_related=[ResourceSpecification(dict(one)) for one in _OURS],
                for_each={"prefect.resource.id"},
                threshold=1,
                within=self.within,
            ),
            ChangeFlowRunState(state=StateType.CRASHED, message=self.message),
        )


def _automation(name: str, description: str, trigger: EventTrigger, action: ActionTypes) -> AutomationCore:
    return AutomationCore(name=name, description=description, trigger=trigger, actions=[action])


ALERTS: Final = (
    Alert(
        "coolify: a run failed",
        "A run of one of our deployments ended otherwise than it should. What was rolled back has a name of its own.",
        tuple(
            f"prefect.flow-run.{state}"
            for state in ("Failed", "Aborted", "Incomplete", "Crashed", "TimedOut", "Drifted")
        ),
        "{{ flow.name }} ended as {{ flow_run.state.name }}",
    ),
    Alert(
        "coolify: a release was rolled back",
        "The new version was not healthy; the one before serves again.",
        ("prefect.flow-run.RolledBack",),
        "Rolled back: {{ flow_run.name }}",
    ),
    Alert(
        "coolify: a rollback failed",
        "Neither the new version nor the one before is proved to work: look at it now.",
        ("prefect.flow-run.RollbackFailed",),
        "ROLLBACK FAILED: {{ flow_run.name }}",
    ),
    Alert(
        "coolify: a backup is not proved",
        "A backup was not made, was not seen to restore, or its proof is too old.",
        ("prefect.flow-run.Unproved", "prefect.flow-run.BackupFailed"),
        "{{ flow.name }}: {{ flow_run.state.name }}",
    ),
    Alert(
        "coolify: a certificate is near its end",
        "A certificate is due, and could not be renewed.",
        ("prefect.flow-run.CertificatesDue",),
        "Certificates are near their end",
    ),
    Alert(
        "coolify: a decision waits",
        "A run has paused and waits for an answer; without one it takes the declared default.",
        ("coolify.decision.asked",),
        "A decision waits: {{ event.payload.question }}",
        "{{ event.payload.evidence }}\n{{ event.payload.url }}",
        match={"prefect.resource.id": "coolify.decision.*"},
        of_runs=False,
    ),
    Alert(
        "coolify: a run does not start",
        "A run is late and no worker takes it: is a worker running?",
        tuple(f"prefect.flow-run.{state}" for state in ("Pending", "Running", "Cancelled", "AwaitingConcurrencySlot")),
        "{{ flow_run.name }} does not start",
        "No worker has taken it up: is one running?\n" + _LINK,
        after=("prefect.flow-run.Late",),
        within=timedelta(minutes=5),
    ),
    Alert(
        "coolify: an event could not start a run",
        "An automation was triggered, and what it was to do was refused: parameters, a missing deployment or block.",
        ("prefect.automation.action.failed",),
        "An automation could not do its work",
        "{{ event.resource.name }}: {{ event.payload.reason }}",
        # A repair that comes too late is refused, which is no news.
        match={"prefect.resource.id": "prefect.automation.*", "prefect.resource.name": "!coolify: crash*"},
        of_runs=False,
    ),
)
"""Who is told goes through one block, `coolify-alerts`."""

REPAIRS: Final = (
    Repair(
        "coolify: crash runs whose process died",
        f"A run says every {HEARTBEAT_SECONDS} s that it lives. One that is silent for five times that long is dead, "
        "and holds slots that others wait for.",
        after="prefect.flow-run.heartbeat",
        expect="prefect.flow-run.*",
        within=timedelta(seconds=5 * HEARTBEAT_SECONDS),
        message="No sign of life: its process has died. Run it again, a release takes up what was begun.",
    ),
    Repair(
        "coolify: crash runs that never began",
        "A worker took a run up and died before it began.",
        after="prefect.flow-run.Pending",
        expect="prefect.flow-run.*",
        within=timedelta(minutes=15),
        message="It was taken up and never began: its worker has died. Run it again.",
    ),
)
