"""Databases and their backups in the configuration file."""

from pathlib import Path

import pytest

from coolify.config import ConfigError, load_config, resolve_variables

BASE = "server: https://coolify.example.com\nproject: {name: shop}\n"
STORAGE = "storages: {s: {endpoint: 'https://s3.example.com', bucket: shop-backups, key: '${K}', secret: '${S}'}}"
MYSQL = "databases: {a: {engine: mysql}}\n"
CONNECTION = {"main": {"url": "postgres://shop:hidden@abc:5432/shop", "host": "abc", "password": "hidden"}}


def load(text: str):
    return load_config(Path(".coolify/config.yml"), text=BASE + text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("databases: {main: {engine: oracle}}", "must be one of"),
        ("databases: {main: {engine: redis, database: shop}}", "`database` cannot be set for redis"),
        ("databases: {main: {engine: mysql, version: '8', image: 'mysql:8'}}", "either `version` or `image`"),
        ("databases: {main: {engine: mysql, public_port: 80}}", "at least 1024"),
        ("backups: {schedules: {n: {database: other}}}", "names the database 'other'"),
        ("env: {URL: '${databases.other.url}'}", "names the database 'other'"),
        (MYSQL + "backups: {schedules: {n: {database: a, storage: x}}}", "not in `storages`"),
        (MYSQL + "backups: {schedules: {n: {database: a, frequency: often}}}", "cron"),
        (MYSQL + "backups: {schedules: {n: {database: a, frequency: 61 * * * *}}}", "0 to 59"),
        (
            MYSQL + "backups: {schedules: {n: {database: a, frequency: weekly, preset: grandfather-father-son}}}",
            "needs a time of the day",
        ),
        ("backups: {volumes: {uploads: {}}}", "not in `resources.volumes`"),
        ("backups: {volumes: {data: {database: other}}}", "names the database 'other'"),
        (MYSQL + "backups: {volumes: {a: {database: a}}}", "has the name of a database"),
        (MYSQL + "backups: {volumes: {data: {database: a, storage: x}}}", "not in `storages`"),
        ("release: {backup_before: true}", "needs a schedule"),
        (
            MYSQL + "backups: {schedules: {n: {database: a}}}\nrelease: {backup_before: true}",
            "`backups.schedules.n` lie beside the database, cannot be fetched",
        ),
        ("backups: {" + STORAGE.replace("${S}", "hunter2hunter2") + "}", "must not hold the secret itself"),
    ],
)
def test_what_cannot_work_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        load(text)
    assert "hunter2" not in str(refused.value)


def test_a_version_is_the_tag_of_the_engines_image() -> None:
    databases = load(
        "databases: {a: {engine: postgresql, version: 17}, b: {engine: keydb, image: 'my/keydb:1'}}"
    ).databases
    assert (databases["a"].whole_image, databases["b"].whole_image) == ("postgres:17", "my/keydb:1")
    assert load("databases: {a: {engine: postgresql}}").databases["a"].whole_image is None


def test_a_connection_is_put_in_when_it_is_known_and_never_before() -> None:
    config = load(
        "databases: {main: {engine: postgresql}}\n"
        "env: {DATABASE_URL: '${databases.main.url}?sslmode=disable', HOST: '${databases.main.host}', PLAIN: x}"
    )
    before = {one.key: one for one in resolve_variables(config, {})}
    assert before["DATABASE_URL"].awaits == ("main",)
    assert before["PLAIN"].awaits == ()
    after = {one.key: one for one in resolve_variables(config, {}, CONNECTION)}
    assert after["DATABASE_URL"].value.get_secret_value() == CONNECTION["main"]["url"] + "?sslmode=disable"
    assert after["HOST"].value.get_secret_value() == "abc"
    assert not any(one.awaits for one in after.values())
    assert "hidden" not in repr(after)


def test_a_reference_to_a_password_of_a_database_is_no_secret_in_clear() -> None:
    load("databases: {main: {engine: postgresql}}\nenv: {DATABASE_PASSWORD: '${databases.main.password}'}")
