"""The eight database engines: what a new database starts with (taken from answers of a real 4.3.11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["COMMON", "ENGINES", "Engine", "secret_fields"]

COMMON: Final[dict[str, Any]] = {
    "config_hash": None,
    "custom_docker_run_options": None,
    "deleted_at": None,
    "description": None,
    "destination_type": "App\\Models\\StandaloneDocker",
    "health_check_enabled": True,
    "health_check_interval": 15,
    "health_check_retries": 5,
    "health_check_start_period": 5,
    "health_check_timeout": 5,
    "is_log_drain_enabled": False,
    "is_public": False,
    "last_online_at": "2026-01-01 00:00:00",
    "last_restart_at": None,
    "last_restart_type": None,
    "limits_cpu_shares": 1024,
    "limits_cpus": "0",
    "limits_cpuset": None,
    "limits_memory": "0",
    "limits_memory_reservation": "0",
    "limits_memory_swap": "0",
    "limits_memory_swappiness": 60,
    "ports_mappings": None,
    "public_port": None,
    "public_port_timeout": 3600,
    "restart_count": 0,
    "started_at": None,
    "status": "exited:unhealthy",
}


@dataclass(frozen=True, slots=True)
class Engine:
    """One kind of database.

    `url` has the placeholders `{host}`, `{port}` and the names of the fields.
    """

    name: str
    image: str
    model: str
    port: int
    url: str
    volume: tuple[str, str]
    """Prefix of the volume's name, and where it is mounted."""
    fields: dict[str, Any]
    passwords: tuple[str, ...]
    backups: str | None
    """Field whose value is backed up where nothing else is said; None where there are no scheduled backups."""
    tells_url: bool = True
    """Whether the answer to the creation has the URL."""
    hidden: tuple[str, ...] = ()
    """Fields that are stored as variables and never shown among the attributes."""


_SSL: Final[dict[str, Any]] = {"enable_ssl": False}
_TIMESTAMPS: Final[dict[str, Any]] = {"is_include_timestamps": False}

ENGINES: Final = {
    engine.name: engine
    for engine in (
        Engine(
            "postgresql",
            "postgres:16-alpine",
            "StandalonePostgresql",
            5432,
            "postgres://{postgres_user}:{postgres_password}@{host}:{port}/{postgres_db}",
            ("postgres-data", "/var/lib/postgresql/data"),
            _SSL
            | _TIMESTAMPS
            | {
                "database_type": "standalone-postgresql",
                "init_scripts": None,
                "postgres_conf": None,
                "postgres_db": "postgres",
                "postgres_host_auth_method": None,
                "postgres_initdb_args": None,
                "postgres_user": "postgres",
                "ssl_mode": "require",
            },
            ("postgres_password",),
            "postgres_db",
        ),
        Engine(
            "mysql",
            "mysql:8",
            "StandaloneMysql",
            3306,
            "mysql://{mysql_user}:{mysql_password}@{host}:{port}/{mysql_database}",
            ("mysql-data", "/var/lib/mysql"),
            _SSL
            | _TIMESTAMPS
            | {
                "database_type": "standalone-mysql",
                "mysql_conf": None,
                "mysql_database": "default",
                "mysql_user": "mysql",
                "ssl_mode": "REQUIRED",
            },
            ("mysql_password", "mysql_root_password"),
            "mysql_database",
        ),
        Engine(
            "mariadb",
            "mariadb:11",
            "StandaloneMariadb",
            3306,
            "mysql://{mariadb_user}:{mariadb_password}@{host}:{port}/{mariadb_database}",
            ("mariadb-data", "/var/lib/mysql"),
            _SSL
            | {
                "database_type": "standalone-mariadb",
                "mariadb_conf": None,
                "mariadb_database": "default",
                "mariadb_user": "mariadb",
            },
            ("mariadb_password", "mariadb_root_password"),
            "mariadb_database",
        ),
        Engine(
            "mongodb",
            "mongo:7",
            "StandaloneMongodb",
            27017,
            "mongodb://{mongo_initdb_root_username}:{mongo_initdb_root_password}@{host}:{port}/?directConnection=true",
            ("mongodb-db", "/data/db"),
            _SSL
            | _TIMESTAMPS
            | {
                "database_type": "standalone-mongodb",
                "mongo_conf": None,
                "mongo_initdb_database": "default",
                "mongo_initdb_root_username": "root",
                "ssl_mode": "require",
            },
            ("mongo_initdb_root_password",),
            "",
        ),
        Engine(
            "redis",
            "redis:7.2",
            "StandaloneRedis",
            6379,
            "redis://default:{redis_password}@{host}:{port}/0",
            ("redis-data", "/data"),
            _SSL | _TIMESTAMPS | {"database_type": "standalone-redis", "redis_conf": None},
            ("redis_password",),
            None,
            hidden=("redis_password",),
        ),
        Engine(
            "clickhouse",
            "clickhouse/clickhouse-server:25.11",
            "StandaloneClickhouse",
            9000,
            "clickhouse://{clickhouse_admin_user}:{clickhouse_admin_password}@{host}:{port}/{clickhouse_db}",
            ("clickhouse-data", "/bitnami/clickhouse"),
            _TIMESTAMPS
            | {
                "clickhouse_admin_user": "default",
                "clickhouse_db": "default",
                "database_type": "standalone-clickhouse",
            },
            ("clickhouse_admin_password",),
            "clickhouse_db",
        ),
        Engine(
            "dragonfly",
            "docker.dragonflydb.io/dragonflydb/dragonfly",
            "StandaloneDragonfly",
            6379,
            "redis://:{dragonfly_password}@{host}:{port}/0",
            ("dragonfly-data", "/data"),
            _SSL | _TIMESTAMPS | {"database_type": "standalone-dragonfly"},
            ("dragonfly_password",),
            None,
            tells_url=False,
        ),
        Engine(
            "keydb",
            "eqalpha/keydb:latest",
            "StandaloneKeydb",
            6379,
            "redis://:{keydb_password}@{host}:{port}/0",
            ("keydb-data", "/data"),
            # The only one that does not tell its type.
            _SSL | _TIMESTAMPS | {"keydb_conf": None},
            ("keydb_password",),
            None,
        ),
    )
}


def secret_fields(engine: Engine) -> frozenset[str]:
    """Return the fields that vanish without `read:sensitive`."""
    return frozenset({"init_scripts", "internal_db_url", "external_db_url", *engine.passwords})
