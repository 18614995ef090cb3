"""`coolify backup` as an operator runs it: a real PostgreSQL, real dumps, a real bucket."""

import pytest

from coolify.release import Outcome

# Several processes and servers each: a busy machine takes minutes for what it does in seconds.
pytestmark = pytest.mark.timeout(400)


async def test_a_backup_is_made_proved_listed_and_restored(backed_up_in_prefect, coolify, prefect_server) -> None:
    backed_up = backed_up_in_prefect
    with_prefect = prefect_server.environment
    planned = await coolify("backup", "configure", "--dry-run", "--json", **with_prefect)
    assert planned.json["time_zone"] == "UTC"
    assert [(one["name"], one["change"]) for one in planned.json["schedules"]] == [("nightly", "unchanged")]

    made = await coolify("backup", "run", "--local", "--json", **with_prefect)
    assert made.code == 0, made.text
    assert [one["name"] for one in made.json["findings"]] == ["backup-good"]
    (key,) = backed_up.bucket.keys()

    proved = await coolify("backup", "verify", "--local", "--json", **with_prefect)
    assert proved.code == 0, proved.text
    (point,) = proved.json["points"]
    assert (point["proved"], point["whole"], point["place"]) == (True, True, key)

    listed = await coolify("backup", "list", "--proofs", "--json", **with_prefect)
    assert listed.code == 0, listed.text
    (database,) = listed.json
    assert [(one["storage"], one["key"], one["good"]) for one in database["backups"]] == [("offsite", key, True)]
    assert database["restore_points"][0]["execution"] == database["backups"][0]["uuid"]

    plan = await coolify("backup", "restore-plan", "main", "--proofs", **with_prefect)
    assert plan.code == 0, plan.text
    uuid, password = str(backed_up.row.uuid), str(backed_up.row["postgres_password"])
    assert f"aws s3 cp s3://{backed_up.bucket.name}/{key} " in plan.stdout
    assert f"docker exec -i {uuid} pg_restore" in plan.stdout
    assert "Its restore was seen" in plan.stdout
    assert point["sha256"] in plan.stdout
    for done in (made, proved, listed, plan):
        assert "bucket-secret" not in done.text
        assert password not in done.text


async def test_a_dump_is_restored_into_a_database_whose_name_was_typed(backed_up, coolify) -> None:
    assert (await backed_up.back_up()).good
    await backed_up.psql("CREATE DATABASE empty")
    into = ("backup", "restore", "main", "--to", "${TO}")
    url = f"postgresql://shop:very-secret@/empty?host={backed_up.server.socket}"
    wrong = await coolify(*into, TO=url, stdin="shop\n")
    assert wrong.code == 2
    assert "not the name" in wrong.text
    assert await backed_up.psql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database="empty") == "0\n"
    restored = await coolify(*into, TO=url, stdin="empty\n")
    assert restored.code == 0, restored.text
    assert await backed_up.psql("SELECT count(*) FROM customers", database="empty") == "500\n"
    twice = await coolify(*into, "--yes", TO=url)
    assert twice.code == 1
    assert "holds tables" in twice.text
    replaced = await coolify(*into, "--yes", "--clean", "--json", TO=url)
    assert replaced.code == 0, replaced.text
    assert replaced.json["tables"] == ["public.customers"]
    other = await coolify("backup", "restore", "main", "--to", "mysql://host/name", "--yes")
    assert other.code == 2
    for done in (wrong, restored, twice, replaced):
        assert "very-secret" not in done.text

    # What the bucket has lost is no backup any more.
    (key,) = backed_up.bucket.keys()
    backed_up.bucket.client.delete_object(Bucket=backed_up.bucket.name, Key=key)
    listed = await coolify("backup", "list")
    assert listed.code == 1
    assert f"the bucket has no object {key}" in listed.text
    told = await coolify(*into, "--yes", TO=url)
    assert told.code == 1
    assert "There is no good backup of main." in told.text
    plan = await coolify("backup", "restore-plan", "main", "--backup", "nothing")
    assert plan.code == 1
    assert "No backup of main begins with 'nothing'" in plan.text


async def test_backups_without_schedules_are_a_mistake_of_the_call(shop, coolify) -> None:
    done = await coolify("backup", "configure")
    assert done.code == 2
    assert "no schedules in `backups`" in done.text
    done = await coolify("backup", "list", "main")
    assert done.code == 1
    assert "has no database 'main'" in done.text


async def test_application_and_database_come_back_from_the_file_and_the_bucket(backed_up, coolify, tmp_path) -> None:
    shop = backed_up.shop
    # The application says what the database holds: it has got the connection as a variable.
    backed_up.shop.configure(env={"GREETING": "Hello", "DATABASE_URL": "${databases.main.url}"})

    async def release_it() -> None:
        report = await backed_up.release()
        assert report.outcome is Outcome.COMPLETED, report.reason

    await release_it()
    assert (await backed_up.back_up()).good
    (key,) = backed_up.bucket.keys()
    old = str(backed_up.row.uuid)

    # The disaster: everything in Coolify is deleted, data included.
    gone = await coolify("project", "delete", "shop", "--delete-volumes", "--yes")
    assert gone.code == 0, gone.text
    assert shop.sandbox.state.all("database postgresql") == []
    assert shop.sandbox.state.all("application") == []

    # Neither Coolify nor Prefect is asked for what lies in the bucket, and whether it is good.
    listed = await coolify("backup", "list", "main", "--bucket", "--json", COOLIFY_TOKEN=None)
    assert [(one["database"], one["key"]) for one in listed.json] == [("main", key)]
    proved = await coolify("backup", "verify", "main", "--object", key, "--json", COOLIFY_TOKEN=None)
    assert proved.code == 0, proved.text
    assert proved.json["proved"]
    copied = tmp_path / "copied.dmp"
    copied.write_bytes(backed_up.bucket.read(key)[:-200])
    bad = await coolify("backup", "verify", "main", "--file", str(copied), COOLIFY_TOKEN=None)
    assert bad.code == 1
    assert "not proved" in bad.text
    unnamed = await coolify("backup", "verify", "--file", str(copied))
    assert unnamed.code == 2
    assert "there is main" in unnamed.text

    await release_it()
    assert await shop.version() == "1.0.0"
    assert str(backed_up.row.uuid) != old
    steps = await coolify("backup", "restore-plan", "main", "--object", key, "--json")
    assert steps.code == 0, steps.text
    assert str(backed_up.row.uuid) in str(steps.json["steps"])
    url = f"postgresql://shop@/shop?host={backed_up.server.socket}"
    restored = await coolify("backup", "restore", "main", "--object", key, "--to", "${TO}", "--yes", TO=url)
    assert restored.code == 0, restored.text
    assert await backed_up.psql("SELECT count(*) FROM customers") == "500\n"
    assert (await backed_up.back_up()).good
