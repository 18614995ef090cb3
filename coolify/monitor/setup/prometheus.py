"""Configuration of a Prometheus that scrapes `coolify monitor serve`."""

from __future__ import annotations

from coolify.monitor.setup.yaml import to_yaml

__all__ = ["prometheus_file"]


def prometheus_file(target: str, alertmanager: str, interval: float) -> str:
    """Return the whole configuration of a Prometheus; one that is there already takes its job `coolify` over.

    Args:
        target: Host and port of `coolify monitor serve`.
        alertmanager: Host and port of the Alertmanager.
        interval: Seconds between two looks: to scrape more often tells nothing new.
    """
    seconds = f"{max(1, round(min(interval, 60)))}s"
    return to_yaml(
        {
            "global": {"scrape_interval": seconds, "evaluation_interval": seconds},
            "rule_files": ["coolify-rules.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
            "scrape_configs": [
                {
                    "job_name": "coolify",
                    # What was measured says itself where it belongs.
                    "honor_labels": True,
                    "static_configs": [{"targets": [target]}],
                }
            ],
        },
        "For a Prometheus of its own, or to copy the job `coolify` from.",
    )
