"""Add an entry to `domains`, or take one away, line by line: a person's comments stay where they are.

The YAML library hangs a comment on the entry above it. An entry appended by it lands behind the comment of the next
section, and removing the last entry takes that comment along.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from coolify.config.domain_names import meant_by
from coolify.config.domains import SETTINGS
from coolify.config.edit import Edit
from coolify.config.errors import ConfigError, Problem
from coolify.config.load import load_config
from coolify.config.model import USUAL_ENVIRONMENTS, Config
from coolify.config.writer import ConfigDocument, Key, Plain, save_text
from coolify.hostnames import as_ascii

__all__ = ["DomainEdit", "NewDomain", "add_domain", "remove_domain"]

_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True, slots=True)
class NewDomain:
    """A domain to enter.

    Attributes:
        host: Host name in the form of the DNS.
        ssl: Whether it is served over HTTPS.
        path: Path below which the application is served.
        service: Service of a compose file that is served.
        name: Name of the entry; chosen when empty.
    """

    host: str
    ssl: bool = True
    path: str = "/"
    service: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class DomainEdit:
    """What becomes of the file.

    Attributes:
        path: The file.
        text: Its text afterwards.
        edits: The values that change, none when the file says so already.
        config: The configuration that the text makes.
    """

    path: Path
    text: str
    edits: tuple[Edit, ...]
    config: Config

    def save(self) -> None:
        """Write the file, when something changes.

        Raises:
            ConfigError: It cannot be written.
        """
        if self.edits:
            save_text(self.path, self.text)


def add_domain(path: Path, environment: str, domain: NewDomain) -> DomainEdit:
    """Return the file with a domain in it; nothing is written yet.

    An environment with domains of its own gets it there, else the common list.

    Args:
        path: The file.
        environment: Environment to work on; empty for the file's own.
        domain: What to enter.

    Raises:
        ConfigError: The file is missing, or would be wrong.
    """
    config = load_config(path, environment=environment or None)
    document = ConfigDocument.open(path)
    keys = _list_of(document, environment)
    written = _entries(document, keys)
    for index, entry in enumerate(written):
        if (_host(entry), entry.get("path") or "/") != (domain.host, domain.path):
            continue
        if not _applies(config, _name_of(entry)):
            message = f"{domain.host} belongs to another environment by its name `{_name_of(entry)}`: rename the entry."
            raise ConfigError(path, (Problem(0, _dotted((*keys, index)), message),))
        present = entry.get("ssl") is not False
        if present == domain.ssl:
            return DomainEdit(path, document.text(), (), config)
        edit = Edit(_dotted((*keys, index, "ssl")), present, domain.ssl)
        document.set(*keys, index, "ssl", value=domain.ssl)
        return _checked(path, environment, document.text(), (edit,))
    name = domain.name or _free_name(config, environment, domain.host, written)
    new: dict[str, Plain] = {name: domain.host, "ssl": domain.ssl}
    if domain.path != "/":
        new["path"] = domain.path
    if domain.service is not None:
        new["service"] = domain.service
    text = _appended(path.read_text(encoding="utf-8"), keys, new)
    if text is None:
        document.set(*keys, len(written), value=new)
        text = document.text()
    return _checked(path, environment, text, (Edit(_dotted((*keys, len(written))), None, new),))


def remove_domain(path: Path, environment: str, host: str) -> DomainEdit:
    """Return the file without the entries of a host, in the list that applies; nothing is written yet.

    Args:
        path: The file.
        environment: Environment to work on; empty for the file's own.
        host: Host name in the form of the DNS.

    Raises:
        ConfigError: The file is missing, or would be wrong.
    """
    config = load_config(path, environment=environment or None)
    document = ConfigDocument.open(path)
    keys = _list_of(document, environment)
    written = _entries(document, keys)
    gone = [index for index, entry in enumerate(written) if _host(entry) == host and _applies(config, _name_of(entry))]
    edits = tuple(Edit(_dotted((*keys, index)), written[index], None) for index in gone)
    text = path.read_text(encoding="utf-8")
    shorter = _shortened(text, keys, gone) if gone else text
    if shorter is None:
        document.set(*keys, value=[entry for index, entry in enumerate(written) if index not in gone])
        shorter = document.text()
    return _checked(path, environment, shorter, edits)


def _checked(path: Path, environment: str, text: str, edits: tuple[Edit, ...]) -> DomainEdit:
    return DomainEdit(path, text, edits, load_config(path, environment=environment or None, text=text))


def _list_of(document: ConfigDocument, environment: str) -> tuple[Key, ...]:
    own = ("environments", environment or str(document.get("environment") or "production"), "domains")
    return own if document.get(*own) is not None else ("domains",)


def _entries(document: ConfigDocument, keys: Sequence[Key]) -> list[dict[str, Plain]]:
    listed = document.get(*keys)
    return [dict(one) if isinstance(one, dict) else {} for one in listed] if isinstance(listed, list) else []


def _name_of(entry: dict[str, Plain]) -> str:
    return next((str(key) for key in entry if key not in SETTINGS), "")


def _host(entry: dict[str, Plain]) -> str:
    return as_ascii(str(entry.get(_name_of(entry), "")))


def _applies(config: Config, name: str) -> bool:
    return any(domain.name == name for domain in config.domains)


def _free_name(config: Config, environment: str, host: str, written: Sequence[dict[str, Plain]]) -> str:
    """Return a name under which the entry applies to the environment, and that says what it is."""
    if environment and environment != "production":
        return environment
    others = {*USUAL_ENVIRONMENTS, *config.environment_names, "primary", *SETTINGS}
    if not any(_name_of(entry) == "primary" for entry in written):
        return "primary"
    label = host.partition(".")[0]
    free = label not in others and meant_by(label, others) is None
    return label if _LABEL.fullmatch(label) and free else "domain"


def _dotted(keys: Sequence[Key]) -> str:
    return ".".join(str(key) for key in keys)


def _appended(text: str, keys: Sequence[Key], entry: Mapping[str, Plain]) -> str | None:
    """Return the text with one more entry at the end of a list, None where the list is not one entry a line."""
    found = _block_list(text, keys)
    if found is None:
        return None
    margin = " " * found.node.start_mark.column
    values = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in entry.items()]
    new = [f"{margin}{'  ' if index else '- '}{value}\n" for index, value in enumerate(values)]
    lines = text.splitlines(keepends=True)
    last = _last_line(found.node)
    lines[last] = lines[last].rstrip("\n") + "\n"
    return "".join([*lines[: last + 1], *new, *lines[last + 1 :]])


def _shortened(text: str, keys: Sequence[Key], gone: Sequence[int]) -> str | None:
    """Return the text without some entries of a list, None where the list is not one entry a line."""
    found = _block_list(text, keys)
    if found is None:
        return None
    dropped = {
        line
        for index in gone
        for line in range(found.node.value[index].start_mark.line, _last_line(found.node.value[index]) + 1)
    }
    lines = text.splitlines(keepends=True)
    if len(gone) == len(found.node.value):
        # A list that is missing would mean the common one; an empty one is none.
        end = found.key.end_mark
        line = lines[end.line]
        lines[end.line] = f"{line[: end.column]}: []{line[end.column :].lstrip().removeprefix(':')}"
    return "".join(line for number, line in enumerate(lines) if number not in dropped)


@dataclass(frozen=True, slots=True)
class _BlockList:
    key: ScalarNode
    node: SequenceNode


def _block_list(text: str, keys: Sequence[Key]) -> _BlockList | None:
    """Return a list that has each entry on lines of its own, with the key it belongs to."""
    node: Node | None = YAML(typ="rt").compose(text)
    key = None
    for name in keys:
        pairs = node.value if isinstance(node, MappingNode) else []
        key, node = next(((one, below) for one, below in pairs if one.value == name), (None, None))
    if not isinstance(node, SequenceNode) or not isinstance(key, ScalarNode) or node.flow_style or not node.value:
        return None
    starts = [entry.start_mark.line for entry in node.value]
    ends = [_last_line(entry) for entry in node.value]
    # An alias stands elsewhere, and one line can hold two entries: neither is edited by lines.
    orderly = starts[0] > key.start_mark.line and all(
        start <= end < after for start, end, after in zip(starts, ends, [*starts[1:], len(text) + 1], strict=True)
    )
    return _BlockList(key, node) if orderly else None


def _last_line(node: Node) -> int:
    """Return the last line with something of a value on it; where the parser says a value ends, comments may lie."""
    if isinstance(node, MappingNode) and node.value and not node.flow_style:
        return max(_last_line(part) for part in node.value[-1])
    if isinstance(node, SequenceNode) and node.value and not node.flow_style:
        return _last_line(node.value[-1])
    end: int = node.end_mark.line
    return end - 1 if node.end_mark.column == 0 and end > node.start_mark.line else end
