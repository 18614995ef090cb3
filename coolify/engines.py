"""The database engines that Coolify can run."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["DatabaseEngine"]


class DatabaseEngine(StrEnum):
    """What Coolify can run; the value is the last segment of the create path."""

    POSTGRESQL = "postgresql"
    MYSQL = "mysql"
    MARIADB = "mariadb"
    MONGODB = "mongodb"
    REDIS = "redis"
    KEYDB = "keydb"
    DRAGONFLY = "dragonfly"
    CLICKHOUSE = "clickhouse"

    @property
    def has_backups(self) -> bool:
        """Whether Coolify schedules backups of it; the others answer 422."""
        return self not in {DatabaseEngine.REDIS, DatabaseEngine.KEYDB, DatabaseEngine.DRAGONFLY}
