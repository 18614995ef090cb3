"""What one look at a Coolify server tells about all of its applications, with as few requests as it takes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from coolify.api import Application, CoolifyClient, Feature, Server
from coolify.api.models import Deployment
from coolify.config import Config
from coolify.dns.once import Once
from coolify.errors import OperatorError
from coolify.exhaustion import DiskUse, disk_use

__all__ = ["Allowance", "Instance", "NotThisTimeError", "read_instance"]

_BASE: Final = 5
"""Requests that every run sends, and a repetition or two."""
_FOR_OTHERS: Final = 40
"""Requests of the server's minute that are left for releases and people."""


class NotThisTimeError(OperatorError):
    """The requests of this run are used up; the next one goes on."""


@dataclass
class Allowance:
    """How many requests one run may send to a server, of the 200 a minute that all users of a token share."""

    left: int

    def take(self, number: int) -> bool:
        """Take requests, all of them or none; return whether they were there."""
        if number > self.left:
            return False
        self.left -= number
        return True


@dataclass
class Instance:
    """A Coolify server as it was seen at the beginning of a run."""

    client: CoolifyClient
    allowance: Allowance
    servers: tuple[Server, ...]
    applications: tuple[Application, ...]
    running: tuple[Deployment, ...]
    _places: Once[dict[int, tuple[str, str]]] = field(default_factory=Once)
    _listed: Once[dict[str, str]] = field(default_factory=Once)

    def by_uuid(self, uuid: str | None) -> Application | None:
        """Return an application of the list."""
        return next((one for one in self.applications if one.uuid == uuid), None)

    def is_deploying(self, application: Application) -> bool:
        """Return whether a deployment of an application is queued or runs (its URL names it: reference 4.3)."""
        mark = f"/application/{application.uuid}/"
        return any(mark in (one.deployment_url or "") for one in self.running)

    def server_of(self, application: Application) -> Server | None:
        """Return the server that an application runs on."""
        return next((one for one in self.servers if one.uuid == application.server_uuid), None)

    async def disk_of(self, server: Server) -> DiskUse | None:
        """Return how full the disk of a server was when Coolify measured it last, None where it does not tell."""
        try:
            # Coolify before 4.3.0 tells nothing of it.
            if not (await self.client.capabilities()).supports(Feature.SERVER_ADMINISTRATION):
                return None
            self._need(1)
            return disk_use(await self.client.server_administration.cleanups(server.uuid), datetime.now(UTC))
        except OperatorError:
            return None

    async def find(self, config: Config, remembered: str | None) -> Application | None:
        """Return the application of a configuration, None where there is none.

        Costs nothing where its identifier is known, else a request for its project.

        Args:
            config: The application.
            remembered: Identifier from an earlier run.

        Raises:
            OperatorError: The server cannot be read, several have this name, or the requests are used up.
        """
        known = self.by_uuid(config.application.uuid) or self.by_uuid(remembered)
        if known is not None and (known.uuid == config.application.uuid or known.name == config.application_name):
            return known
        named = [one for one in self.applications if one.name == config.application_name]
        if not named:
            return None
        places = await self._environments_of(config)
        there = [one for one in named if places.get(one.environment_id or -1, ("", ""))[1] == config.environment]
        if len(there) > 1:
            raise OperatorError(
                f"There are {len(there)} applications named '{config.application_name}' in {config.project.name}, "
                f"{config.environment}: set application.uuid to the one that is meant."
            )
        return there[0] if there else None

    async def places(self) -> dict[int, tuple[str, str]]:
        """Return number of an environment -> names of project and environment, as far as the allowance goes."""
        if not self.allowance.take(1):
            return {}
        found: dict[int, tuple[str, str]] = {}
        for project in await self.client.projects.list():
            try:
                found |= await self._places_of(project.uuid)
            except NotThisTimeError:
                break
        return found

    async def _environments_of(self, config: Config) -> dict[int, tuple[str, str]]:
        uuid = config.project.uuid
        if uuid is None:
            projects = await self._projects()
            fitting = [one for one, name in projects.items() if name == config.project.name]
            if len(fitting) != 1:
                return {}
            uuid = fitting[0]
        return await self._places_of(uuid)

    async def _projects(self) -> dict[str, str]:
        """Return identifier -> name of all projects; asked once a run."""
        return await self._listed.get("projects", self._list_projects)

    async def _list_projects(self) -> dict[str, str]:
        self._need(1)
        return {one.uuid: one.name for one in await self.client.projects.list()}

    async def _places_of(self, project_uuid: str) -> dict[int, tuple[str, str]]:
        async def read() -> dict[int, tuple[str, str]]:
            self._need(1)
            project = await self.client.projects.get(project_uuid)
            return {one.id: (project.name, one.name) for one in project.environments if one.id is not None}

        return await self._places.get(project_uuid, read)

    def _need(self, requests: int) -> None:
        if not self.allowance.take(requests):
            raise NotThisTimeError("The requests of this run are used up; the next one goes on.")


async def read_instance(client: CoolifyClient, requests: int) -> Instance:
    """Return what there is: three requests, however many applications there are.

    Args:
        client: The server.
        requests: How many the whole run may send.

    Raises:
        OperatorError: It cannot be read.
    """
    servers, applications, running = await asyncio.gather(
        client.servers.list(), client.applications.list(), client.deployments.running()
    )
    left = requests - _BASE
    if client.budget.remaining is not None:
        left = min(left, client.budget.remaining - _FOR_OTHERS)
    return Instance(client, Allowance(max(0, left)), servers, applications, running)
