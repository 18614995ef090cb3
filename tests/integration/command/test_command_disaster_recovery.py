"""A disaster recovery drill: everything is lost in a sandbox and comes back, and nothing real is touched."""

import shutil
import tempfile
from pathlib import Path

import pytest

# A whole drill: two releases, Prefect, three PostgreSQL servers. A busy machine takes minutes for it.
pytestmark = pytest.mark.timeout(600)

LOOK = """
import os, stat
from urllib.parse import unquote, urlsplit
folder = unquote(urlsplit(os.environ["DATABASE_URL"]).netloc.partition("@")[2])
assert stat.S_ISSOCK(os.stat(folder + "/.s.PGSQL.5432").st_mode)
assert os.environ["KEY"] == "drill", os.environ["KEY"]
assert os.environ["GREETING"] == "Hi"
assert "COOLIFY_TOKEN" not in os.environ
"""


@pytest.fixture
def reachable():
    """A temporary directory that the user whom PostgreSQL runs as can walk into."""
    directory = Path(tempfile.mkdtemp(prefix="dr-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


async def test_everything_is_lost_and_comes_back_and_nothing_real_is_touched(backed_up, coolify, reachable) -> None:
    shop, bucket = backed_up.shop, backed_up.bucket
    assert (await backed_up.back_up()).good
    (shop.directory / "look.py").write_text(LOOK)
    shop.configure(
        env={"DATABASE_URL": "${databases.main.url}", "KEY": "${API_KEY}", "GREETING": "${GREETING}"},
        release={
            "before": ["touch ran-here"],
            "after": [{"run": f"python3 {shop.directory / 'look.py'}", "where": "container"}],
        },
        domains=[{"primary": "shop.example.com"}, {"second": "www.example.com"}],
        health={"path": "/health", "successes": 2, "interval": 0.1, "container": {"enabled": False}},
    )
    keys, asked = bucket.keys(), len(shop.sandbox.app.state.faults.requests)
    rows = await backed_up.psql("SELECT count(*) FROM customers")

    repository = ("--repository", str(shop.repository.path))
    done = await coolify(
        "backup", "dr-test", *repository, "--json",
        # Neither a context nor a Prefect server of the real world is used, and no secret reaches the application.
        COOLIFY_CONTEXT="nowhere", PREFECT_API_URL="http://127.0.0.1:9/api", TMPDIR=str(reachable),
        API_KEY="very-secret-indeed", GREETING="Hello", DRILL_GREETING="Hi", seconds=400,
    )  # fmt: skip
    assert done.code == 0, done.text
    drill = done.json
    assert drill["good"]
    steps = {one["name"]: one for one in drill["steps"]}
    assert [name for name, one in steps.items() if one["recovery"]] == [
        "fetch the dumps",
        "create the databases",
        "restore main",
        "release the application",
    ]
    assert steps["delete everything, data included"]["note"].count("shop") == 2
    assert steps["restore main"]["note"].startswith("1 table")
    assert steps["release the application"]["note"] == "healthy at https://shop.example.com"
    recovery = sum(one["seconds"] for one in drill["steps"] if one["recovery"])
    assert drill["recovery_seconds"] == pytest.approx(recovery, abs=0.01)
    assert [one["key"] for one in drill["dumps"]] == keys
    assert [one["name"] for one in drill["findings"]] == ["restore-check-passed"]
    assert "hooks that run on this machine" in drill["left_out"]

    # The real world: Coolify was asked nothing, bucket and database are as they were, nothing is left on the disk.
    assert len(shop.sandbox.app.state.faults.requests) == asked
    assert bucket.keys() == keys
    assert await backed_up.psql("SELECT count(*) FROM customers") == rows
    assert not (shop.directory / "ran-here").exists()
    assert [one.name for one in reachable.iterdir() if one.name.startswith(("coolify-", "pg-"))] == []
    assert "very-secret-indeed" not in done.text


async def test_without_a_dump_there_is_nothing_to_recover_from(backed_up, coolify) -> None:
    done = await coolify("backup", "dr-test", "main")
    assert done.code == 1
    assert "✗" in done.stdout
    assert "No bucket of `backups.storages` has a dump of main" in done.text
    unnamed = await coolify("backup", "dr-test", "--object", "some/key")
    assert unnamed.code == 2
