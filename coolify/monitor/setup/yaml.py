"""YAML of files that are ours."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import ruamel.yaml

__all__ = ["MARK", "to_yaml"]

MARK: Final = "Written by `coolify monitor setup`"
"""What every file of ours says in its first lines: one without it is never overwritten."""


def to_yaml(document: Mapping[str, Any] | Sequence[Any], note: str) -> str:
    """Return a document with a first line that says whose it is.

    Args:
        document: What the file holds.
        note: What it is for.
    """
    yaml = ruamel.yaml.YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 4096
    # What is used twice is written twice: references into a text are for programs.
    yaml.representer.ignore_aliases = lambda *_: True
    stream = io.StringIO()
    yaml.dump(dict(document) if isinstance(document, Mapping) else list(document), stream)
    return f"# {MARK}; run it again instead of editing. {note}\n{stream.getvalue()}"
