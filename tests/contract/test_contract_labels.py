"""The sandbox generates labels as the recorded Coolify did, line for line."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from coolify_sandbox.server.labels import generated_labels

RECORDINGS = Path(__file__).parent / "recordings"
HASH = re.compile(r"\$(2y|apr1)\$[^\",]+")


def recorded() -> list[Any]:
    """Return every application that was answered with settings, which labels follow from, and with labels."""
    found: dict[str, Any] = {}
    for file in RECORDINGS.glob("*.jsonl"):
        for line in file.read_text().splitlines():
            body = json.loads(line)["response_body"]
            for one in body if isinstance(body, list) else [body]:
                if isinstance(one, dict) and one.get("custom_labels") and one.get("ports_exposes"):
                    found[f"{one['uuid']} {one['custom_labels']}"] = one
    return list(found.values())


def text_of(labels: str) -> str:
    try:
        return base64.b64decode(labels, validate=True).decode()
    except ValueError:
        return labels


@pytest.mark.parametrize("application", recorded(), ids=lambda one: one["name"])
def test_labels_follow_from_domains_and_settings(application: dict[str, Any]) -> None:
    settings = application.get("settings") or {}
    made = generated_labels(application["uuid"], application, settings)
    assert HASH.sub("<hash>", made) == HASH.sub("<hash>", text_of(application["custom_labels"]))


def test_an_application_without_domains_has_no_labels() -> None:
    assert generated_labels("u", {"fqdn": None}, {}) == ""
