"""What the keys of the configuration mean, from the docstrings below the fields of its sections.

Pydantic can do this by itself (`use_attribute_docstrings`), but then it reads the source of every section whenever a
command starts, a seventh of the time of one that only reads.
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from inspect import cleandoc
from itertools import pairwise
from pathlib import Path

from coolify.config.base import Section
from coolify.config.coordinates import Coordinates

__all__ = ["describe_sections", "keys_of"]


@cache
def describe_sections() -> None:
    """Give every key of every section its description, for a JSON Schema that has them."""
    for section in _below(Section):
        # What sections share is described where it is defined.
        for one in reversed(section.__mro__):
            for name, text in _docstrings(one) if issubclass(one, Section) else ():
                section.model_fields[name].description = text
    # Sections are defined before those that hold them; the whole file is the exception, it has a base of its own.
    for section in sorted(_below(Section), key=lambda one: issubclass(one, Coordinates)):
        section.model_rebuild(force=True)


def keys_of(section: type[Section]) -> dict[str, str]:
    """Return key -> what it means, as it is written in the code: Markdown."""
    return dict(_docstrings(section))


def _below(section: type[Section]) -> Iterator[type[Section]]:
    for one in section.__subclasses__():
        yield one
        yield from _below(one)


def _docstrings(section: type[Section]) -> Iterator[tuple[str, str]]:
    """Yield the name of a field and the text below it (PEP 258 calls them attribute docstrings)."""
    source = Path(str(sys.modules[section.__module__].__file__)).read_text(encoding="utf-8")
    (body,) = (
        node.body for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == section.__name__
    )
    for field, below in pairwise(body):
        match field, below:
            case (ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as text))):
                yield name, cleandoc(text)
