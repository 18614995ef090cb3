"""The steps of a real restore, with the names of this project filled in. Text for a person in a bad night."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from coolify.engines import DatabaseEngine

__all__ = ["RestoreSubject", "Step", "restore_steps"]


@dataclass(frozen=True, slots=True)
class RestoreSubject:
    """What is restored, from where, and where to."""

    application: str
    application_uuid: str | None
    database: str
    database_uuid: str
    engine: DatabaseEngine | None
    """What runs the database; none for a volume."""
    name: str
    """Database inside of the server."""
    user: str
    server: str
    """Address of Coolify."""
    ssh: str
    """User and host of the machine that runs the container."""
    key: str | None
    """Object in the bucket, None for a dump that lies on the server only."""
    path: str
    """Path on the server."""
    bucket: str = ""
    endpoint: str = ""
    region: str = ""
    key_variable: str = ""
    secret_variable: str = ""
    sha256: str = ""
    made: datetime | None = None
    proved: datetime | None = None
    seconds: float | None = None
    dump_all: bool = False
    config: str = ".coolify/config.yml"
    tables: tuple[str, ...] = ()
    volume: str = ""
    """Name in Docker of the volume that is restored; empty for a dump of a database."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what, and the commands."""

    title: str
    commands: tuple[str, ...] = ()
    note: str = ""


_AUTHORISED: Final = "curl -fsS -X POST -H 'Accept: application/json' -H \"Authorization: Bearer $COOLIFY_TOKEN\""
_MONGO: Final = '-u "$MONGO_INITDB_ROOT_USERNAME" -p "$MONGO_INITDB_ROOT_PASSWORD"'
_UNSEEN: Final = "Not seen by us: only the structure of such an archive is checked."


def restore_steps(subject: RestoreSubject) -> tuple[Step, ...]:
    """Return the steps in order; every command can be pasted as it stands."""
    subject = replace(subject, name=shlex.quote(subject.name), user=shlex.quote(subject.user))
    # Names of objects are Coolify's: letters, digits, dots and hyphens.
    file = f"./{subject.path.rpartition('/')[2]}"
    config = shlex.quote(subject.config)
    return (
        *_stop(subject),
        _save_what_is_there(subject),
        _fetch(subject, file),
        _restore(subject, file),
        _compare(subject),
        Step(
            "Start the application and look at it from the outside",
            (f"coolify deploy start -c {config}", f"coolify health check -c {config}"),
        ),
        Step(
            "Prove the next backup",
            (
                f"coolify backup run {subject.database} -c {config}",
                f"coolify backup verify {subject.database} -c {config}",
            ),
        ),
    )


def _stop(subject: RestoreSubject) -> tuple[Step, ...]:
    if subject.application_uuid is None:
        return ()
    url = f"{subject.server}/api/v1/applications/{subject.application_uuid}/stop?docker_cleanup=false"
    title = "Stop the application, so that nobody writes while you restore"
    return (Step(title, (f"{_AUTHORISED} {shlex.quote(url)}",), "In Coolify: the application, button Stop."),)


def _save_what_is_there(subject: RestoreSubject) -> Step:
    if subject.volume:
        saved = f"{_beside(subject, 'tar -czf - -C /volume .', ':ro')} > before-restore.tar.gz"
    else:
        saved = f"docker exec {subject.database_uuid} {_dump_command(subject)} > before-restore.dump"
    title = "Save what is there now, broken or not: you may want to look at it later"
    # In the home of whoever logs in there, for nobody else to read.
    return Step(title, (_on_server(subject, f"umask 077; {saved}"),))


def _fetch(subject: RestoreSubject, file: str) -> Step:
    if subject.key is None:
        return Step(
            "Fetch the dump from the server: it lies there and nowhere else",
            (f"scp {subject.ssh}:{shlex.quote(subject.path)} {file}",),
            "Coolify's API has no download. If the server is gone, so is this backup.",
        )
    keys = f"AWS_ACCESS_KEY_ID=${subject.key_variable} AWS_SECRET_ACCESS_KEY=${subject.secret_variable}"
    place = f"--endpoint-url {subject.endpoint} --region {subject.region}"
    commands = [f"{keys} aws s3 cp s3://{subject.bucket}/{shlex.quote(subject.key)} {file} {place}"]
    if subject.sha256:
        checksum = shlex.quote(f"{subject.sha256}  {file}")
        commands.append(f"echo {checksum} | sha256sum --check")
    return Step("Fetch the dump from the bucket", tuple(commands))


def _restore(subject: RestoreSubject, file: str) -> Step:
    if subject.volume:
        return _unpack(subject, file)
    command = _restore_command(subject)
    if command is None:
        return Step(
            "Put the dump in the place of the data file",
            (
                _on_server(subject, f"docker stop {subject.database_uuid}"),
                f"scp {file} {subject.ssh}:dump.rdb",
                _on_server(subject, f"docker cp dump.rdb {subject.database_uuid}:/data/dump.rdb"),
                _on_server(subject, f"docker start {subject.database_uuid}"),
            ),
            "Where appendonly is on, switch it off for this start: Redis would read its other file.",
        )
    if subject.engine is DatabaseEngine.CLICKHOUSE:
        return Step(
            "Hand the archive to ClickHouse and restore it",
            (
                f"scp {file} {subject.ssh}:restore.zip",
                _on_server(subject, f"docker cp restore.zip {subject.database_uuid}:/tmp/restore.zip"),
                _on_server(subject, f"docker exec {subject.database_uuid} {command}"),
            ),
            _UNSEEN,
        )
    note = _UNSEEN if subject.engine is DatabaseEngine.MONGODB else ""
    restored = _on_server(subject, f"docker exec -i {subject.database_uuid} {command}")
    return Step("Restore it into the database", (f"{restored} < {file}",), note)


def _unpack(subject: RestoreSubject, file: str) -> Step:
    unpacked = _beside(subject, _in_shell("find /volume -mindepth 1 -delete && tar -xzpf - -C /volume"))
    commands = [f"{_on_server(subject, unpacked)} < {file}"]
    if subject.database_uuid:
        # Its files must not change under it.
        stop, start = (_on_server(subject, f"docker {verb} {subject.database_uuid}") for verb in ("stop", "start"))
        commands = [stop, *commands, start]
    return Step("Put the files of the archive in the place of those in the volume", tuple(commands))


def _compare(subject: RestoreSubject) -> Step:
    if subject.volume:
        return Step("Compare with what you expect", (_on_server(subject, _beside(subject, "ls -la /volume", ":ro")),))
    expected = f"Expected are at least: {', '.join(subject.tables)}." if subject.tables else ""
    asked = _on_server(subject, f"docker exec {subject.database_uuid} {_listing(subject)}")
    return Step("Compare with what you expect", (asked,), expected)


def _listing(subject: RestoreSubject) -> str:
    match subject.engine:
        case DatabaseEngine.POSTGRESQL:
            return f"psql -U {subject.user} -d {subject.name} -c '\\dt+'"
        case DatabaseEngine.MYSQL:
            return _in_shell(f'mysql -u root -p"$MYSQL_ROOT_PASSWORD" -e "SHOW TABLES" {subject.name}')
        case DatabaseEngine.MARIADB:
            return _in_shell(f'mariadb -u root -p"$MARIADB_ROOT_PASSWORD" -e "SHOW TABLES" {subject.name}')
        case DatabaseEngine.MONGODB:
            return _in_shell(f'mongosh {_MONGO} --eval "show dbs"')
        case DatabaseEngine.CLICKHOUSE:
            return "clickhouse-client -q 'SHOW TABLES'"
        case _:
            return _in_shell('redis-cli -a "$REDIS_PASSWORD" DBSIZE')


def _dump_command(subject: RestoreSubject) -> str:
    match subject.engine:
        case DatabaseEngine.POSTGRESQL:
            return f"pg_dump -Fc -U {subject.user} {subject.name}"
        case DatabaseEngine.MYSQL:
            return _in_shell(f'mysqldump -u root -p"$MYSQL_ROOT_PASSWORD" {subject.name}')
        case DatabaseEngine.MARIADB:
            return _in_shell(f'mariadb-dump -u root -p"$MARIADB_ROOT_PASSWORD" {subject.name}')
        case DatabaseEngine.MONGODB:
            return _in_shell(f"mongodump {_MONGO} --gzip --archive")
        case DatabaseEngine.CLICKHOUSE:
            return f"clickhouse-client -q \"BACKUP DATABASE {subject.name} TO File('/tmp/before-restore.zip')\""
        case _:
            return "cat /data/dump.rdb"


def _restore_command(subject: RestoreSubject) -> str | None:
    match subject.engine:
        case DatabaseEngine.POSTGRESQL if subject.dump_all:
            return _in_shell(f"gunzip -c | psql -U {subject.user} -d postgres")
        case DatabaseEngine.POSTGRESQL:
            return f"pg_restore --clean --if-exists --no-owner --no-acl -U {subject.user} -d {subject.name}"
        case DatabaseEngine.MYSQL if subject.dump_all:
            return _in_shell('gunzip -c | mysql -u root -p"$MYSQL_ROOT_PASSWORD"')
        case DatabaseEngine.MYSQL:
            return _in_shell(f'mysql -u root -p"$MYSQL_ROOT_PASSWORD" {subject.name}')
        case DatabaseEngine.MARIADB if subject.dump_all:
            return _in_shell('gunzip -c | mariadb -u root -p"$MARIADB_ROOT_PASSWORD"')
        case DatabaseEngine.MARIADB:
            return _in_shell(f'mariadb -u root -p"$MARIADB_ROOT_PASSWORD" {subject.name}')
        case DatabaseEngine.MONGODB:
            return _in_shell(f"mongorestore {_MONGO} --drop --gzip --archive")
        case DatabaseEngine.CLICKHOUSE:
            return f"clickhouse-client -q \"RESTORE DATABASE {subject.name} FROM File('/tmp/restore.zip')\""
        case _:
            return None


def _in_shell(command: str) -> str:
    """Let the container's own shell put in its passwords: they stay where they are."""
    return f"sh -c {shlex.quote(command)}"


def _beside(subject: RestoreSubject, command: str, mode: str = "") -> str:
    """Run a command in a container of its own that mounts the volume."""
    return f"docker run --rm -i -v {subject.volume}:/volume{mode} alpine {command}"


def _on_server(subject: RestoreSubject, command: str) -> str:
    return f"ssh {subject.ssh} {shlex.quote(command)}"
