"""What a Coolify version can do, as data (reference section 8)."""

from __future__ import annotations

import re
from enum import Enum
from functools import total_ordering
from typing import Final

from coolify.api.errors import UnsupportedVersionError

__all__ = ["FULL_SUPPORT", "MINIMUM", "Capabilities", "CoolifyVersion", "Feature"]

_VERSION = re.compile(r"^v?(\d+)\.(\d+)\.(\d+)(?:-beta\.(\d+)(?:\.(\d+))?)?")


@total_ordering
class CoolifyVersion:
    """A Coolify version; `4.0.0-beta.420.7` sorts below `4.0.0` (trap 30)."""

    def __init__(self, text: str) -> None:
        match = _VERSION.match(text.strip())
        if not match:
            raise UnsupportedVersionError(
                f"'{text[:40]}' is not a Coolify version: check that the address is Coolify's own."
            )
        major, minor, patch, beta, fix = (int(group) if group else None for group in match.groups())
        self.text = text.strip().removeprefix("v")
        # A release sorts after all of its betas.
        self._key = (major or 0, minor or 0, patch or 0, beta is None, beta or 0, fix or 0)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CoolifyVersion) and self._key == other._key

    def __lt__(self, other: CoolifyVersion) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"CoolifyVersion({self.text!r})"


MINIMUM: Final = CoolifyVersion("4.0.0")
FULL_SUPPORT: Final = CoolifyVersion("4.3.0")


class Feature(Enum):
    """Something that not every supported version has: first version, what it is, and what happens without it."""

    MOVE = ("4.2.0", "moving an application, a database or a service to another environment", "")
    CLONE = ("4.3.0", "cloning an application, a database or a service", "")
    SERVICE_PARTS = ("4.2.0", "single containers of a service, and their logs", "")
    DATABASE_HEALTH = ("4.1.2", "health checks of databases", "")
    ENVIRONMENT_UPDATE = ("4.3.0", "renaming an environment", "")
    FURTHER_SERVERS = ("4.3.0", "running an application on further servers", "")
    RESTART_LIMIT = ("4.3.0", "the limit of restarts and the address template of previews", "")
    TAGS = ("4.2.0", "tags", "")
    DATABASE_LOGS = ("4.2.0", "logs of databases", "")
    LOG_TIMES = ("4.2.0", "times in the logs of applications", "lines are shown without their times")
    POST_SWITCHES = (
        "4.2.0",
        "validating servers and switching the API by POST",
        "GET is used, which was the only way then",
    )
    RAILPACK = ("4.1.0", "the build pack railpack", "")
    DESTINATIONS = ("4.2.0", "listing the networks of a server", "the server's only network is used")
    GIT_PIN = (
        "4.2.0",
        "a deployment pinned to a commit",
        "the head of the branch is deployed, and a release says that a Git application cannot be rolled back",
    )
    APPLICATION_SETTINGS = (
        "4.2.0",
        "the settings block of an application (images to keep, grace period, previews, commit in the build)",
        "",
    )
    ROLLBACK = (
        "4.3.0",
        "rolling back to a kept image",
        "the earlier commit is pinned, built and deployed again (from 4.2.0)",
        "4.2.0",
    )
    S3_STORAGES = ("4.3.0", "S3 storages", "")
    VOLUME_BACKUPS = ("4.3.0", "backups of volumes", "")
    TASK_EXECUTION = ("4.3.0", "running a scheduled task at once", "")
    SHARED_VARIABLES = ("4.3.0", "shared variables", "")
    NOTIFICATIONS = ("4.3.0", "notification channels", "")
    SERVER_ADMINISTRATION = ("4.3.0", "proxy, agent, cleaning, log drains and tunnel of servers", "")
    GITLAB_APPS = ("4.3.0", "GitLab apps", "")
    NOINDEX_DOMAINS = ("4.3.0", "domains hidden from search engines", "")

    def __init__(self, since: str, title: str, without: str, replaced_since: str = "4.0.0") -> None:
        self.since = CoolifyVersion(since)
        self.title = title
        self.without = without
        """What is done instead on an older server; empty where the function is refused there."""
        self.replaced_since = CoolifyVersion(replaced_since)


class Capabilities:
    """What the connected server can do."""

    def __init__(self, version: CoolifyVersion) -> None:
        if version < MINIMUM:
            raise UnsupportedVersionError(
                f"Coolify {version} is too old: {MINIMUM} is the oldest supported version, {FULL_SUPPORT} the first "
                "with everything. Upgrade Coolify."
            )
        self.version = version

    def supports(self, feature: Feature) -> bool:
        """Return whether the server has the feature."""
        return self.version >= feature.since

    def require(self, feature: Feature) -> None:
        """Refuse what the server lacks.

        Raises:
            UnsupportedVersionError: It lacks the feature.
        """
        if not self.supports(feature):
            raise UnsupportedVersionError(
                f"Coolify {self.version} lacks {feature.title}: it needs {feature.since} or later. Upgrade Coolify."
            )
