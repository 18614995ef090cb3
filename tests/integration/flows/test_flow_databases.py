"""Databases of every engine are made, started and connected; nothing is made twice, and nothing is ever wiped."""

import pytest

from coolify.config.databases import IMAGES
from coolify.databases import connection_parts
from coolify.engines import DatabaseEngine
from flows.set_up_databases import set_up_databases
from tasks.session import Target
from tests.integration.robustness.bare import bare_flows

pytestmark = pytest.mark.timeout(300)


async def test_all_eight_engines_are_made_once_with_version_limits_and_a_connection(shop) -> None:
    sections = {
        engine.value: {"engine": engine.value, "version": "latest", "resources": {"memory": "1Gi", "cpu": 1}}
        for engine in DatabaseEngine
    }
    target = Target(config=str(shop.configure(databases=sections)))
    with bare_flows():
        ready = await set_up_databases(target)
        again = await set_up_databases(target)
    assert len(ready) == 8
    assert {one.status for one in ready} == {"running:healthy"}
    assert again == ready
    assert sum(path.startswith("/databases/") for path in shop.requests("POST")) == 2 * 8  # made, started
    assert shop.requests("DELETE") == []
    passwords = set()
    async with shop.client() as client:
        for one in ready:
            database = await client.databases.get(one.uuid)
            assert database.image == f"{IMAGES[database.engine]}:latest"
            assert (database.limits_memory, database.limits_cpus) == ("1g", "1")
            assert not database.is_public
            parts = connection_parts(one.key, database)
            assert parts["host"] == one.uuid
            assert len(parts["password"]) == 64
            passwords.add(parts["password"])
    assert len(passwords) == 8
