"""The one thing that a name or UUID in the configuration means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from coolify.api.errors import AmbiguousNameError

__all__ = ["the_one"]


class _Named(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def uuid(self) -> str | None: ...


Thing = TypeVar("Thing", bound=_Named)


def the_one(things: Iterable[Thing], name_or_uuid: str, *, kind: str, key: str) -> Thing:
    """Return the thing with this name or UUID.

    Args:
        things: All that Coolify has.
        name_or_uuid: What the configuration says.
        kind: What they are, in the plural, for the message.
        key: Key of the configuration that names it.

    Raises:
        AmbiguousNameError: None or several fit.
    """
    known = tuple(things)
    fitting = [one for one in known if name_or_uuid in {one.uuid, one.name}]
    if len(fitting) != 1:
        names = ", ".join(sorted(one.name for one in known)) or "none"
        raise AmbiguousNameError(
            f"{len(fitting) or 'No'} {kind} in Coolify fit '{name_or_uuid}': correct {key}; there are: {names}."
        )
    return fitting[0]
