"""Take a declared decision and leave a trace of it: a task run, an artifact, an event."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from prefect.artifacts import acreate_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.events import emit_event
from prefect.states import Completed

from coolify.asking import Answer, Question, ask
from coolify.decisions import Choice, Decision, decide
from coolify.progress import DecisionTaken, report
from coolify.release import DecisionRecord
from coolify.release.report import decision_record
from tasks.session import Session
from tasks.steps import step

__all__ = ["decide_by", "take_decision"]


async def take_decision(
    decision: Decision, session: Session, evidence: str, unavailable: Mapping[str, str] = MappingProxyType({})
) -> Choice:
    """Decide by the configured policy, asking the operator where it says so, and record it.

    Args:
        decision: What is to be decided.
        session: The application: its configuration has the policy, its journal keeps the choice.
        evidence: What happened, in one sentence.
        unavailable: Options that cannot be taken, with the reason.
    """
    choice, taken = await decide_by(session.config.policy(decision), decision, evidence, unavailable)
    session.decisions.append(taken)
    await session.journal.note(decisions=tuple(session.decisions))
    return choice


async def decide_by(
    policy: str, decision: Decision, evidence: str, unavailable: Mapping[str, str] = MappingProxyType({})
) -> tuple[Choice, DecisionRecord]:
    """Decide, asking the operator where the policy says so, and leave the trace; for what belongs to no application.

    Args:
        policy: `auto`, `ask` or the id of an option.
        decision: What is to be decided.
        evidence: What happened, in one sentence.
        unavailable: Options that cannot be taken, with the reason.
    """
    answer = await ask(Question(decision, evidence, unavailable)) if policy == "ask" else Answer()
    choice = decide(decision, policy, unavailable, answer.option, timed_out=answer.timed_out, who=answer.who)
    taken = DecisionTaken(decision.question, choice.option.label, choice.by, choice.reason, decision.id, evidence)
    report(taken)
    await _record(decision.id, choice.option.id, choice.option.consequence, choice.by, choice.reason, evidence)
    return choice, decision_record(taken)


@step("decide", run_name="decide: {decision} -> {option}")
async def _record(decision: str, option: str, consequence: str, by: str, reason: str, evidence: str) -> State[None]:
    markdown = f"**{option}** - {consequence}\n\nBy {by}: {reason}\n\nEvidence: {evidence}"
    await acreate_markdown_artifact(markdown, key=f"decision-{decision}", description=f"{decision} -> {option}")
    emit_event(
        event="coolify.decision",
        resource={"prefect.resource.id": f"coolify.decision.{decision}"},
        payload={"option": option, "by": by, "reason": reason, "evidence": evidence},
    )
    return Completed(name=option.capitalize(), message=reason)
