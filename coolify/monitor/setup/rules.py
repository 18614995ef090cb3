"""Alert rules for Prometheus.

Thresholds are those of each application: what is too slow or too old was judged by the look, and `coolify_app_problem`
says how bad it is. Prometheus adds how long it must stay so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from coolify.monitor.setup.yaml import to_yaml

__all__ = ["RULES", "Rule", "rules_file"]

_WHAT: Final = "{{ $labels.application }} ({{ $labels.environment }})"


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert."""

    name: str
    expression: str
    severity: str
    summary: str
    looks: float = 2
    """For how many intervals between looks it must be so."""


RULES: Final = (
    Rule("CoolifyApplicationDown", "coolify_app_up == 0", "error", f"{_WHAT} does not answer as it should."),
    Rule(
        "CoolifyApplicationError",
        'coolify_app_problem{application!="",aspect!="health"} == 2',
        "error",
        f"Something is wrong with the {{{{ $labels.aspect }}}} of {_WHAT}: see `coolify monitor status`.",
    ),
    Rule(
        "CoolifyApplicationWarning",
        'coolify_app_problem{application!=""} == 1',
        "warning",
        f"The {{{{ $labels.aspect }}}} of {_WHAT} needs a look: see `coolify monitor status`.",
        looks=5,
    ),
    Rule(
        "CoolifyCertificateEnds",
        "coolify_app_certificate_seconds_left < 3 * 86400",
        "error",
        "The certificate of {{ $labels.host }} ends in {{ humanizeDuration $value }}.",
    ),
    Rule("CoolifyUnreachable", "coolify_up == 0", "error", "The API of {{ $labels.coolify }} does not answer."),
    Rule(
        "CoolifyServerUnreachable",
        "coolify_server_reachable == 0 or coolify_server_usable == 0",
        "error",
        "Coolify cannot use its server {{ $labels.server }}.",
    ),
    Rule(
        "CoolifyWatchStale",
        "time() - coolify_watch_timestamp_seconds > {stale}",
        "error",
        "Nothing was looked at for {{ humanizeDuration $value }}: see the log of `coolify monitor serve`.",
        looks=0,
    ),
    Rule(
        "CoolifyWatchMissing",
        'absent(coolify_watch_timestamp_seconds{job="coolify"})',
        "error",
        "Nobody watches: `coolify monitor serve` cannot be scraped.",
        looks=5,
    ),
)


def rules_file(interval: float) -> str:
    """Return the file of alert rules.

    Args:
        interval: Seconds between two looks.
    """
    stale = max(600, round(interval * 5))
    rules: list[dict[str, Any]] = [
        {
            "alert": one.name,
            "expr": one.expression.replace("{stale}", str(stale)),
            **({"for": f"{max(1, round(interval * one.looks))}s"} if one.looks else {}),
            "labels": {"severity": one.severity},
            "annotations": {"summary": one.summary},
        }
        for one in RULES
    ]
    return to_yaml({"groups": [{"name": "coolify", "rules": rules}]}, "Named in `rule_files` of Prometheus.")
