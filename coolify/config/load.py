"""From the file to the `Config`, with every problem and its line."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, get_args

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from coolify.config.base import Section
from coolify.config.document import Place, PlacedList, PlacedMap, PlacedText, Value, merge, parse, read
from coolify.config.domain_names import misspelt_names
from coolify.config.domains import Domain
from coolify.config.env import EnvValue, ResolvedVariable
from coolify.config.errors import ConfigError, Problem
from coolify.config.model import USUAL_ENVIRONMENTS, Config
from coolify.config.overlays import chosen_environment, take_overlays, without
from coolify.config.secrets import clear_secrets
from coolify.suggest import nearest

__all__ = ["load_config", "problems_of", "resolve_variables"]

# Fields of `Config` that the loader fills, never the file.
_INTERNAL: Final = frozenset({"path", "environment_names", "all_domains"})


def load_config(path: Path, *, environment: str | None = None, text: str | None = None) -> Config:
    """Read the configuration for an environment; `${NAME}` stays unresolved.

    Args:
        path: The file.
        environment: Environment whose overlay applies; the file's own (`environment`, else production) when None.
            Without an overlay of that name it is only the name of the Coolify environment.
        text: Text to check instead of the file's, before it is written there.

    Raises:
        ConfigError: With all problems of the file, those of the overlays of other environments too.
    """
    document = read(path) if text is None else parse(text, path)
    secrets = clear_secrets(document)
    overlays, problems = take_overlays(document)
    written = document.get("environment")
    chosen = chosen_environment(document, environment)
    config: Config | None = None
    # Not `chosen`: a name that only this call gives to an environment belongs to all of them in the next one.
    names = ("primary", *USUAL_ENVIRONMENTS, *overlays, *([str(written)] if isinstance(written, str) else ()))
    problems += [one for part in (document, *overlays.values()) for one in misspelt_names(part, names)]
    for name in dict.fromkeys((chosen, *overlays)):
        merged = merge(document, overlays[name]) if name in overlays else document
        # What is written there stays when it is no text: the model then says so.
        override = name if name != written and not isinstance(written, PlacedMap | PlacedList) else None
        made = _validate(merged, path, override, tuple(overlays))
        if isinstance(made, Config):
            config = made if name == chosen else config
        else:
            problems += made
    # A secret may break the rule of its field too: only the first reason says what to do.
    refused = {(problem.line, problem.path) for problem in secrets}
    others = (problem for problem in problems if (problem.line, problem.path) not in refused)
    unique = dict.fromkeys((*secrets, *others))
    if unique or config is None:
        raise ConfigError(path, tuple(sorted(unique, key=lambda problem: (problem.line, problem.path))))
    return config


def resolve_variables(
    config: Config, environ: Mapping[str, str], databases: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[ResolvedVariable, ...]:
    """Return the application's variables with their real values, in the order of the file.

    Args:
        config: The configuration.
        environ: Where `${NAME}` is looked up, `os.environ` as a rule.
        databases: Name -> parts of the connection, for the databases that exist.

    Raises:
        ConfigError: With all variables that are not set and all files that cannot be read.
    """
    resolved: list[ResolvedVariable] = []
    problems: list[Problem] = []
    for key, variable in config.env.items():
        try:
            value = _value(config, key, variable, environ, databases or {})
        except ConfigError as error:
            problems += error.problems
            continue
        resolved.append(
            ResolvedVariable(
                key=key,
                value=SecretStr(value),
                literal="$" in value if variable.literal is None else variable.literal,
                multiline="\n" in value if variable.multiline is None else variable.multiline,
                build=variable.build,
                runtime=variable.runtime,
                comment=variable.comment,
                awaits=_awaited(variable, databases or {}),
            )
        )
    if problems:
        raise ConfigError(config.path, tuple(problems))
    return tuple(resolved)


def _awaited(variable: EnvValue, databases: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    wanted = variable.value.databases if variable.value is not None else ()
    return tuple(name for name in dict.fromkeys(wanted) if name not in databases)


def _value(
    config: Config,
    key: str,
    variable: EnvValue,
    environ: Mapping[str, str],
    databases: Mapping[str, Mapping[str, str]],
) -> str:
    if variable.from_file is None:
        return variable.value.resolve(environ, databases) if variable.value is not None else ""
    file = config.path.parent / Path(variable.from_file).expanduser()
    try:
        return file.read_text(encoding="utf-8").removesuffix("\n")
    except UnicodeDecodeError:
        reason = "is not UTF-8 text"
    except OSError as error:
        reason = f"cannot be read ({error.strerror})"
    problem = Problem(0, f"env.{key}.from_file", f"the file {file} {reason}.")
    raise ConfigError(config.path, (problem,))


def _validate(
    document: PlacedMap, path: Path, environment: str | None, names: tuple[str, ...]
) -> Config | list[Problem]:
    unknown = [_unknown_key(document, key, (), Config) for key in document if key in _INTERNAL]
    known = without(document, _INTERNAL)
    data: dict[str, object] = {**_without_empty(known), "path": path, "environment_names": names}
    if environment is not None:
        data["environment"] = environment
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        return unknown + problems_of(known, error, Config)
    return unknown or config


def problems_of(document: PlacedMap, error: ValidationError, model: type[Section]) -> list[Problem]:
    """Return what is wrong in a document that a model refused, with the lines where it stands."""
    return [_problem(document, details, model) for details in error.errors(include_url=False, include_input=False)]


def _without_empty(document: PlacedMap) -> dict[str, Value]:
    """Drop sections with nothing in them (`health:` alone): they say no more than a missing one."""
    return {key: value for key, value in document.items() if value is not None}


def _problem(document: PlacedMap, details: ErrorDetails, model: type[Section]) -> Problem:
    location = details["loc"]
    if details["type"] == "extra_forbidden":
        return _unknown_key(document, str(location[-1]), location[:-1], model)
    place, rest = _locate(document, location)
    if details["type"] == "missing":
        key = str(location[-1])
        owner = Place(place.file, place.line, place.path)
        return owner.problem(f"`{key}` is missing: add `{key}: ...`.")
    message = _MESSAGES.get(details["type"]) or details["msg"].removeprefix("Value error, ")
    if context := details.get("ctx"):
        message = message.format_map(_Texts(context)) if details["type"] in _MESSAGES else message
    subject = f"{rest}: " if rest else ""
    return place.problem(subject + (message if message.endswith((".", "?")) else f"{message}."))


class _Texts(dict[str, object]):
    """Values for a message; a missing one is a defect of the table below, and shown as such."""

    def __missing__(self, key: str) -> str:
        return f"<{key}>"


_MESSAGES: Final = {
    "bool_parsing": "must be true or false.",
    "bool_type": "must be true or false.",
    "int_parsing": "must be a whole number.",
    "int_type": "must be a whole number.",
    "float_parsing": "must be a number.",
    "float_type": "must be a number.",
    "finite_number": "must be a finite number.",
    "string_type": "must be text.",
    "is_instance_of": "must be text.",
    "dict_type": "must be a mapping of keys to values.",
    "model_type": "must be a mapping of keys to values.",
    "tuple_type": "must be a list.",
    "too_short": "must not be empty.",
    "enum": "must be one of {expected}.",
    "literal_error": "must be {expected}.",
    "greater_than": "must be more than {gt:g}.",
    "greater_than_equal": "must be at least {ge:g}.",
    "less_than_equal": "must be at most {le:g}.",
    "string_too_long": "must have at most {max_length} characters.",
    "string_too_short": "must not be empty.",
    "string_pattern_mismatch": "is not written as it must be: it does not match `{pattern}`.",
    "timezone_aware": "needs a time zone: end it with Z for UTC, as in 2024-01-01T00:00:00Z.",
}


def _unknown_key(document: PlacedMap, key: str, owner: Sequence[str | int], model: type[Section]) -> Problem:
    place, _ = _locate(document, (*owner, key))
    known = [name for name in _known_keys(owner, model) if name not in _INTERNAL]
    return place.problem(f"unknown key: {nearest(key, known)}")


def _known_keys(location: Sequence[str | int], root: type[Section]) -> tuple[str, ...]:
    """Return the keys that the section at a location knows, as they are written in the file."""
    models: list[type[Section]] = [root]
    for part in location:
        fields = [
            field for model in models for name, field in model.model_fields.items() if part in {name, field.alias}
        ]
        # A part that is no field is an index or the key of a mapping: the model stays the same.
        models = [found for field in fields for found in _models_in(field.annotation)] or models
    keys = [field.alias or name for model in models for name, field in model.model_fields.items()]
    return (*keys, "environments") if models == [Config] else tuple(keys)


def _models_in(annotation: object) -> list[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _locate(document: PlacedMap, location: Sequence[str | int]) -> tuple[Place, str]:
    """Return the place nearest to a location, and what of the location lies below it."""
    value: Value = document
    place = document.place
    for index, part in enumerate(location):
        if isinstance(value, PlacedMap) and isinstance(part, str):
            key = part if part in value else _host_key(value, location[:index], part)
            if key is None:
                return place, ".".join(str(one) for one in location[index:])
            place, value = value.keys_at[key], value[key]
        elif isinstance(value, PlacedList) and isinstance(part, int):
            place, value = value.entries_at[part], value[part]
        else:
            break
    if isinstance(value, PlacedText):
        place = value.place
    return place, ""


def _host_key(entry: PlacedMap, owner: Sequence[str | int], part: str) -> str | None:
    """Return the key under which a domain's host or name was written: it is free, see `Domain`."""
    if not owner or owner[0] != "domains" or part not in {"host", "name"}:
        return None
    return next((key for key in entry if key not in Domain.model_fields), None)
