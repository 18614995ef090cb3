"""Which application a run is about, and where its configuration is."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from blocks import Application
from coolify.config import Config, find_config, load_config
from coolify.errors import OperatorError

__all__ = ["ConfigNotOursError", "Located", "Target", "editable_file", "located"]


class ConfigNotOursError(OperatorError):
    """The configuration file is to be changed, and is not here."""


class Target(BaseModel):
    """The application to work on: a saved one, or a configuration file on the machine that runs the flow."""

    model_config = ConfigDict(frozen=True)

    application: Application | None = Field(
        default=None,
        title="Saved application",
        description="Switch to Application and choose it. Without one, the configuration file below counts.",
    )
    config: str = Field(
        default=".coolify/config.yml",
        title="Configuration file",
        description="Path of the application's .coolify/config.yml on the machine that runs the flow.",
        min_length=1,
    )
    environment: str = Field(
        default="",
        title="Environment",
        description="Environment whose overlay applies, for example staging; empty for the file's own.",
    )

    @property
    def label(self) -> str:
        """What runs about it are named after."""
        return self.application.known_as if self.application else self.config


@dataclass(frozen=True, slots=True)
class Located:
    """A configuration and what its variables are looked up in."""

    config: Config
    environ: Mapping[str, str]


@asynccontextmanager
async def located(target: Target) -> AsyncIterator[Located]:
    """Yield the configuration of an application; files that were fetched for it are there until the context is left.

    Raises:
        ConfigError: The file is missing or wrong.
        GitError: Its repository cannot be read.
    """
    application = target.application
    if application is None:
        config = load_config(find_config(Path(target.config)), environment=target.environment or None)
        yield Located(config, os.environ)
        return
    async with application.open_config() as found:
        path = found.path if found.text is not None else find_config(found.path)
        environment = target.environment or application.environment or None
        config = load_config(path, environment=environment, text=found.text)
        yield Located(config, application.environ(os.environ))


def editable_file(target: Target) -> Path:
    """Return the configuration file to write to.

    Raises:
        ConfigNotOursError: It is saved on the Prefect server, or in a repository.
        ConfigError: It is missing.
    """
    if target.application is not None:
        where = target.application.repository or f"the block '{target.label}'"
        raise ConfigNotOursError(
            f"The configuration of {target.label} is kept in {where}, where this run cannot change it: change the "
            "file, and push it with `git push` or `coolify project config push`."
        )
    return find_config(Path(target.config))
