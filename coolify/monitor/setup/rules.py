"""Alert rules for Prometheus.

Thresholds are those of each application: what is too slow or too old was judged by the look, and `coolify_app_problem`
says how bad it is. Prometheus adds how long it must stay so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from coolify.monitor.setup.blackbox import JOB
from coolify.monitor.setup.yaml import to_yaml

__all__ = ["PROBE_RULES", "RULES", "Rule", "rules_file"]

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
    Rule(
        "CoolifyRollbackFailed",
        'coolify_app_last_release_outcome{outcome="rollback_failed"} == 1',
        "error",
        f"A release of {_WHAT} failed, and so did the way back: see `coolify history show`.",
        looks=0,
    ),
    Rule(
        # An ordinary one takes minutes; one whose process died keeps the application's next release waiting.
        "CoolifyReleaseOpen",
        "coolify_app_release_open_seconds > 2 * 3600",
        "warning",
        f"A release of {_WHAT} has been open for {{{{ humanizeDuration $value }}}}: see `coolify history list`.",
        looks=0,
    ),
    Rule(
        "CoolifyDecisionWaiting",
        "coolify_decisions_waiting_seconds > 600",
        "warning",
        "The decision {{ $labels.decision }} has waited for {{ humanizeDuration $value }}: answer it in Prefect.",
        looks=0,
    ),
    Rule(
        "CoolifyPrefectUnreachable",
        "coolify_prefect_up == 0",
        "warning",
        "The Prefect server does not answer: nothing is released, and nobody is asked.",
        looks=5,
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

PROBE_RULES: Final = (
    Rule(
        "CoolifyProbeFailed",
        f'probe_success{{job="{JOB}"}} == 0',
        "error",
        f"{{{{ $labels.instance }}}} of {_WHAT} does not answer the blackbox exporter as it should.",
    ),
    Rule(
        "CoolifyProbeCertificateEnds",
        f'probe_ssl_earliest_cert_expiry{{job="{JOB}"}} - time() < 3 * 86400',
        "error",
        "The certificate that the blackbox exporter gets at {{ $labels.instance }} ends in "
        "{{ humanizeDuration $value }}.",
    ),
    Rule(
        "CoolifyBlackboxMissing",
        f'max(up{{job="{JOB}"}}) == 0',
        "error",
        "Nothing is probed: the blackbox exporter cannot be scraped.",
        looks=5,
    ),
)
"""Rules for what a blackbox exporter sees."""


def rules_file(interval: float, *, probes: bool = False) -> str:
    """Return the file of alert rules.

    Args:
        interval: Seconds between two looks.
        probes: Whether there is a blackbox exporter.
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
        for one in (*RULES, *(PROBE_RULES if probes else ()))
    ]
    return to_yaml({"groups": [{"name": "coolify", "rules": rules}]}, "Named in `rule_files` of Prometheus.")
