"""The resource groups of a server that few commands need: imported when they are used, so that reading stays fast."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING

from coolify.api.capabilities import Capabilities
from coolify.api.transport import Transport

if TYPE_CHECKING:
    from coolify.api.backups import Backups, S3Storages
    from coolify.api.databases import Databases
    from coolify.api.extras import ScheduledTasks, Storages, Tags
    from coolify.api.git_apps import GitApps
    from coolify.api.relocation import Relocation
    from coolify.api.server_administration import ServerAdministration
    from coolify.api.servers import Destinations, Servers
    from coolify.api.service_parts import ServiceParts
    from coolify.api.team import Instance, Notifications, Services, SharedVariables

__all__ = ["RarerGroups"]


class RarerGroups(ABC):
    """Resource groups over the transport of the client that inherits them."""

    _transport: Transport

    @abstractmethod
    async def capabilities(self) -> Capabilities:
        """Return what the server can do."""

    @cached_property
    def servers(self) -> Servers:
        """Servers that Coolify deploys to."""
        from coolify.api.servers import Servers

        return Servers(self._transport, self.capabilities)

    @cached_property
    def destinations(self) -> Destinations:
        """Networks of servers."""
        from coolify.api.servers import Destinations

        return Destinations(self._transport)

    @cached_property
    def storages(self) -> Storages:
        """Volumes and files of applications."""
        from coolify.api.extras import Storages

        return Storages(self._transport, self.capabilities)

    @cached_property
    def scheduled_tasks(self) -> ScheduledTasks:
        """Scheduled tasks of applications."""
        from coolify.api.extras import ScheduledTasks

        return ScheduledTasks(self._transport, self.capabilities)

    @cached_property
    def tags(self) -> Tags:
        """Tags of applications."""
        from coolify.api.extras import Tags

        return Tags(self._transport, self.capabilities)

    @cached_property
    def database_storages(self) -> Storages:
        """Volumes and files of databases."""
        from coolify.api.extras import Storages

        return Storages(self._transport, self.capabilities, "databases")

    @cached_property
    def database_tags(self) -> Tags:
        """Tags of databases."""
        from coolify.api.extras import Tags

        return Tags(self._transport, self.capabilities, "databases")

    @cached_property
    def service_storages(self) -> Storages:
        """Volumes and files of services."""
        from coolify.api.extras import Storages

        return Storages(self._transport, self.capabilities, "services")

    @cached_property
    def service_tags(self) -> Tags:
        """Tags of services."""
        from coolify.api.extras import Tags

        return Tags(self._transport, self.capabilities, "services")

    @cached_property
    def service_tasks(self) -> ScheduledTasks:
        """Scheduled tasks of services."""
        from coolify.api.extras import ScheduledTasks

        return ScheduledTasks(self._transport, self.capabilities, "services")

    @cached_property
    def service_parts(self) -> ServiceParts:
        """The containers that a service consists of."""
        from coolify.api.service_parts import ServiceParts

        return ServiceParts(self._transport, self.capabilities)

    @cached_property
    def relocation(self) -> Relocation:
        """Moving and cloning of resources."""
        from coolify.api.relocation import Relocation

        return Relocation(self._transport, self.capabilities)

    @cached_property
    def server_administration(self) -> ServerAdministration:
        """Proxy, agent, clean-up and resources of servers."""
        from coolify.api.server_administration import ServerAdministration

        return ServerAdministration(self._transport, self.capabilities)

    @cached_property
    def databases(self) -> Databases:
        """Databases of all engines."""
        from coolify.api.databases import Databases

        return Databases(self._transport, self.capabilities)

    @cached_property
    def backups(self) -> Backups:
        """Backup schedules and executions of databases."""
        from coolify.api.backups import Backups

        return Backups(self._transport)

    @cached_property
    def s3_storages(self) -> S3Storages:
        """Object storages for backups."""
        from coolify.api.backups import S3Storages

        return S3Storages(self._transport, self.capabilities)

    @cached_property
    def services(self) -> Services:
        """Services, which are several containers from one template."""
        from coolify.api.team import Services

        return Services(self._transport)

    @cached_property
    def shared_variables(self) -> SharedVariables:
        """Variables of team, project and environment."""
        from coolify.api.team import SharedVariables

        return SharedVariables(self._transport, self.capabilities)

    @cached_property
    def notifications(self) -> Notifications:
        """Notification channels of the team."""
        from coolify.api.team import Notifications

        return Notifications(self._transport, self.capabilities)

    @cached_property
    def git_apps(self) -> GitApps:
        """GitHub and GitLab apps."""
        from coolify.api.git_apps import GitApps

        return GitApps(self._transport, self.capabilities)

    @cached_property
    def instance(self) -> Instance:
        """Switches of the whole instance."""
        from coolify.api.team import Instance

        return Instance(self._transport, self.capabilities)
