"""One application, as everything that runs on the Prefect server knows it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prefect.blocks.core import Block
from prefect.types import SecretDict
from pydantic import Field, HttpUrl, SecretStr, field_validator

from coolify.config import DEFAULT_PATH
from coolify.source.checkout import checked_out
from coolify.source.git import without_credentials

__all__ = ["Application", "FoundConfig"]


@dataclass(frozen=True, slots=True)
class FoundConfig:
    """Where a configuration was found."""

    path: Path
    """The file; it names the configuration, and relative paths in it start there."""
    text: str | None = None
    """What it says, where there is no such file."""


class Application(Block):
    """The configuration file of one application, and the values of the variables that it refers to.

    Saved by the command "coolify project config push", again after each change of the file; or read anew from a Git
    repository by every run. Runs choose the application by this block.

    Example:
        Load an application:
        ```python
        from blocks import Application

        application = Application.load("BLOCK_NAME")
        print(application.configuration)
        ```
    """

    _block_type_name = "Coolify Application"
    _block_type_slug = "coolify-application"
    _documentation_url = HttpUrl("https://docs.prefect.io/v3/concepts/blocks")

    # Without a default: Prefect could not tell a reference to a block from a block of which everything is optional.
    configuration: str = Field(
        title="Configuration",
        description="Text of .coolify/config.yml; empty where a repository is named. Secrets stand in it as ${NAME}.",
    )
    environment: str = Field(
        default="", title="Environment", description="Environment whose overlay applies; empty for the file's own."
    )
    values: SecretDict = Field(
        default=SecretDict({}),
        title="Values",
        description="Values of the variables that the configuration refers to, by name; they go before the worker's.",
    )
    repository: str = Field(
        default="",
        title="Repository",
        description="Git repository to read the configuration from at every run, instead of the text.",
    )
    branch: str = Field(default="main", title="Branch", description="Branch or tag of the repository.", min_length=1)
    path: str = Field(
        default=str(DEFAULT_PATH), title="Path", description="Path of the file in the repository.", min_length=1
    )
    deploy_key: SecretStr = Field(
        default=SecretStr(""), title="Deploy key", description="Private key that may read the repository over ssh."
    )
    directory: str = Field(
        default="",
        title="Directory",
        description="Directory on the worker where relative paths of the text start; empty for the run's own.",
    )

    @field_validator("repository")
    @classmethod
    def _holds_no_password(cls, value: str) -> str:
        if without_credentials(value) != value:
            raise ValueError("the address holds a password: leave it out, and give a deploy key.")
        return value

    @property
    def known_as(self) -> str:
        """Name under which the block was saved."""
        return self._block_document_name or "application"

    def environ(self, base: Mapping[str, str]) -> Mapping[str, str]:
        """Return an environment in which `${NAME}` of the configuration is looked up."""
        return {**base, **{name: str(value) for name, value in self.values.get_secret_value().items()}}

    @asynccontextmanager
    async def open_config(self) -> AsyncIterator[FoundConfig]:
        """Yield the configuration, with the files around it where it comes from a repository.

        Raises:
            GitError: The repository cannot be read.
        """
        if not self.repository:
            yield FoundConfig(Path(self.directory) / DEFAULT_PATH, self.configuration)
            return
        key = self.deploy_key if self.deploy_key.get_secret_value() else None
        async with checked_out(self.repository, self.branch, key) as folder:
            yield FoundConfig(folder / self.path)
