"""Configuration of a Prometheus that scrapes `coolify monitor serve` and, where there is one, a blackbox exporter."""

from __future__ import annotations

from typing import Any

from coolify.monitor.setup.blackbox import blackbox_job
from coolify.monitor.setup.yaml import to_yaml

__all__ = ["prometheus_file"]


def prometheus_file(target: str, alertmanager: str, interval: float, blackbox: str = "") -> str:
    """Return the whole configuration of a Prometheus; one that is there already takes its jobs over.

    Args:
        target: Host and port of `coolify monitor serve`.
        alertmanager: Host and port of the Alertmanager.
        interval: Seconds between two looks: to scrape more often tells nothing new.
        blackbox: Host and port of a blackbox exporter, empty where there is none.
    """
    seconds = f"{max(1, round(min(interval, 60)))}s"
    jobs: list[dict[str, Any]] = [
        {
            "job_name": "coolify",
            # What was measured says itself where it belongs.
            "honor_labels": True,
            "static_configs": [{"targets": [target]}],
        }
    ]
    if blackbox:
        jobs.append(blackbox_job(blackbox, seconds))
    return to_yaml(
        {
            "global": {"scrape_interval": seconds, "evaluation_interval": seconds},
            "rule_files": ["coolify-rules.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
            "scrape_configs": jobs,
        },
        "For a Prometheus of its own, or to copy jobs from.",
    )
