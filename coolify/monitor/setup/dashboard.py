"""A Grafana dashboard of what is exposed, as its JSON model (schema version 39, Grafana 11)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from coolify.monitor.setup.yaml import MARK

__all__ = ["PANELS", "Panel", "dashboard_file"]

UID: Final = "coolify-flows"
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
_FILTER: Final = 'environment=~"$environment",application=~"$application"'


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel; width in 24ths of the page."""

    title: str
    kind: str
    """`stat`, `timeseries`, `state-timeline` or `bargauge`."""
    expression: str
    legend: str
    width: int
    height: int = 8
    unit: str = "short"
    steps: tuple[tuple[float | None, str], ...] = ((None, "green"),)
    """Lower bound and colour, the first without a bound."""
    words: tuple[str, ...] = ()
    """What stands for 0, 1 and so on; numbers where there are none."""


_GOOD: Final = ((None, "red"), (1.0, "green"))
_LEVELS: Final = ((None, "green"), (1.0, "yellow"), (2.0, "red"))
_DATABASE: Final = "{{application}} {{environment}} {{database}}"
_DAY: Final = 86400.0

PANELS: Final = (
    Panel("Applications", "stat", "count(coolify_app_problem{aspect='container'})", "", 6, 4),
    Panel("Answering", "stat", f"sum(coolify_app_up{{{_FILTER}}})", "", 6, 4),
    Panel(
        "With errors",
        "stat",
        f'count(max without (aspect) (coolify_app_problem{{application!="",{_FILTER}}}) == 2) or vector(0)',
        "",
        6,
        4,
        steps=((None, "green"), (1.0, "red")),
    ),
    Panel(
        "Decisions that wait",
        "stat",
        "sum(coolify_decisions_waiting)",
        "",
        6,
        4,
        steps=((None, "green"), (1.0, "yellow")),
    ),
    Panel(
        "Releases whose way back failed",
        "stat",
        f'sum(coolify_app_last_release_outcome{{{_FILTER},outcome="rollback_failed"}}) or vector(0)',
        "",
        6,
        4,
        steps=((None, "green"), (1.0, "red")),
    ),
    Panel("Coolify", "stat", "min(coolify_up)", "", 6, 4, steps=_GOOD, words=("down", "up")),
    Panel("Servers reachable", "stat", "sum(coolify_server_reachable)", "", 6, 4),
    Panel("Requests left in the minute", "stat", "min(coolify_api_requests_remaining)", "", 6, 4),
    Panel(
        "What is wrong",
        "state-timeline",
        f"coolify_app_problem{{{_FILTER}}}",
        "{{application}} {{environment}} {{aspect}}",
        24,
        12,
        steps=_LEVELS,
        words=("good", "warning", "error"),
    ),
    Panel("Latency", "timeseries", f"coolify_app_latency_seconds{{{_FILTER}}}", "{{url}}", 12, unit="s"),
    Panel(
        "Certificates",
        "bargauge",
        f"sort(coolify_app_certificate_seconds_left{{{_FILTER}}})",
        "{{host}}",
        12,
        unit="s",
        steps=((None, "red"), (3 * _DAY, "yellow"), (14 * _DAY, "green")),
    ),
    Panel(
        "Age of backups",
        "bargauge",
        f"coolify_app_backup_age_seconds{{{_FILTER}}}",
        _DATABASE,
        8,
        unit="s",
        steps=((None, "green"), (2 * _DAY, "yellow"), (7 * _DAY, "red")),
    ),
    Panel(
        "Age of proofs by restore",
        "bargauge",
        f"coolify_app_backup_proof_age_seconds{{{_FILTER}}}",
        _DATABASE,
        8,
        unit="s",
        steps=((None, "green"), (8 * _DAY, "red")),
    ),
    Panel(
        "Duration of the latest deployment",
        "bargauge",
        f"coolify_app_deployment_seconds{{{_FILTER}}}",
        "{{application}} {{environment}}",
        8,
        unit="s",
    ),
    Panel(
        "Restarts",
        "timeseries",
        f"coolify_app_restarts{{{_FILTER}}}",
        "{{application}} {{environment}}",
        8,
    ),
    Panel(
        "Releases within a day",
        "timeseries",
        f"sum by (outcome) (increase(coolify_app_releases_total{{{_FILTER}}}[1d]))",
        "{{outcome}}",
        8,
    ),
    Panel(
        "Deployments within a day",
        "timeseries",
        f"sum by (result) (increase(coolify_app_deployments_total{{{_FILTER}}}[1d]))",
        "{{result}}",
        8,
    ),
    Panel(
        "Duration of nine in ten deployments",
        "timeseries",
        "histogram_quantile(0.9, sum by (le, application) "
        f"(rate(coolify_app_deployment_duration_seconds_bucket{{{_FILTER}}}[1d])))",
        "{{application}}",
        8,
        unit="s",
    ),
    Panel("Requests to Coolify per minute", "timeseries", "60 * rate(coolify_api_calls_total[10m])", "{{coolify}}", 8),
    Panel("Duration of a look", "timeseries", "coolify_watch_duration_seconds", "look", 8, unit="s"),
)
"""All panels, line by line."""


def dashboard_file() -> str:
    """Return the dashboard for provisioning or import."""
    panels: list[dict[str, Any]] = []
    x = y = height = 0
    for number, panel in enumerate(PANELS, 1):
        if x + panel.width > 24:
            x, y, height = 0, y + height, 0
        panels.append(_panel(panel, number, x, y))
        x, height = x + panel.width, max(height, panel.height)
    document = {
        "uid": UID,
        "title": "Coolify applications",
        "description": f"{MARK}; run it again instead of editing.",
        "tags": ["coolify"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_source(), _variable("environment", ""), _variable("application", "environment")]},
        "annotations": {"list": []},
        "panels": panels,
    }
    return json.dumps(document, indent=2) + "\n"


def _panel(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    steps = [{"color": colour, "value": bound} for bound, colour in panel.steps]
    target = {"refId": "A", "datasource": _SOURCE, "expr": panel.expression, "legendFormat": panel.legend}
    defaults: dict[str, Any] = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if len(steps) > 1:
        defaults["color"] = {"mode": "thresholds"}
    if panel.words:
        words = {str(value): {"text": word, "index": value} for value, word in enumerate(panel.words)}
        defaults["mappings"] = [{"type": "value", "options": words}]
    shown: dict[str, Any] = {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "targets": [target | ({"instant": True} if panel.kind in {"stat", "bargauge"} else {})],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
        if panel.kind in {"stat", "bargauge"}
        else {},
    }
    if panel.kind == "bargauge":
        # Otherwise the bars begin at the least of the values, which is then no bar at all.
        defaults["min"] = 0
        shown["options"] |= {"displayMode": "basic", "orientation": "horizontal"}
    return shown


def _source() -> dict[str, Any]:
    return {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"}


def _variable(name: str, within: str) -> dict[str, Any]:
    selector = f'{{{within}=~"${within}"}}' if within else ""
    return {
        "name": name,
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": f"label_values(coolify_app_problem{selector}, {name})", "refId": "A"},
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "sort": 1,
    }
