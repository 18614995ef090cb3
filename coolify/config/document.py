"""YAML text as plain data in which every value knows its line.

Scalars stay the text that was written: `commit: 0012345` is no number, `tag: 1.10` does not become `1.1`, and the
models convert where they want numbers or booleans. Works on composed nodes, because a constructed document has
lost the place of its scalars.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from coolify.config.errors import ConfigError, Problem

__all__ = ["Place", "PlacedList", "PlacedMap", "PlacedText", "Value", "merge", "parse", "read"]

_NULL: Final = "tag:yaml.org,2002:null"
_MERGE: Final = "tag:yaml.org,2002:merge"
_MISSING: Final = "write one with `coolify project init`"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written: the file, the line counted from 1, the path as in `domains[0].ssl`."""

    file: Path
    line: int
    path: str

    def problem(self, message: str) -> Problem:
        """Return a problem at this place."""
        return Problem(self.line, self.path, message)


class PlacedText(str):
    """A scalar as written, with its place."""

    __slots__ = ("place",)
    place: Place

    @classmethod
    def at(cls, place: Place, text: str) -> PlacedText:
        """Return the text with its place."""
        made = cls(text)
        made.place = place
        return made


class PlacedMap(dict[str, "Value"]):
    """A mapping with its place and the places of its keys."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.keys_at: dict[str, Place] = {}

    def put(self, key: str, place: Place, value: Value) -> None:
        """Set a key that was written at a place."""
        self[key] = value
        self.keys_at[key] = place


class PlacedList(list["Value"]):
    """A sequence with its place and the places of its entries."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.entries_at: list[Place] = []


Value: TypeAlias = PlacedText | PlacedMap | PlacedList | None


def read(file: Path) -> PlacedMap:
    """Read and parse a file.

    Raises:
        ConfigError: The file is missing, unreadable, empty or no YAML mapping, or has a key twice.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(file, (Problem(0, "", f"not found: {_MISSING}."),)) from None
    except UnicodeDecodeError:
        raise ConfigError(file, (Problem(0, "", "is not UTF-8 text: save it as UTF-8."),)) from None
    except OSError as error:
        raise ConfigError(file, (Problem(0, "", f"cannot be read: {error.strerror}."),)) from None
    return parse(text, file)


def parse(text: str, file: Path) -> PlacedMap:
    """Parse YAML text; `file` only names it.

    Raises:
        ConfigError: As `read`.
    """
    try:
        node = YAML(typ="rt").compose(text)
    except MarkedYAMLError as error:
        # Only the description: the snippet in str(error) could show a secret.
        mark = error.problem_mark or error.context_mark
        message = f"is not valid YAML: {(error.problem or 'syntax error').strip()}."
        raise ConfigError(file, (Problem(mark.line + 1 if mark else 0, "", message),)) from None
    except YAMLError:
        message = "is not valid YAML: it holds a character that YAML does not allow."
        raise ConfigError(file, (Problem(0, "", message),)) from None
    if node is None or (isinstance(node, ScalarNode) and node.tag == _NULL):
        raise ConfigError(file, (Problem(0, "", f"is empty: {_MISSING}."),))
    builder = _Builder(file)
    value = builder.build(node, "", node.start_mark.line + 1)
    if not isinstance(value, PlacedMap):
        builder.problems.insert(0, Problem(1, "", "is not a mapping of keys to values: start with `server: ...`."))
    if builder.problems or not isinstance(value, PlacedMap):
        raise ConfigError(file, tuple(builder.problems))
    return value


def merge(base: PlacedMap, over: PlacedMap) -> PlacedMap:
    """Return `base` with the keys of `over` laid over it: mappings deeply, everything else replaced."""
    merged = PlacedMap(base.place)
    for key, value in base.items():
        merged.put(key, base.keys_at[key], value)
    for key, value in over.items():
        below = merged.get(key)
        if not isinstance(below, PlacedMap):
            merged.put(key, over.keys_at[key], value)
        elif isinstance(value, PlacedMap):
            merged.put(key, merged.keys_at[key], merge(below, value))
        elif value is not None:  # a section with nothing in it changes nothing
            merged.put(key, over.keys_at[key], value)
    return merged


def _text(node: Node) -> str:
    """Return a scalar as it is meant; where the lines of a folded one are joined, the parser leaves a mark (BEL)."""
    text = str(node.value)
    return text.replace("\a", "") if isinstance(node, ScalarNode) and node.style == ">" else text


class _Builder:
    """Turns nodes into placed values and collects what is wrong on the way."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._open: set[int] = set()

    def build(self, node: Node, path: str, line: int) -> Value:
        place = Place(self.file, line, path)
        if id(node) in self._open:
            self.problems.append(place.problem("the alias contains itself: write the value out."))
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, MappingNode):
                return self._map(node, place)
            if isinstance(node, SequenceNode):
                return self._list(node, place)
            return None if node.tag == _NULL else PlacedText.at(place, _text(node))
        finally:
            self._open.discard(id(node))

    def _map(self, node: MappingNode, place: Place) -> PlacedMap:
        made = PlacedMap(place)
        inherited: list[PlacedMap] = []
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == _MERGE or (isinstance(key_node, ScalarNode) and key_node.value == "<<"):
                inherited += self._inherited(value_node, place)
                continue
            if not isinstance(key_node, ScalarNode):
                self.problems.append(Problem(line, place.path, "a key must be plain text."))
                continue
            key = str(key_node.value)
            key_place = Place(self.file, line, f"{place.path}.{key}" if place.path else key)
            if key in made:
                first = made.keys_at[key].line
                self.problems.append(key_place.problem(f"is written twice, first on line {first}: keep one."))
                continue
            made.put(key, key_place, self.build(value_node, key_place.path, line))
        for source in inherited:
            for key, value in source.items():
                if key not in made:
                    made.put(key, source.keys_at[key], value)
        return made

    def _inherited(self, node: Node, place: Place) -> list[PlacedMap]:
        """Return the mappings that a merge key (`<<: *name`) brings in, the first one strongest."""
        nodes = node.value if isinstance(node, SequenceNode) else [node]
        found = [self.build(one, place.path, one.start_mark.line + 1) for one in nodes]
        return [one for one in found if isinstance(one, PlacedMap)]

    def _list(self, node: SequenceNode, place: Place) -> PlacedList:
        made = PlacedList(place)
        for index, entry in enumerate(node.value):
            entry_place = Place(self.file, entry.start_mark.line + 1, f"{place.path}[{index}]")
            made.entries_at.append(entry_place)
            made.append(self.build(entry, entry_place.path, entry_place.line))
        return made
