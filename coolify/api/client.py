"""The client of one Coolify server: all resource groups over one transport."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from coolify.api.applications import Applications, Variables
from coolify.api.capabilities import Capabilities, CoolifyVersion
from coolify.api.deployments import Deployments
from coolify.api.errors import ApiError, MissingAbilityError, PermissionDeniedError
from coolify.api.inventory import Environments, PrivateKeys, Projects, Teams
from coolify.api.memory import Memory
from coolify.api.models import Ability, Access
from coolify.api.rarer_groups import RarerGroups
from coolify.api.token import TokenSource
from coolify.api.transport import RateBudget, RetryPolicy, Timeouts, Transport

__all__ = ["CoolifyClient"]


class CoolifyClient(RarerGroups):
    """Asynchronous client of Coolify's HTTP API; an asynchronous context manager.

    Args:
        base_url: Address of Coolify, with or without `/api`.
        token: Where the API token comes from.
        ca_file: CA certificates to trust besides the system's.
        timeouts: Limits of one request.
        retry: How idempotent requests are repeated.
        transport: Replacement for the network, for tests.
        sleep: Replacement for waiting, for tests.
    """

    def __init__(
        self,
        base_url: str,
        token: TokenSource,
        *,
        ca_file: Path | None = None,
        timeouts: Timeouts | None = None,
        retry: RetryPolicy | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._transport = Transport(
            base_url, token, ca_file=ca_file, timeouts=timeouts, retry=retry, transport=transport, sleep=sleep
        )
        self._capabilities: Capabilities | None = None
        self.memory = Memory()
        """What was found out in this run and need not be asked again."""
        self.teams = Teams(self._transport)
        self.projects = Projects(self._transport)
        self.environments = Environments(self._transport, self.capabilities)
        self.private_keys = PrivateKeys(self._transport)
        self.applications = Applications(self._transport, self.environments, self.capabilities)
        self.variables = Variables(self._transport)
        self.deployments = Deployments(self._transport, self.capabilities, sleep)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    @property
    def base_url(self) -> str:
        """Address of the server without `/api/v1`."""
        return self._transport.base_url

    @property
    def budget(self) -> RateBudget:
        """What is left of the request budget."""
        return self._transport.budget

    async def health(self) -> bool:
        """Return whether the server is up; needs no token and works while the API is disabled."""
        return await self._transport.get_text("/health", authenticated=False) == "OK"

    async def version(self) -> CoolifyVersion:
        """Return the server's version; the answer is plain text (trap 30)."""
        return CoolifyVersion(await self._transport.get_text("/version"))

    async def capabilities(self) -> Capabilities:
        """Return what the server can do; asked once, a version does not change within a run.

        Raises:
            UnsupportedVersionError: The server is too old, or is no Coolify.
        """
        if self._capabilities is None:
            self._capabilities = Capabilities(await self.version())
        return self._capabilities

    async def access(self) -> Access:
        """Find out team and abilities of the token with requests that change nothing (reference 0.5); asked once.

        Raises:
            MissingAbilityError: The token may not even read.
            CoolifyError: The server cannot be reached, refuses the token or is too old.
        """
        return await self.memory.once("access", self._find_access)

    async def _find_access(self) -> Access:
        capabilities = await self.capabilities()
        team = await self.teams.current()
        deploy, write, sensitive = await asyncio.gather(
            self._may("/deploy", None), self._may("/projects", {"x": 1}), self._sees_sensitive_fields()
        )
        abilities = {Ability.READ}
        abilities |= {Ability.DEPLOY} if deploy else set()
        abilities |= {Ability.WRITE} if write else set()
        abilities |= {Ability.READ_SENSITIVE} if sensitive else set()
        unknown = {Ability.READ_SENSITIVE} if sensitive is None else set()
        return Access(
            version=capabilities.version, team=team, abilities=frozenset(abilities), unknown=frozenset(unknown)
        )

    async def _may(self, path: str, body: dict[str, int] | None) -> bool:
        """Send a request that is invalid on purpose: 403 comes before the body is looked at."""
        try:
            await self._transport.post_once(path, body)
        except MissingAbilityError:
            return False
        except PermissionDeniedError:
            raise
        except ApiError:
            return True
        return True

    async def _sees_sensitive_fields(self) -> bool | None:
        """Look whether a hidden field is shown; None where nothing is there that has one."""
        keys = await self._transport.get("/security/keys")
        return "private_key" in keys[0] if keys else None
