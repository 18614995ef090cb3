"""The steps of a real restore: for every engine, in order, to be pasted as they stand."""

import os
import re
import subprocess
from datetime import UTC, datetime

import pytest

from coolify.backup.restore_plan import RestoreSubject, restore_steps
from coolify.engines import DatabaseEngine

KEY = "data/coolify/backups/databases/root-team-0/shop-main-u1/pg-dump-shop-1764064800.dmp"


def subject(engine=DatabaseEngine.POSTGRESQL, **changes) -> RestoreSubject:
    facts = {
        "application": "shop",
        "application_uuid": "app1",
        "database": "main",
        "database_uuid": "db1",
        "name": "shop",
        "user": "shopkeeper",
        "server": "https://coolify.example.com",
        "ssh": "root@192.0.2.10",
        "key": KEY,
        "path": KEY,
        "bucket": "shop-backups",
        "endpoint": "https://s3.example.com",
        "region": "eu",
        "key_variable": "S3_KEY",
        "secret_variable": "S3_SECRET",
        "sha256": "0f" * 32,
        "made": datetime(2026, 1, 1, tzinfo=UTC),
        "tables": ("orders",),
    }
    return RestoreSubject(engine=engine, **facts | changes)


def commands(wanted: RestoreSubject) -> list[str]:
    return [command for step in restore_steps(wanted) for command in step.commands]


@pytest.mark.parametrize("dump_all", [False, True])
@pytest.mark.parametrize("engine", DatabaseEngine)
def test_every_command_is_one_that_a_shell_takes(engine, dump_all) -> None:
    for command in commands(subject(engine, dump_all=dump_all)):
        done = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stderr}"


@pytest.mark.parametrize("engine", DatabaseEngine)
def test_what_is_there_is_saved_before_anything_is_replaced(engine) -> None:
    titles = [step.title for step in restore_steps(subject(engine))]
    assert titles[0].startswith("Stop the application")
    assert titles[1].startswith("Save what is there now")
    assert titles[2].startswith("Fetch the dump")
    assert titles[-1] == "Prove the next backup"


def test_the_dump_is_fetched_with_keys_from_the_environment_and_compared_with_what_was_proved() -> None:
    fetch = next(step for step in restore_steps(subject()) if step.title.startswith("Fetch"))
    copy, check = fetch.commands
    assert copy.startswith("AWS_ACCESS_KEY_ID=$S3_KEY AWS_SECRET_ACCESS_KEY=$S3_SECRET aws s3 cp ")
    assert f" s3://shop-backups/{KEY} ./pg-dump-shop-1764064800.dmp " in copy
    assert copy.endswith(" --endpoint-url https://s3.example.com --region eu")
    assert check == f"echo '{'0f' * 32}  ./pg-dump-shop-1764064800.dmp' | sha256sum --check"


def test_a_dump_on_the_server_is_fetched_by_ssh_and_an_application_that_is_gone_is_not_stopped() -> None:
    told = commands(subject(key=None, path="/data/x.dmp", application_uuid=None))
    assert "scp root@192.0.2.10:/data/x.dmp ./x.dmp" in told
    assert not any("/stop" in command for command in told)


def test_names_that_a_shell_would_read_otherwise_arrive_as_they_are(tmp_path) -> None:
    for name, script in (("ssh", 'shift; exec sh -c "$1"'), ("docker", 'printf "<%s>" "$@"')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    steps = restore_steps(subject(name="$(reboot)", user="a b"))
    (listing,) = next(step for step in steps if step.title.startswith("Compare")).commands
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(["bash", "-c", listing], capture_output=True, text=True, check=True, env={"PATH": path})
    assert "<-U><a b><-d><$(reboot)>" in done.stdout


def test_the_engines_own_tools_restore_and_passwords_stay_in_the_container() -> None:
    expected = {
        DatabaseEngine.POSTGRESQL: r"docker exec -i db1 pg_restore --clean --if-exists",
        DatabaseEngine.MYSQL: r"mysql -u root -p\"\$MYSQL_ROOT_PASSWORD\" shop",
        DatabaseEngine.MARIADB: r"mariadb -u root -p\"\$MARIADB_ROOT_PASSWORD\" shop",
        DatabaseEngine.MONGODB: r"mongorestore .*--gzip --archive",
        DatabaseEngine.CLICKHOUSE: r"RESTORE DATABASE shop FROM File",
        DatabaseEngine.REDIS: r"docker cp dump.rdb db1:/data/dump.rdb",
    }
    for engine, pattern in expected.items():
        assert any(re.search(pattern, command) for command in commands(subject(engine))), engine
