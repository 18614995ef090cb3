"""The secrets of the sources, read where they are kept and read again from time to time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import Any, Final

from pydantic import SecretStr

from coolify.api.token import CommandToken
from coolify.errors import OperatorError
from deployments.webhooks.settings import ReceiverSettings, SecretOrigin

__all__ = ["SecretMissingError", "Vault"]

_SERVICE: Final = "coolify-flows"


class SecretMissingError(OperatorError):
    """A secret is not where the settings say."""

    is_usage = True


class Vault:
    """Secrets by source. A new secret is valid within a minute, without a restart of the receiver."""

    def __init__(self, settings: ReceiverSettings) -> None:
        self._settings = settings
        self._secrets: Mapping[str, tuple[SecretStr, ...]] = {}

    def of(self, source: str) -> tuple[SecretStr, ...]:
        """Return the valid secrets of a source; none while they could not be read yet."""
        return self._secrets.get(source, ())

    async def read(self) -> tuple[str, ...]:
        """Read all secrets; what cannot be read now keeps what was read before.

        Returns:
            What could not be read, one sentence each.
        """
        problems: list[str] = []
        fresh: dict[str, tuple[SecretStr, ...]] = {}
        for name, source in self._settings.sources.items():
            found = []
            for origin in source.secrets:
                try:
                    found.append(await _read(origin))
                except OperatorError as error:
                    problems.append(f"Source {name}: {error}")
            fresh[name] = tuple(found) if len(found) == len(source.secrets) else tuple(found) or self.of(name)
        self._secrets = fresh
        return tuple(dict.fromkeys(problems))

    async def read_first(self) -> tuple[str, ...]:
        """Read all secrets before the receiver listens.

        Returns:
            Problems that may pass: blocks that cannot be read while the Prefect server is down.

        Raises:
            SecretMissingError: A secret outside of Prefect is missing; that does not mend itself.
        """
        problems = await self.read()
        local = [one for one in problems if "Prefect block" not in one]
        if local:
            raise SecretMissingError(" ".join(local))
        return problems


async def _read(origin: SecretOrigin) -> SecretStr:
    if origin.command:
        return await CommandToken(origin.command).read()
    text = await _text(origin)
    if not text:
        raise SecretMissingError(f"{origin.name[:1].upper()}{origin.name[1:]} holds no secret.")
    return SecretStr(text)


async def _text(origin: SecretOrigin) -> str:
    if origin.environment:
        return os.environ.get(origin.environment, "").strip()
    if origin.keyring:
        import keyring
        from keyring.errors import KeyringError

        try:
            return await asyncio.to_thread(keyring.get_password, _SERVICE, origin.keyring) or ""
        except KeyringError as error:
            raise SecretMissingError(f"The keyring does not give {origin.name}: {error}.") from None
    return await _block(origin)


async def _block(origin: SecretOrigin) -> str:
    from prefect.blocks.system import Secret

    try:
        block: Any = await Secret.aload(origin.block or "")
    # Prefect raises what it likes, from a missing block to a server that is down; each means the same here.
    except Exception as error:  # noqa: BLE001
        raise SecretMissingError(f"{origin.name} cannot be read ({type(error).__name__}).") from None
    return str(block.get()).strip()
