"""The decision points of a release, as data, and the pure function that decides.

A policy for each comes from the `decisions` section of the configuration: `auto`, `ask`, or one option. The page
`docs/decisions.md` is written from this module by `python -m coolify.decisions`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

__all__ = [
    "ABORT",
    "AUTHENTICATION_FAILED",
    "BUILD_FAILED",
    "CERTIFICATE_INVALID",
    "DECISIONS",
    "DOMAIN_NOT_POINTING",
    "HEALTH_GATE_FAILED",
    "RESOURCE_LIMIT",
    "Choice",
    "Decision",
    "Option",
    "decide",
    "markdown",
]

ABORT: Final = "abort"
"""The option that every decision has and that is always available."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way on: a kebab-case id, a label for people, and what follows from choosing it."""

    id: str
    label: str
    consequence: str


@dataclass(frozen=True, slots=True)
class Decision:
    """A point where a release can go on in more than one way.

    Attributes:
        id: Stable kebab-case name, the key in the `decisions` section.
        question: What is asked of an operator.
        options: All ways on; `abort` is always one of them.
        default: Id of the option that `auto` takes, and that is taken when nobody answers in time.
        fallback: Ids tried in this order when the wanted option is not available; `abort` comes after them.
        evidence: What is shown beside the question.
        timeout_seconds: How long an answer is waited for.
    """

    id: str
    question: str
    options: tuple[Option, ...]
    default: str
    fallback: tuple[str, ...]
    evidence: str
    timeout_seconds: float

    def __post_init__(self) -> None:
        known = self.option_ids
        if len(set(known)) != len(known) or ABORT not in known:
            raise ValueError(f"Decision {self.id}: option ids must be unique and include '{ABORT}'.")
        if not {self.default, *self.fallback} <= set(known):
            raise ValueError(f"Decision {self.id}: default and fallback must be options.")

    @property
    def option_ids(self) -> tuple[str, ...]:
        """Ids of all options, in order."""
        return tuple(option.id for option in self.options)

    @property
    def policies(self) -> tuple[str, ...]:
        """What the configuration may say: `auto`, `ask`, or the id of an option."""
        return ("auto", "ask", *self.option_ids)

    def option(self, option_id: str) -> Option:
        """Return an option by its id.

        Raises:
            ValueError: There is no such option.
        """
        for option in self.options:
            if option.id == option_id:
                return option
        raise ValueError(f"Decision {self.id} has no option '{option_id}'; it has {', '.join(self.option_ids)}.")


@dataclass(frozen=True, slots=True)
class Choice:
    """What was decided, who decided, and why."""

    decision: Decision
    option: Option
    by: Literal["policy", "default", "operator", "timeout"]
    reason: str


def decide(
    decision: Decision,
    policy: str = "auto",
    unavailable: Mapping[str, str] = MappingProxyType({}),
    answer: str | None = None,
    timed_out: bool = False,
    who: str = "",
) -> Choice:
    """Choose an option.

    An answer of an operator goes before the policy. A wanted option that is not available gives way to the first
    available one of default and fallback order, at last to `abort`.

    Args:
        decision: The decision point.
        policy: `auto`, `ask`, or the id of an option.
        unavailable: Option id -> why it cannot be taken; an entry for `abort` is ignored.
        answer: Id of the option that an operator chose, if one was asked and answered.
        timed_out: Whether an operator was asked and did not answer in time.
        who: Who answered, as far as that is known.

    Returns:
        The choice; the same arguments always give the same one.

    Raises:
        ValueError: `policy` or `answer` is none of this decision's.
    """
    if policy not in decision.policies:
        raise ValueError(f"Decision {decision.id}: '{policy}' is none of {', '.join(decision.policies)}.")
    by: Literal["policy", "default", "operator", "timeout"]
    if answer is not None:
        wanted, by, reason = decision.option(answer).id, "operator", f"{who or 'An operator'} chose it."
    elif timed_out:
        wanted, by, reason = decision.default, "timeout", "Nobody answered in time, so the default was taken."
    elif policy == "auto":
        wanted, by, reason = decision.default, "default", "It is the default."
    elif policy == "ask":
        wanted, by, reason = decision.default, "default", "Nobody could be asked, so the default was taken."
    else:
        wanted, by, reason = policy, "policy", "The configuration says so."
    order = tuple(dict.fromkeys((wanted, decision.default, *decision.fallback, ABORT)))
    # `abort` as a wish is never replaced, and as the last resort it is always there.
    chosen = next(one for one in order if one == ABORT or one not in unavailable)
    if chosen != wanted:
        passed = [(one, unavailable[one].rstrip(".")) for one in order[: order.index(chosen)]]
        (first, why), *more = passed
        told = "".join(f", '{one}' neither ({because})" for one, because in more)
        reason = f"{reason} But '{first}' is not available ({why}){told}, so '{chosen}' was taken instead."
    return Choice(decision, decision.option(chosen), by, reason)


AUTHENTICATION_FAILED: Final = Decision(
    id="authentication-failed",
    question="Coolify refused the API token. How should the release go on?",
    options=(
        Option(
            "retry", "Read the token again and retry", "The token is read again from its source and tried once more."
        ),
        Option(ABORT, "Abort the release", "The release ends as failed; the running version is not touched."),
    ),
    default="retry",
    fallback=(),
    evidence="Coolify's answer, the token's expiry date from the configuration, and the abilities that are missing.",
    timeout_seconds=900.0,
)

RESOURCE_LIMIT: Final = Decision(
    id="resource-limit",
    question="There is too little disk or memory. How should the release go on?",
    options=(
        Option(
            "scale",
            "Raise the limits",
            "The limits of memory are doubled in the configuration file and in Coolify, and it is deployed again.",
        ),
        Option(
            "optimize",
            "Free room on the server",
            "Coolify cleans up Docker, images for rollbacks kept; then it is measured, or deployed, again.",
        ),
        Option(ABORT, "Abort the release", "The release ends as failed; the running version is not touched."),
    ),
    default="optimize",
    fallback=("scale",),
    evidence="How full the server's disk was when it was last measured, or the lines of the log that show the want.",
    timeout_seconds=1800.0,
)

DOMAIN_NOT_POINTING: Final = Decision(
    id="domain-not-pointing",
    question="A domain does not point at the server. How should the release go on?",
    options=(
        Option("automate", "Set the DNS records", "The records are created through the DNS provider, then checked."),
        Option(
            "guide",
            "Show the records and wait",
            "The records to create by hand are shown, and the release waits for them.",
        ),
        Option(ABORT, "Abort the release", "The release ends as failed; the running version is not touched."),
    ),
    default="automate",
    fallback=("guide",),
    evidence="What name servers answer, the addresses that the server has, and the records that are needed.",
    timeout_seconds=3600.0,
)

CERTIFICATE_INVALID: Final = Decision(
    id="certificate-invalid",
    question="A domain has no valid certificate. How should the release go on?",
    options=(
        Option(
            "wait",
            "Find the cause and wait",
            "The likely cause is reported, and the certificate is checked again until the deadline.",
        ),
        Option(
            "accept",
            "Accept a temporary certificate",
            "The release goes on with a warning; visitors see a browser warning until it is mended.",
        ),
        Option(ABORT, "Abort the release", "The release ends as failed."),
    ),
    default="wait",
    fallback=(),
    evidence="The certificate that is served: names, issuer, dates; and what could hinder the issuing of a new one.",
    timeout_seconds=1800.0,
)

BUILD_FAILED: Final = Decision(
    id="build-failed",
    question="The build failed or hung. How should the release go on?",
    options=(
        Option(
            "retry",
            "Adjust and retry once",
            "What the diagnosis suggests is adjusted, and it is built once more; what hung gets twice the time.",
        ),
        Option(ABORT, "Abort the release", "The release ends as failed; the running version is not touched."),
    ),
    default="retry",
    fallback=(),
    evidence="The diagnosis of the build log and the lines that it rests on, or the limit that was passed.",
    timeout_seconds=1800.0,
)

HEALTH_GATE_FAILED: Final = Decision(
    id="health-gate-failed",
    question="The new version is not healthy. How should the release go on?",
    options=(
        Option(
            "rollback",
            "Roll back",
            "Image and configuration of the last good version are restored, and health is proved again.",
        ),
        Option(
            "keep",
            "Keep it for inspection",
            "The unhealthy version stays as it is, with its logs in the report; the release ends as failed.",
        ),
        Option(ABORT, "Abort the release", "The release ends as failed at once; nothing is restored."),
    ),
    default="rollback",
    fallback=("keep",),
    evidence="The probes that failed, with status, time and body, and the container's state.",
    timeout_seconds=900.0,
)

DECISIONS: Final = (
    AUTHENTICATION_FAILED,
    RESOURCE_LIMIT,
    DOMAIN_NOT_POINTING,
    CERTIFICATE_INVALID,
    BUILD_FAILED,
    HEALTH_GATE_FAILED,
)
"""All decision points, in the order in which a release can meet them."""


def markdown() -> str:
    """Return the text of `docs/decisions.md`."""
    parts = [
        "# Decisions",
        "<!-- Written by `python -m coolify.decisions`; edit coolify/decisions.py instead. -->",
        (
            "A release can meet the points below. What happens there is set in the `decisions` section of\n"
            "`.coolify/config.yml`, for each point on its own:"
        ),
        (
            "| policy | meaning |\n|---|---|\n"
            "| `auto` | take the default; when it is not available, the next available one of its order |\n"
            "| `ask` | ask an operator; when nobody answers in time, as `auto` |\n"
            "| an option's name | take this option; when it is not available, as `auto` |"
        ),
        "An option that is not available is never taken. `abort` is always available and is the last resort.",
        (
            "`ask` prompts on the terminal that runs the release; without one, or with `--no-input`, one line tells\n"
            "what was decided. A run on a Prefect server starts a run `ask: ...` below itself, which pauses: its page\n"
            "has a form with the evidence and the options that can be taken, the event `coolify.decision.asked` tells\n"
            "automations of it, and the artifact `ask-...` links to it. Every decision stands with its evidence, its\n"
            "reason and who took it in the report, in `coolify history`, and in the event `coolify.decision`. An\n"
            "environment has policies of its own in its overlay (`environments.NAME.decisions`)."
        ),
        "Where a release meets them:",
        _STORY,
        "```yaml\ndecisions:\n"
        + "\n".join(f"  {decision.id}: {policy}" for decision, policy in _EXAMPLE_POLICIES)
        + "\n```",
        *(_section(decision) for decision in DECISIONS),
    ]
    return "\n\n".join(parts) + "\n"


_STORY: Final = """```mermaid
flowchart TD
    access["token, abilities, server"] -->|refused| authentication{"authentication-failed"}
    access --> room["room on the server"]
    authentication -->|retry| access
    room -->|disk full| before{"resource-limit"}
    before -->|optimize| domains
    room --> domains["domains"]
    domains -->|lead elsewhere| pointing{"domain-not-pointing"}
    pointing -->|"automate, guide"| configure
    domains --> configure["settings, variables"]
    configure --> deploy["deploy"]
    deploy -->|"disk full, killed"| limit{"resource-limit"}
    deploy -->|failed otherwise| build{"build-failed"}
    limit -->|"scale, optimize: once"| deploy
    build -->|"retry: once"| deploy
    deploy --> gate["health gate"]
    gate -->|"killed for want of memory"| limit
    gate -->|closed| health{"health-gate-failed"}
    gate --> certificates["certificates"]
    certificates -->|not valid| certificate{"certificate-invalid"}
    certificate -->|"wait, accept"| done(["Completed"])
    certificates --> done
    health -->|rollback| back(["RolledBack"])
    health -->|"keep, abort"| aborted(["Aborted"])
    build -->|abort| back
    limit -->|abort| back
    authentication -->|abort| aborted
    before -->|abort| aborted
    pointing -->|abort| aborted
    certificate -->|abort| aborted
```"""

_EXAMPLE_POLICIES: Final = ((DOMAIN_NOT_POINTING, "guide"), (CERTIFICATE_INVALID, "auto"), (HEALTH_GATE_FAILED, "ask"))


def _section(decision: Decision) -> str:
    rows = [f"| `{option.id}` | {option.label} | {option.consequence} |" for option in decision.options]
    order = [f"`{one}`" for one in dict.fromkeys((decision.default, *decision.fallback, ABORT))]
    name = decision.id.replace("-", "_")
    edges = [
        f'    {name}{{"{decision.id}"}} -->|"{option.id}{" (default)" if option.id == decision.default else ""}"| '
        f'{name}_{option.id}["{option.label}"]'
        for option in decision.options
    ]
    return "\n\n".join(
        (
            f"## {decision.id}",
            decision.question,
            "```mermaid\nflowchart LR\n" + "\n".join(edges) + "\n```",
            "| option | label | consequence |\n|---|---|---|\n" + "\n".join(rows),
            (
                f"Order with `auto`: {', then '.join(order)}.  \n"
                f"Evidence shown: {decision.evidence}  \n"
                f"An answer is waited for: {decision.timeout_seconds / 60:g} minutes."
            ),
        )
    )


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    (folder / "decisions.md").write_text(markdown(), encoding="utf-8")
