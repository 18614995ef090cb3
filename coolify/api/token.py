"""Where the API token comes from, so that a new one can be read again without a restart."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import Final, Protocol

from pydantic import SecretStr

from coolify.errors import OperatorError

__all__ = ["CommandToken", "EnvironmentToken", "StaticToken", "TokenError", "TokenSource"]

_COMMAND_SECONDS: Final = 30.0


class TokenError(OperatorError):
    """There is no token."""

    is_usage = True


class TokenSource(Protocol):
    """Gives the token; asked again once when Coolify answers 401."""

    async def read(self) -> SecretStr:
        """Return the token as it is now.

        Raises:
            TokenError: There is none.
        """


@dataclass(frozen=True, slots=True)
class StaticToken:
    """A token that somebody else keeps."""

    token: SecretStr

    async def read(self) -> SecretStr:
        """Return the token."""
        return self.token


@dataclass(frozen=True, slots=True)
class EnvironmentToken:
    """A token in an environment variable."""

    variable: str = "COOLIFY_TOKEN"

    async def read(self) -> SecretStr:
        """Return the variable's value."""
        value = os.environ.get(self.variable, "").strip()
        if not value:
            raise TokenError(
                f"The environment variable {self.variable} holds no API token: create one in Coolify under "
                f"Keys & Tokens and run `export {self.variable}=...`."
            )
        return SecretStr(value)


@dataclass(frozen=True, slots=True)
class CommandToken:
    """A token that a command prints, for example a password manager's."""

    command: tuple[str, ...]

    async def read(self) -> SecretStr:
        """Run the command and return the first line that it prints."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
            )
        except OSError as error:
            raise TokenError(f"The token command '{self.command[0]}' cannot be run: {error.strerror}.") from None
        try:
            async with asyncio.timeout(_COMMAND_SECONDS):
                output, _ = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise TokenError(
                f"The token command '{self.command[0]}' did not end in {_COMMAND_SECONDS:.0f} s."
            ) from None
        line = output.decode(errors="replace").partition("\n")[0].strip()
        if process.returncode or not line:
            raise TokenError(
                f"The token command '{self.command[0]}' printed no token (exit code {process.returncode})."
            )
        return SecretStr(line)
