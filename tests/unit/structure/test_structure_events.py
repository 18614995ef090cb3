"""docs/events.md against the code: every event is there, and every field of a push."""

import ast
import re
from pathlib import Path

from coolify.tls import Renewal
from coolify.webhooks import Push

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")


def emitted() -> set[str]:
    """Return the names of events in calls of `emit_event` and of `PushEvent`, up to their first variable part."""
    names = set()
    for package in ("tasks", "flows", "deployments"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                for keyword in node.keywords if isinstance(node, ast.Call) else ():
                    if keyword.arg != "event":
                        continue
                    parts = keyword.value.values if isinstance(keyword.value, ast.JoinedStr) else [keyword.value]
                    first = parts[0]
                    assert isinstance(first, ast.Constant), ast.unparse(node)
                    names.add(first.value)
    return names


def test_every_event_is_documented() -> None:
    names = emitted()
    assert {"coolify.decision", "coolify.backup.", "coolify.certificate."} <= names
    documented = re.findall(r"`(coolify\.[a-z.A-Z-]+)`", PAGE)
    assert not {name for name in names if not any(one.startswith(name) for one in documented)}


def test_every_field_of_a_push_and_every_result_of_a_renewal_is_documented() -> None:
    assert not {name for name in Push.model_fields if f"`{name}`" not in PAGE}
    assert not {one for one in Renewal if one is not Renewal.FINE and f"`{one.value}`" not in PAGE}
