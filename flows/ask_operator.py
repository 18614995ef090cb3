"""Ask an operator in the Prefect UI: a run of its own that pauses with a form, for as long as the decision allows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, Literal

from prefect import flow
from prefect.artifacts import acreate_link_artifact
from prefect.events import emit_event
from prefect.flow_runs import apause_flow_run
from prefect.input import RunInput
from prefect.runtime import deployment, flow_run
from prefect.utilities.urls import url_for
from pydantic import BaseModel, ConfigDict, Field, create_model

from coolify.asking import Answer, Question, answers, somebody_can_answer
from coolify.decisions import DECISIONS, Decision
from coolify.release_set import SET_MEMBER_FAILED
from tasks.phases import step_done

__all__ = ["Asked", "answered_in_prefect", "ask_in_prefect", "ask_operator"]

_POLL_SECONDS: Final = 5
_KNOWN: Final = {decision.id: decision for decision in (*DECISIONS, SET_MEMBER_FAILED)}


class Asked(BaseModel):
    """A question to an operator, as a parameter."""

    model_config = ConfigDict(frozen=True)

    decision: str = Field(title="Decision", description="Name of the decision, see docs/decisions.md.")
    evidence: str = Field(default="", title="Evidence", description="What happened.")
    unavailable: tuple[tuple[str, str], ...] = Field(
        default=(), title="Not possible", description="Options that cannot be taken, each with the reason."
    )
    seconds: int = Field(ge=1, title="Seconds", description="How long an answer is waited for.")


class Form(RunInput):
    """What an operator fills in."""

    option: str
    name: str = Field(default="", title="Your name", description="For the report.", max_length=100)


@asynccontextmanager
async def answered_in_prefect() -> AsyncIterator[None]:
    """Let decisions of a run that was started from a deployment be answered on its page; others have their terminal."""
    if deployment.id is None or somebody_can_answer():
        yield
        return
    with answers(ask_in_prefect):
        yield


async def ask_in_prefect(question: Question) -> Answer:
    """Start a run that pauses with a form, and return what came of it.

    It is a run of its own, because Prefect fails every run whose pause has timed out, whatever it does afterwards.
    """
    decision = question.decision
    asked = Asked(
        decision=decision.id,
        evidence=question.evidence,
        unavailable=tuple(question.unavailable.items()),
        seconds=max(1, round(decision.timeout_seconds)),
    )
    state = await ask_operator(asked, return_state=True)
    if not state.is_completed():
        step_done("nobody answered in time")
        return Answer(timed_out=True)
    return await state.aresult()


@flow(name="ask operator", flow_run_name="ask: {asked.decision}")
async def ask_operator(asked: Asked) -> Answer:
    """Pause until an operator resumes this run with an answer.

    Args:
        asked: What is asked.
    """
    decision = _KNOWN[asked.decision]
    unavailable = dict(asked.unavailable)
    page = url_for("flow-run", obj_id=flow_run.id) or ""
    within = f"Answer within {asked.seconds / 60:.0f} minutes"
    step_done(f"{decision.question} {within}, by Resume on the page of this run or in its menu: {page}")
    if page:
        await acreate_link_artifact(page, link_text="Answer here", key=f"ask-{decision.id}", description=asked.evidence)
    emit_event(
        event="coolify.decision.asked",
        resource={"prefect.resource.id": f"coolify.decision.{decision.id}"},
        related=[{"prefect.resource.id": f"prefect.flow-run.{flow_run.id}", "prefect.resource.role": "flow-run"}],
        payload={"question": decision.question, "evidence": asked.evidence, "url": page, "seconds": asked.seconds},
    )
    form = _form(decision, unavailable).with_initial_data(description=_told(decision, asked.evidence, unavailable))
    answer = await apause_flow_run(wait_for_input=form, timeout=asked.seconds, poll_interval=_POLL_SECONDS)
    who = " ".join(answer.name.split())
    return Answer(answer.option, who=f"{who} (in Prefect)" if who else "An operator in Prefect")


def _form(decision: Decision, unavailable: Mapping[str, str]) -> type[Form]:
    """Return the form of a decision: only what can be taken can be chosen."""
    options = [one.id for one in decision.options if one.id not in unavailable or one.id == "abort"]
    default = next(one for one in (decision.default, *decision.fallback, "abort") if one in options)
    choices: Any = Literal[tuple(options)]
    return create_model("Decision", __base__=Form, option=(choices, Field(default=default, title="Go on by")))


def _told(decision: Decision, evidence: str, unavailable: Mapping[str, str]) -> str:
    lines = [f"**{decision.question}**", "", evidence, ""]
    for option in decision.options:
        reason = unavailable.get(option.id)
        told = f"not possible: {reason}" if reason else option.consequence
        lines.append(f"- `{option.id}` {option.label}: {told}")
    lines += ["", f"Without an answer within {decision.timeout_seconds / 60:.0f} minutes: `{decision.default}`."]
    return "\n".join(lines)
