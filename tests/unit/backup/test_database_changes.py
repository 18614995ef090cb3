"""What has to happen to databases, decided without a server."""

import base64

import pytest

from coolify.api.databases import Database
from coolify.config import load_config
from coolify.databases import difference_findings, plan_databases, public_port_findings, status_findings

CONFIG = """
server: https://coolify.example.com
auth: {token: "${COOLIFY_TOKEN}"}
project: {name: shop}
databases:
  main:
    engine: postgresql
    resources: {memory: 1Gi}
    conf: max_connections = 200
  cache:
    engine: redis
"""


@pytest.fixture
def config(tmp_path):
    return load_config(tmp_path / "config.yml", text=CONFIG)


def database(engine: str, **fields) -> Database:
    facts = {"uuid": "u", "name": "n", "database_type": f"standalone-{engine}", "status": "running:healthy"}
    return Database.model_validate(facts | fields)


def as_configured(**fields) -> Database:
    conf = base64.b64encode(b"max_connections = 200\n").decode()
    return database("postgresql", limits_memory="1g", postgres_conf=conf, **fields)


def test_what_is_missing_is_created_what_stands_still_is_started_and_the_rest_is_left_alone(config) -> None:
    changes = plan_databases(config, {"main": as_configured()})
    assert [(one.key, one.kind) for one in changes] == [("main", "unchanged"), ("cache", "create")]
    (main, cache) = plan_databases(config, {"main": as_configured(status="exited"), "cache": database("redis")})
    assert (main.kind, cache.kind) == ("start", "unchanged")
    assert str(cache) == "database shop-cache (redis)"


def test_settings_that_differ_are_named_and_nothing_else_is_written(config) -> None:
    (main, cache) = plan_databases(
        config, {"main": database("postgresql", limits_memory="512m"), "cache": database("redis", is_public=True)}
    )
    assert main.settings.model_fields_set == {"limits_memory", "conf"}
    assert cache.settings.model_dump(exclude_unset=True) == {"is_public": False}
    assert [one.subject for one in difference_findings((main, cache))] == ["main", "cache"]


def test_a_database_is_only_healthy_when_coolify_calls_it_so(config) -> None:
    found = {"main": as_configured(status="running:unhealthy")}
    assert [one.name for one in status_findings(config, found)] == ["database-not-healthy", "database-missing"]
    assert public_port_findings(config) == ()
