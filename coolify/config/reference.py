"""The reference of the configuration, made from the models: JSON Schema for editors, Markdown for people.

`python -m coolify.config.reference docs` writes `config.schema.json` and `configuration.md` into the folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final, TypeAlias

from coolify.config.descriptions import describe_sections
from coolify.config.model import Config

__all__ = ["examples", "json_schema", "reference_markdown"]

Schema: TypeAlias = dict[str, Any]

_EXAMPLES: Final = Path(__file__).parent / "examples"
_NOT_IN_OVERLAY: Final = ("environment", "environments")
_ENVIRONMENTS: Final = "What differs in other environments: name -> the sections above, merged over this file."


def json_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of a configuration file."""
    describe_sections()
    schema = Config.model_json_schema(by_alias=True, mode="validation")
    for part in (
        one for section in (schema, *schema["$defs"].values()) for one in section.get("properties", {}).values()
    ):
        if "$ref" in part:
            section = schema["$defs"][part["$ref"].rpartition("/")[2]]
            # Pydantic leaves out a description that only repeats the section's.
            part.setdefault("description", section["description"])
            if section.get("type") == "object":
                part.pop("default", None)  # repeats the defaults of the section's own keys
    overlay = {
        name: _without_required(part, schema["$defs"])
        for name, part in schema["properties"].items()
        if name not in _NOT_IN_OVERLAY
    }
    schema["$defs"]["Overlay"] = {
        "type": ["object", "null"],
        "description": "Sections that differ in one environment.",
        "additionalProperties": False,
        "properties": overlay,
    }
    environments = {
        "type": "object",
        "description": _ENVIRONMENTS,
        "additionalProperties": {"$ref": "#/$defs/Overlay"},
    }
    schema["properties"] = {**schema["properties"], "environments": environments}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": ".coolify/config.yml",
        "description": "One application, deployed by coolify-flows.",
    }


def examples() -> dict[str, str]:
    """Return section -> annotated YAML example, in the order of the configuration."""
    return {name: (_EXAMPLES / f"{name}.yml").read_text(encoding="utf-8") for name in json_schema()["properties"]}


def reference_markdown() -> str:
    """Return the text of `docs/configuration.md`."""
    schema = json_schema()
    return (
        "\n\n".join((_INTRODUCTION.strip(), *(_section(name, text, schema) for name, text in examples().items())))
        + "\n"
    )


def _section(name: str, example: str, schema: Schema) -> str:
    part = schema["properties"][name]
    required = " Required." if name in schema["required"] else ""
    parts = [f"## {name}", f"{part['description']}{required}", f"```yaml\n{example.strip()}\n```"]
    if name not in _WITHOUT_TABLE:
        parts += _tables(name, part, schema["$defs"])
    if note := _NOTES.get(name):
        parts.append(note.strip())
    return "\n\n".join(parts)


def _tables(name: str, part: Schema, definitions: Schema) -> list[str]:
    """Return a table of the keys of a section, then those of the sections inside it."""
    section = _object(part, definitions)
    if section is None:
        return []
    rows, inner = [], []
    for key, field in section.get("properties", {}).items():
        below = _object(field, definitions)
        if below is not None and field is not part:
            inner += [f"### {name}.{key}", *_tables(f"{name}.{key}", field, definitions)]
        default = "required" if key in section.get("required", []) else _default(field, below)
        rows.append(f"| `{key}` | {_kind(field, definitions)} | {default} | {_cell(field.get('description', ''))} |")
    if not rows:
        return []
    return ["| key | value | default | meaning |\n|---|---|---|---|\n" + "\n".join(rows), *inner]


def _object(part: Schema, definitions: Schema) -> Schema | None:
    """Return the schema of the mapping that a part is, holds, or is a list of."""
    if reference := part.get("$ref"):
        return _object(definitions[reference.rpartition("/")[2]], definitions)
    if part.get("type") == "object" and "properties" in part:
        return part
    inner = [*part.get("anyOf", []), *part.get("allOf", [])]
    inner += [part[key] for key in ("items", "additionalProperties") if isinstance(part.get(key), dict)]
    return next((found for one in inner if (found := _object(one, definitions)) is not None), None)


def _kind(part: Schema, definitions: Schema) -> str:
    """Return what kind of value a key takes, in a word or two."""
    if reference := part.get("$ref"):
        return _kind(definitions[reference.rpartition("/")[2]], definitions)
    if values := part.get("enum"):
        return ", ".join(f"`{value}`" for value in values)
    if alternatives := part.get("anyOf"):
        return _kind(next(one for one in alternatives if one.get("type") != "null"), definitions)
    if part.get("type") == "array":
        return f"list of {_kind(part['items'], definitions)}"
    if part.get("format") == "date-time":
        return "date and time"
    kind = part["type"]
    return _KINDS[kind] if isinstance(kind, str) else " or ".join(_KINDS[one] for one in kind)


def _default(part: Schema, section: Schema | None) -> str:
    value = part.get("default")
    if section is not None or value is None or value == []:
        return ""
    return f"`{json.dumps(value) if not isinstance(value, str) else value}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _without_required(part: Schema, definitions: Schema) -> Schema:
    """Return a section's schema for an overlay: what the base sets need not be said again."""
    name = part.get("$ref", "").rpartition("/")[2]
    if not name or "required" not in definitions[name]:
        return part
    return {key: value for key, value in definitions[name].items() if key != "required"}


_KINDS: Final = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
}
_WITHOUT_TABLE: Final = frozenset({"environments", "decisions"})

_INTRODUCTION: Final = """
# Configuration

<!-- Written by `python -m coolify.config.reference docs`; edit the models and examples in coolify/config instead. -->

One file, `.coolify/config.yml` in the root of the application's repository, describes the application. The
least that works:

```yaml
server: "https://coolify.example.com"
project:
  name: "my-application"
```

The command looks for the file in the current directory and in those above it. Editors that know JSON Schema
check it while you type when its first line is

```yaml
# yaml-language-server: $schema=<where you keep it>/config.schema.json
```

All problems of a file are told at once, one a line: `.coolify/config.yml:12: domains[0].primary: ...`. A key
that is not known is an error that names the nearest known one.

What only looks at Coolify or stops something there (`auth status`, `project list`, `deploy status`, `deploy logs`,
`deploy cancel`) reads `server`, `auth`, `project`, `environment`, `application` and `network` alone: a mistake
elsewhere keeps nobody from looking.

## Secrets

`${NAME}` stands for an environment variable of the machine that runs the release, `${NAME:-default}` has a
default for an unset or empty one, `$${` is a plain `${`. References work in `auth.token`, in `env`, for the
secrets in `dns.records` and where a table below says so. They are resolved when they are used, and never written back.

In `env`, `${databases.NAME.url}` is the internal connection string of a database of the section `databases`, asked from
Coolify; `host`, `port`, `user`, `password` and `name` are its parts. It is never printed.

A token, password or private key in the file itself is refused. So is any literal value of a variable whose name
ends with `PASSWORD`, `SECRET`, `TOKEN` or `PRIVATE_KEY`.
"""

_NOTES: Final = {
    "domains": """
An entry has exactly one name with a host beside `ssl`, `path` and `service`. A name that is an environment
(`production`, `staging`, `development`, or one of `environments`) keeps the entry to that environment, which then does
without `primary`; all other names are used in every environment, unless an overlay in `environments` replaces the
list.
""",
    "environments": """
A run for `staging` lays the section `staging` over the file: mappings are merged, lists are replaced. Without such
a section the name is only the name of the Coolify environment. `environment` and `environments` cannot be set here.
""",
}


def main(folder: Path) -> None:
    """Write both files into a folder."""
    (folder / "config.schema.json").write_text(json.dumps(json_schema(), indent=2) + "\n", encoding="utf-8")
    (folder / "configuration.md").write_text(reference_markdown(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
