"""docs/json.md against what commands print: every key is documented, and every documented key is there."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

_PAGE = Path(__file__).parents[3] / "docs" / "json.md"
_DEFAULTS = {"deploy": "deploy start", "history": "history list"}
_ANY = "..."
"""What stands in the page for a part whose keys are somebody else's, as the names of variables are."""


@cache
def documented() -> dict[str, list[Any]]:
    """Return the examples of each command, by its name without `coolify`."""
    examples: dict[str, list[Any]] = {}
    for part in re.split(r"^## ", _PAGE.read_text(), flags=re.MULTILINE)[1:]:
        heading, _, text = part.partition("\n")
        names = re.findall(r"`coolify ([^`]+)`", heading)
        blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL)]
        if blocks:
            examples |= dict.fromkeys(names, blocks)
    return examples


def check(arguments: tuple[str, ...], printed: Any) -> None:
    """Fail when what a command printed is not what the page says."""
    words = list(arguments)
    while words and (" ".join(words) not in documented()):
        words.pop()
    name = " ".join(words) or _DEFAULTS.get(arguments[0], "")
    assert name in documented(), f"docs/json.md does not describe: coolify {' '.join(arguments)}"
    found = [list(_differences(example, printed, "")) for example in documented()[name]]
    closest = min(found, key=len)
    assert not closest, f"coolify {name} --json and docs/json.md differ: {closest}\n{json.dumps(printed, indent=1)}"


def _differences(example: Any, printed: Any, path: str):
    if example == _ANY or example is None or printed is None:
        return
    if isinstance(example, dict) and isinstance(printed, dict):
        if _ANY in example:
            return
        yield from (f"{path}.{key} is not documented" for key in printed.keys() - example.keys())
        yield from (f"{path}.{key} is missing" for key in example.keys() - printed.keys())
        for key in example.keys() & printed.keys():
            yield from _differences(example[key], printed[key], f"{path}.{key}")
    elif isinstance(example, list) and isinstance(printed, list):
        for one in printed if example else ():
            yield from min((list(_differences(item, one, f"{path}[]")) for item in example), key=len)
    elif _kind(example) != _kind(printed):
        yield f"{path} is {_kind(printed)} instead of {_kind(example)}"


def _kind(value: Any) -> str:
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}
    return kinds[type(value)]
