"""`coolify database`, and releases of applications that have one."""

import json

import pytest

from coolify.release import Outcome
from flows.release import ReleaseRequest, release
from tasks.session import Target

# Several processes and servers each: a busy machine takes minutes for what it does in seconds.
pytestmark = pytest.mark.timeout(400)

DATABASES = {"main": {"engine": "postgresql", "database": "shop", "user": "shop"}}


async def password_of(shop) -> str:
    (row,) = shop.sandbox.state.all("database postgresql")
    return str(row["postgres_password"])


async def test_databases_are_made_once_described_and_changed(shop, coolify, prefect_server) -> None:
    shop.configure(databases=DATABASES | {"cache": {"engine": "redis", "public_port": 16379}})
    missing = await coolify("database", "status", "main", "--json")
    assert missing.code == 1
    assert [one["name"] for one in missing.json] == ["database-missing"]
    dry = await coolify("database", "init", "--dry-run")
    assert dry.code == 0, dry.text
    assert "create database shop-main (postgresql)" in dry.text
    assert "from everywhere at port 16379" in dry.text
    assert shop.sandbox.state.all("database postgresql") == []
    refused = await coolify("database", "init", "--no-input")
    assert refused.code == 2
    assert "--yes" in refused.text

    done = await coolify("database", "init", "--yes", "--json", **prefect_server.environment)
    assert done.code == 0, done.text
    assert [(one["key"], one["change"], one["status"]) for one in done.json] == [
        ("cache", "create", "running:healthy"),
        ("main", "create", "running:healthy"),
    ]
    again = await coolify("database", "init", "--json")
    assert {one["change"] for one in again.json} == {"unchanged"}
    status = await coolify("database", "status", "--json")
    assert status.code == 0
    assert [one["name"] for one in status.json] == [
        "database-healthy",
        "database-public-port",
        "database-healthy",
    ]
    assert await password_of(shop) not in done.text + again.text + status.text + dry.text

    shop.configure(databases={"main": DATABASES["main"] | {"resources": {"memory": "1Gi"}}})
    status = await coolify("database", "status", "--json")
    assert [one["name"] for one in status.json] == ["database-healthy", "database-differs"]
    (action,) = [one for one in (await coolify("plan", "--json")).json["actions"] if one["resource"] == "database"]
    assert (action["kind"], action["after"]) == ("update", "limits_memory 1g")
    done = await coolify("database", "init", "--yes", "--json", **prefect_server.environment)
    assert done.json[0]["fields"] == ["limits_memory"]
    assert (await coolify("database", "list", "--json")).json[0]["change"] == "unchanged"
    (row,) = shop.sandbox.state.all("database postgresql")
    assert row["limits_memory"] == "1g"


async def test_a_database_that_is_not_described_is_a_mistake_of_the_call(shop, coolify) -> None:
    done = await coolify("database", "init")
    assert done.code == 2
    assert "no section `databases`" in done.text
    shop.configure(databases=DATABASES)
    done = await coolify("database", "status", "other")
    assert done.code == 2
    assert "there is main" in done.text


async def test_a_release_makes_the_database_and_hands_its_connection_to_the_application(shop, in_prefect) -> None:
    shop.configure(databases=DATABASES, env={"DATABASE_URL": "${databases.main.url}", "PLAIN": "x"})

    async def go():
        state = await release(ReleaseRequest(target=Target(config=str(shop.config))), return_state=True)
        return await state.aresult(raise_on_failure=False)

    report = await go()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert [one.phase for one in report.phases][:3] == ["preflight", "set up project", "set up databases"]
    async with shop.client() as client:
        (database,) = await client.databases.list()
        (application,) = await client.applications.list()
        variables = {one.key: one.value for one in await client.variables.list(application.uuid)}
        assert variables["DATABASE_URL"] == database.internal_db_url
    password = await password_of(shop)
    assert password in database.internal_db_url.get_secret_value()
    assert password not in report.model_dump_json()
    assert password not in json.dumps(await everything_prefect_knows(), default=str)

    report = await go()
    assert report.outcome is Outcome.COMPLETED, report.reason
    assert not report.deployed


async def everything_prefect_knows() -> list[object]:
    """Parameters of runs, artifacts, and the data of blocks, secret ones obfuscated."""
    from prefect.client.orchestration import get_client

    async with get_client() as client:
        runs = await client.read_flow_runs()
        artifacts = await client.read_artifacts()
        blocks = await client.read_block_documents(include_secrets=False)
        return [
            *(one.model_dump() for one in runs),
            *(one.model_dump() for one in artifacts),
            *(one.model_dump() for one in blocks),
        ]
