"""`.coolify/set.yml`: which applications are released together, and how."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, ValidationError, model_validator

from coolify.config.base import Section, as_list
from coolify.config.coordinates import DEFAULT_PATH
from coolify.config.document import read
from coolify.config.errors import ConfigError, Problem
from coolify.config.fields import Label, Line, Seconds
from coolify.config.finding import nearest_above
from coolify.config.load import problems_of

__all__ = ["DEFAULT_SET", "Canary", "OnFailure", "ReleaseSet", "SetMember", "Strategy", "find_set", "read_set"]

DEFAULT_SET: Final = DEFAULT_PATH.with_name("set.yml")
"""Where the file is, relative to the directory that it describes."""
_EXAMPLE: Final = "`applications: [services/api, services/web]`"


class Strategy(StrEnum):
    """In which order applications get their new version."""

    STAGES = "stages"
    """What requires nothing first, then what requires that, and so on; side by side within a stage."""
    CANARY = "canary"
    """One application, or those of one server, alone; the rest when they have proved themselves for a while."""


class OnFailure(StrEnum):
    """What follows when an application of the set could not be released."""

    STOP = "stop"
    """Nothing more is released; what was released stays."""
    CONTINUE = "continue"
    """Everything is released that does not require what failed."""
    ROLLBACK = "rollback"
    """Nothing more is released, and what this run has released is rolled back, in reverse order."""
    ASK = "ask"
    """Whoever watches is asked; `stop` where nobody answers."""


class SetMember(Section):
    """One application: the path alone, or a mapping."""

    config: Line
    """Its configuration file, or the directory that holds `.coolify/config.yml`; `*` stands for several."""
    environment: Label | None = None
    """Environment whose overlay applies; the file's own, or that of the call, when left out."""
    name: Label | None = None
    """What it is called in the set; the application's name when left out."""
    tags: tuple[Label, ...] = ()
    """Names of groups that it belongs to, for `--tag`."""

    @model_validator(mode="before")
    @classmethod
    def _take_text(cls, data: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever was written
        if isinstance(data, str):
            return {"config": data}
        if isinstance(data, dict) and "tags" in data:
            return {**data, "tags": as_list(data["tags"])}
        return data

    @model_validator(mode="after")
    def _is_one_when_it_has_a_name(self) -> SetMember:
        if self.name is not None and self.is_pattern:
            raise ValueError("`name` names one application, and `config` stands for several: remove one.")
        return self

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for all files that fit."""
        return any(one in self.config for one in "*?[")


class Canary(Section):
    """Who goes first with `strategy: canary`, and for how long alone."""

    application: Line | None = None
    """Name of an application of the set; the first of the order when neither it nor `server` is given."""
    server: Line | None = None
    """All applications of this server go first: its name in Coolify (`application.server`), or Coolify's address."""
    soak: Seconds = 300.0
    """Seconds that they have to stay healthy before the rest is released."""

    @model_validator(mode="after")
    def _names_one(self) -> Canary:
        if self.application is not None and self.server is not None:
            raise ValueError("`application` and `server` exclude each other: keep one.")
        return self


class ReleaseSet(Section):
    """Applications that are released together."""

    applications: Annotated[tuple[SetMember, ...], Field(min_length=1)]
    """The applications; their order comes from what they require of each other, then from the file."""
    name: Line | None = None
    """What the set is called; the name of the directory that holds `.coolify` when left out."""
    parallel: Annotated[int, Field(ge=1, le=20)] = 4
    """How many applications are released at the same time, at most."""
    strategy: Strategy = Strategy.STAGES
    """`stages`, or `canary`: one first, then the rest."""
    canary: Canary = Canary()
    """Who goes first with `strategy: canary`."""
    on_failure: OnFailure = OnFailure.STOP
    """`stop`: what was released stays; `continue` with the rest; `rollback` all that was released; or `ask`."""


def find_set(path: Path) -> Path:
    """Return the set file: the path itself or, for the default one, the nearest above the current directory.

    Raises:
        ConfigError: There is none.
    """
    if path.is_file():
        return path
    if path == DEFAULT_SET:
        if found := nearest_above(path):
            return found
        message = f"not found in {Path.cwd()} or above: write one that begins with {_EXAMPLE}."
    else:
        message = "is a directory: name the file in it." if path.is_dir() else f"not found: write {_EXAMPLE} into it."
    raise ConfigError(path, (Problem(0, "", message),))


def read_set(path: Path) -> ReleaseSet:
    """Return what a set file says.

    Raises:
        ConfigError: With all problems of the file and their lines.
    """
    document = read(path)
    try:
        return ReleaseSet.model_validate({key: value for key, value in document.items() if value is not None})
    except ValidationError as error:
        raise ConfigError(path, tuple(problems_of(document, error, ReleaseSet))) from None
