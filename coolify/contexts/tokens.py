"""Where the token of a context is kept, and how it gets there."""

from __future__ import annotations

import asyncio
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from coolify.api.token import CommandToken, EnvironmentToken, TokenError, TokenSource
from coolify.contexts.model import Context, TokenStorage
from coolify.files import write_whole

__all__ = ["FileToken", "KeyringToken", "forget_token", "has_keyring", "keep_token", "token_source"]

_SERVICE: Final = "coolify-flows"
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class KeyringToken:
    """A token in the operating system's keyring."""

    context: str

    async def read(self) -> SecretStr:
        """Return the token.

        Raises:
            TokenError: The keyring is locked, or holds none.
        """
        import keyring
        from keyring.errors import KeyringError

        try:
            token = await asyncio.to_thread(keyring.get_password, _SERVICE, self.context)
        except KeyringError as error:
            raise TokenError(f"The keyring does not give the token: {error}. Unlock it and run again.") from None
        if not token:
            raise TokenError(
                f"The keyring holds no token for the context '{self.context}': run `coolify auth login` again."
            )
        return SecretStr(token)


@dataclass(frozen=True, slots=True)
class FileToken:
    """A token in a file that only its owner can read."""

    path: Path

    async def read(self) -> SecretStr:
        """Return the file's text.

        Raises:
            TokenError: The file is missing, empty, or readable by others.
        """
        try:
            if self.path.stat().st_mode & _OTHERS:
                raise TokenError(
                    f"Others can read the token file {self.path}: run `chmod 600` on it, and replace the token."
                )
            text = self.path.read_text().strip()
        except OSError as error:
            raise TokenError(
                f"The token file {self.path} cannot be read ({error.strerror}): run `coolify auth login` again."
            ) from None
        if not text:
            raise TokenError(f"The token file {self.path} is empty: run `coolify auth login` again.")
        return SecretStr(text)


def has_keyring() -> bool:
    """Return whether there is a keyring that keeps secrets."""
    import keyring

    # The backend that stands in where there is none has priority 0.
    return float(keyring.get_keyring().priority) > 0


def token_source(context: Context, directory: Path) -> TokenSource:
    """Return where the token of a context is read.

    Args:
        context: The context.
        directory: Directory of this program's settings.
    """
    match context.storage:
        case TokenStorage.KEYRING:
            return KeyringToken(context.name)
        case TokenStorage.ENVIRONMENT:
            return EnvironmentToken(context.variable or "")
        case TokenStorage.COMMAND:
            return CommandToken(context.command)
        case TokenStorage.FILE:
            return FileToken(_file(context, directory))


def keep_token(context: Context, directory: Path, token: SecretStr) -> None:
    """Store a token where the context says; the environment and commands keep their own.

    Raises:
        TokenError: It could not be stored.
    """
    if context.storage is TokenStorage.KEYRING:
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password(_SERVICE, context.name, token.get_secret_value())
        except KeyringError as error:
            raise TokenError(f"The keyring did not take the token: {error}.") from None
    elif context.storage is TokenStorage.FILE:
        path = _file(context, directory)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(path, token.get_secret_value() + "\n", mode=0o600)
        except OSError as error:
            raise TokenError(f"The token file {path} cannot be written: {error.strerror}.") from None


def forget_token(context: Context, directory: Path) -> None:
    """Remove what `keep_token` has stored; nothing when there is nothing."""
    if context.storage is TokenStorage.KEYRING:
        import keyring
        from keyring.errors import PasswordDeleteError

        try:
            keyring.delete_password(_SERVICE, context.name)
        except PasswordDeleteError:
            return
    elif context.storage is TokenStorage.FILE:
        _file(context, directory).unlink(missing_ok=True)


def _file(context: Context, directory: Path) -> Path:
    return directory / "tokens" / context.name
