"""The receiver over real sockets: what it answers, what it keeps, what it says."""

import asyncio
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest
from prefect.blocks.system import Secret
from pydantic import SecretStr

from coolify.webhooks import Change, Delivery, PushKind, WebhookProvider
from deployments.webhooks import forwarder
from deployments.webhooks.events import events_of
from deployments.webhooks.forwarder import Forwarder
from deployments.webhooks.settings import load_settings
from deployments.webhooks.spool import Spool, SpoolFailedError
from deployments.webhooks.vault import Vault
from tests.integration.command import documented_json
from tests.integration.webhooks.prefect_on_loopback import PrefectEvents, prefect_events
from tests.integration.webhooks.serving_webhooks import SECRET, github_headers, github_push, receiving, until

pytestmark = pytest.mark.timeout(240)
AWAY = "http://127.0.0.1:1/api"
"""Nobody listens there."""


@pytest.fixture
def prefect() -> PrefectEvents:
    return PrefectEvents()


async def test_a_genuine_push_is_accepted_once_and_told_to_prefect_with_its_labels(tmp_path, prefect) -> None:
    async with prefect_events(prefect) as api, receiving(tmp_path, api) as receiver:
        assert (await receiver.push(delivery="d1")).status_code == 202
        assert await until(lambda: prefect.stored)
        (event,) = prefect.stored.values()
        assert event["event"] == "coolify.git.push"
        assert event["resource"]["git.branch"] == "main"
        assert event["resource"]["git.repository"] == "example/shop"
        assert event["resource"]["coolify.skip"] == "no"
        assert event["payload"]["provider"] == "github"
        body = github_push(commit="c" * 40)
        for _ in range(2):
            answer = await receiver.post("/webhooks/github", body, github_headers(body, delivery="d2"))
            assert answer.status_code == 202
        # The identifier is not signed: another one does not make another push of it.
        assert (await receiver.post("/webhooks/github", body, github_headers(body))).status_code == 202
        await receiver.push(ref="refs/heads/last")
        await until(lambda: "last" in prefect.branches)
        assert prefect.branches == ["main", "main", "last"]
        assert len(prefect.taken) == 3


@pytest.fixture(scope="module")
def listening(tmp_path_factory):
    """One receiver for all tests that only look at its answers; Prefect is away, and two secrets are valid."""
    directory = tmp_path_factory.mktemp("receiver")
    kept = directory / "kept"
    kept.write_text("from-a-command\n")
    names = ("github", "gitlab", "dockerhub", "harbor")
    secrets = "[{environment: COOLIFY_WEBHOOK_SECRET}, {environment: COOLIFY_WEBHOOK_SECRET_OLD}]"
    sources = "".join(f"  {name}:\n    secrets: {secrets}\n" for name in names)
    shop = f"  shop:\n    provider: github\n    secrets: [{{command: [cat, {kept}]}}]\n"
    settings = directory / "webhooks.yml"
    settings.write_text(f"sources:\n{sources}{shop}")
    with asyncio.Runner() as runner:
        context = receiving(
            directory, AWAY, "--body-limit", "1", "--settings", str(settings), COOLIFY_WEBHOOK_SECRET_OLD="the-old-one"
        )
        yield runner.run(context.__aenter__())
        runner.run(context.__aexit__(None, None, None))


async def test_strangers_learn_nothing(listening) -> None:
    body = github_push()
    genuine = github_headers(body)
    strangers = [
        await listening.post("/webhooks/github", body, github_headers(body, "guessed")),
        await listening.post("/webhooks/github", body, {}),
        await listening.post("/webhooks/github", body + b" ", genuine),
        await listening.post("/webhooks/nowhere", body, genuine),
        await listening.post("/webhooks/dockerhub/guessed", body, {}),
        await listening.post("/webhooks/harbor", b"no json", {"authorization": "guessed"}),
    ]
    assert {(one.status_code, one.content) for one in strangers} == {(401, b'{"status":"refused"}')}
    assert {tuple(sorted(one.headers)) for one in strangers} == {("content-length", "content-type", "date")}
    async with httpx.AsyncClient(base_url=listening.url, trust_env=False) as client:
        assert (await client.get("/")).status_code == 404
        assert (await client.get("/webhooks/github")).status_code == 405
        assert (await client.get("/health")).status_code == 200


async def test_hosts_learn_whether_their_delivery_is_of_use(listening) -> None:
    broken = b"no json"
    assert (await listening.post("/webhooks/github", broken, github_headers(broken))).status_code == 400
    ping = b'{"zen": "Keep it logically awesome."}'
    headers = github_headers(ping) | {"x-github-event": "ping"}
    assert (await listening.post("/webhooks/github", ping, headers)).status_code == 200


async def test_bodies_are_limited_and_of_a_known_type(listening) -> None:
    large = b"x" * (1024 * 1024 + 1)
    assert (await listening.post("/webhooks/github", large, github_headers(large))).status_code == 413
    address = urlsplit(listening.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    # Without a length, and without an end.
    writer.write(
        b"POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    for _ in range(17):
        writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    async with asyncio.timeout(60):
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.close()
    assert (await listening.post("/webhooks/github", b"hello", {"content-type": "text/plain"})).status_code == 415


async def test_two_secrets_are_valid_while_one_is_exchanged(listening) -> None:
    for secret, status in ((SECRET, 202), ("the-old-one", 202), ("neither", 401)):
        assert (await listening.push(secret=secret)).status_code == status


async def test_a_source_has_its_own_secret_which_a_command_may_print(listening) -> None:
    body = github_push()
    answers = [
        (await listening.post("/webhooks/shop", body, github_headers(body, secret))).status_code
        for secret in ("from-a-command", SECRET)
    ]
    assert answers == [202, 401]


async def test_no_secret_is_in_the_log_and_no_line_is_forged(listening) -> None:
    body = github_push()
    await listening.push(delivery="evil\x1b[31m id")
    await listening.post(f"/webhooks/dockerhub/{SECRET}", body, {})
    await listening.post(f"/webhooks/{SECRET}", body, {})
    await listening.post("/webhooks/harbor", body, {"authorization": SECRET})
    await listening.post("/webhooks/gitlab", body, {"x-gitlab-token": SECRET})
    log = listening.log.read_text()
    assert "evil??31m?id" in log
    assert "POST /webhooks/dockerhub 4" in log
    assert SECRET not in log
    assert "the-old-one" not in log
    assert "\x1b" not in log
    assert github_headers(body)["x-hub-signature-256"].removeprefix("sha256=") not in log


async def test_one_spool_has_one_receiver(listening) -> None:
    code, said = await asyncio.to_thread(_serve, "--spool", str(listening.log.parent / "spool"))
    assert code == 2
    assert "Another receiver uses the spool" in said


async def test_what_was_accepted_survives_the_receiver_and_waits_for_prefect(tmp_path, prefect) -> None:
    async with receiving(tmp_path, AWAY) as receiver:
        for number in range(5):
            assert (await receiver.push(ref=f"refs/heads/b{number}", delivery=f"d{number}")).status_code == 202
        os.kill(receiver.process.pid, signal.SIGKILL)
        await receiver.process.wait()
    _, said = await asyncio.to_thread(_status, "--json", "--spool", str(tmp_path / "spool"))
    told = json.loads(said)
    documented_json.check(("webhooks", "status"), told)
    assert told["waiting"] == 5
    async with prefect_events(prefect) as api, receiving(tmp_path, api) as receiver:
        await until(lambda: len(prefect.stored) == 5)
        # A redelivery of what was accepted by the process before.
        assert (await receiver.push(ref="refs/heads/b0", delivery="d0")).status_code == 202
        await receiver.push(ref="refs/heads/last")
        await until(lambda: "last" in prefect.branches)
    assert prefect.branches == ["b0", "b1", "b2", "b3", "b4", "last"]
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "spool" / "spool.sqlite").stat().st_mode) == 0o600


async def test_a_prefect_that_forgets_what_it_took_is_told_again_under_the_same_identifier(tmp_path) -> None:
    class Sink:
        """Prefect, as far as it remembers; nobody waits half a minute here."""

        def __init__(self):
            self.sent = []
            self.remembers = set()

        async def send(self, bodies):
            self.sent.append(list(bodies))

        async def stored(self, ids):
            return self.remembers & set(ids)

    sink, spool = Sink(), Spool(tmp_path / "spool")
    try:
        forward = Forwarder(spool, sink).forward
        await spool.accept("github", ["d1"], _events(2))
        assert await forward() == 2
        assert await forward() == 2
        assert len(sink.sent) == 1
        for sendings in (2, 3):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(forwarder, "_SEND_AGAIN", -1.0)
                await forward()
            assert len(sink.sent) == sendings
            assert sink.sent[-1] == sink.sent[0]
        first, second = [one.id for one in await spool.taken(10)]
        sink.remembers = {first}
        assert await forward() == 1
        # Prefect would not know it again a fourth time: that would be a second run.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(forwarder, "_SEND_AGAIN", -1.0)
            assert await forward() == 0
        assert len(sink.sent) == 3
        assert second
    finally:
        await spool.close()


def _events(number):
    changes = tuple(Change(kind=PushKind.TAG, addresses=("https://h/a/b",), ref=f"v{one}") for one in range(number))
    return events_of("github", WebhookProvider.GITHUB, Delivery("push", ("d1",), changes), datetime.now(UTC))


async def test_what_cannot_be_kept_is_not_accepted(tmp_path) -> None:
    spool = Spool(tmp_path / "spool")
    other = sqlite3.connect(tmp_path / "spool" / "spool.sqlite")
    try:
        await spool._run(lambda: spool._database.execute("PRAGMA busy_timeout = 0"))
        other.execute("BEGIN EXCLUSIVE")
        answers = await asyncio.gather(
            *(spool.accept("github", [f"d{one}"], []) for one in range(3)), return_exceptions=True
        )
        assert [type(one) for one in answers] == [SpoolFailedError] * 3
        other.rollback()
        assert await spool.accept("github", ["d0"], [])
        assert not await spool.accept("github", ["d0", "another"], [])
        # Whoever knows one key of a delivery has seen it whole.
        assert not await spool.accept("github", ["another"], [])
        assert await spool.accept("gitlab", ["d0"], [])
    finally:
        other.close()
        await spool.close()


async def test_a_secret_may_be_in_a_block_of_prefect(tmp_path, in_prefect) -> None:
    file = tmp_path / "webhooks.yml"
    file.write_text("sources:\n  pipeline:\n    provider: generic\n    secrets: [{block: webhook-pipeline}]\n")
    vault = Vault(load_settings(file, {}))
    (problem,) = await vault.read_first()
    assert "the Prefect block 'webhook-pipeline' cannot be read" in problem
    assert vault.of("pipeline") == ()
    await Secret(value=SecretStr("from-a-block")).save("webhook-pipeline")
    assert await vault.read() == ()
    assert vault.of("pipeline") == (SecretStr("from-a-block"),)


async def test_an_event_that_prefect_refuses_is_put_aside_and_holds_up_nobody(tmp_path, prefect) -> None:
    prefect.refuses = "poison"
    async with receiving(tmp_path, AWAY) as receiver:
        for branch in ("a", "poison", "b"):
            await receiver.push(ref=f"refs/heads/{branch}")
    async with prefect_events(prefect) as api, receiving(tmp_path, api) as receiver:
        await until(lambda: len(prefect.stored) == 2)
        await until(lambda: "put aside" in receiver.log.read_text())
    assert prefect.branches == ["a", "b"]
    code, said = await asyncio.to_thread(_status, "--spool", str(tmp_path / "spool"))
    assert code == 1
    assert "Prefect answered 422" in said
    prefect.refuses = ""
    async with prefect_events(prefect) as api, receiving(tmp_path, api):
        await until(lambda: prefect.branches == ["a", "b", "poison"])


async def test_a_prefect_with_trouble_of_its_own_costs_nothing(tmp_path, prefect) -> None:
    prefect.status = 503
    async with prefect_events(prefect) as api, receiving(tmp_path, api) as receiver:
        await receiver.push()
        await until(lambda: "events are kept" in receiver.log.read_text())
        prefect.status = 204
        await until(lambda: prefect.stored)
        await until(lambda: "takes events again" in receiver.log.read_text())


def test_the_receiver_does_not_begin_without_a_secret_or_a_prefect_server(tmp_path) -> None:
    code, said = _serve("--spool", str(tmp_path), COOLIFY_WEBHOOK_SECRET="")
    assert (code, "COOLIFY_WEBHOOK_SECRET" in said) == (2, True)
    code, said = _serve("--spool", str(tmp_path), PREFECT_API_URL="")
    assert (code, "PREFECT_API_URL" in said) == (2, True)


def _status(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "coolify_cli.main", "webhooks", "status", *arguments],
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def _serve(*arguments: str, **environment: str) -> tuple[int, str]:
    env = {name: one for name, one in os.environ.items() if not name.startswith(("PREFECT_", "COOLIFY_"))}
    env |= {"PREFECT_API_URL": AWAY, "COOLIFY_WEBHOOK_SECRET": SECRET} | environment
    done = subprocess.run(
        [sys.executable, "-m", "coolify_cli.main", "webhooks", "serve", "--port", "0", *arguments],
        env=env, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr
