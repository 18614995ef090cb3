"""The file of the receiver: its sources, and where their secrets are. Secrets themselves have no place in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from coolify.config import ConfigError
from coolify.config.base import Section
from coolify.config.document import PlacedList, PlacedMap, PlacedText, Value, read
from coolify.config.errors import Problem
from coolify.config.fields import Label, Line, VariableName
from coolify.errors import OperatorError
from coolify.suggest import nearest
from coolify.webhooks import WebhookProvider

__all__ = ["SECRET_VARIABLE", "HookSource", "NoSecretError", "ReceiverSettings", "SecretOrigin", "load_settings"]

SECRET_VARIABLE: Final = "COOLIFY_WEBHOOK_SECRET"  # noqa: S105 - a name
"""Variable with the secret of all sources where there is no file; `coolify source connect` uses the same."""
OLD_SECRET_VARIABLE: Final = "COOLIFY_WEBHOOK_SECRET_OLD"  # noqa: S105 - a name
"""Variable with the secret before, valid too while it is exchanged."""


class NoSecretError(OperatorError):
    """The receiver has no secret to check deliveries with."""

    is_usage = True


class SecretOrigin(Section):
    """Where one secret is kept; exactly one of them."""

    environment: VariableName | None = None
    """Environment variable of the receiver."""
    keyring: Line | None = None
    """User name of an entry of the service `coolify-flows` in the operating system's keyring."""
    command: tuple[Line, ...] = ()
    """Command that prints it, for example a password manager's."""
    block: Line | None = None
    """Name of a Prefect block of the type Secret."""

    @model_validator(mode="after")
    def _is_one(self) -> SecretOrigin:
        given = [name for name in ("environment", "keyring", "command", "block") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError("needs exactly one of `environment`, `keyring`, `command` and `block`.")
        return self

    @property
    def name(self) -> str:
        """What it is called in messages."""
        if self.environment:
            return f"the environment variable {self.environment}"
        if self.keyring:
            return f"the entry '{self.keyring}' of the keyring"
        return f"the command '{self.command[0]}'" if self.command else f"the Prefect block '{self.block}'"


class HookSource(Section):
    """One place that deliveries come from; its route is `/webhooks/NAME`."""

    provider: WebhookProvider
    """Kind of the host."""
    secrets: Annotated[tuple[SecretOrigin, ...], Field(min_length=1, max_length=8)]
    """Secrets that are valid; two while one is exchanged for another."""


class ReceiverSettings(Section):
    """What the receiver listens for."""

    sources: Annotated[dict[Label, HookSource], Field(min_length=1)]
    """Name -> where deliveries come from."""


def load_settings(path: Path | None, environ: Mapping[str, str]) -> ReceiverSettings:
    """Read the file of the receiver, or make the settings that do without: one secret, a source of each kind.

    Raises:
        ConfigError: The file is missing or wrong.
        NoSecretError: There is neither a file nor the variable with a secret.
    """
    if path is None:
        return _without_file(environ)
    if not path.is_file():
        raise ConfigError(path, (Problem(0, "", "not found: an example is in docs/events.md."),))
    document = read(path)
    _name_providers(document)
    try:
        return ReceiverSettings.model_validate(document)
    except ValidationError as error:
        problems = (_problem(document, one) for one in error.errors(include_url=False, include_input=False))
        raise ConfigError(path, tuple(problems)) from None


def _without_file(environ: Mapping[str, str]) -> ReceiverSettings:
    variables = [name for name in (SECRET_VARIABLE, OLD_SECRET_VARIABLE) if environ.get(name)]
    if SECRET_VARIABLE not in variables:
        raise NoSecretError(
            f"There is no secret to check deliveries with: run `export {SECRET_VARIABLE}=...` with the one that "
            "`coolify source connect --webhook-url` has shown, or name a file with --settings."
        )
    secrets = tuple(SecretOrigin(environment=name) for name in variables)
    return ReceiverSettings(sources={one.value: HookSource(provider=one, secrets=secrets) for one in WebhookProvider})


def _name_providers(document: PlacedMap) -> None:
    """Let a source that is called like a provider do without `provider`."""
    sources = document.get("sources")
    for name, source in sources.items() if isinstance(sources, PlacedMap) else ():
        if isinstance(source, PlacedMap) and "provider" not in source and name in set(WebhookProvider):
            source.put("provider", source.place, PlacedText.at(source.place, name))


def _problem(document: PlacedMap, details: ErrorDetails) -> Problem:
    place = document.place
    value: Value = document
    for part in details["loc"]:
        if isinstance(value, PlacedMap) and part in value:
            place, value = value.keys_at[str(part)], value[str(part)]
        elif isinstance(value, PlacedList) and isinstance(part, int):
            place, value = value.entries_at[part], value[part]
    last = str(details["loc"][-1]) if details["loc"] else ""
    if details["type"] == "extra_forbidden":
        return place.problem(f"unknown key: {nearest(last, _known(details['loc']))}")
    if details["type"] == "missing":
        return place.problem(f"`{last}` is missing: add `{last}: ...`.")
    message = details["msg"].removeprefix("Value error, ")
    return place.problem(message if message.endswith((".", "?")) else f"{message}.")


def _known(location: Sequence[str | int]) -> tuple[str, ...]:
    """Return the keys that the section knows in which a key was written."""
    if len(location) == 1:
        return tuple(ReceiverSettings.model_fields)
    return tuple((SecretOrigin if "secrets" in location[:-1] else HookSource).model_fields)
