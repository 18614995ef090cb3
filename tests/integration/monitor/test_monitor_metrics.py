"""`coolify monitor metrics`: what a real Prometheus has kept, and what a real Pushgateway takes."""

import asyncio
import base64
import json
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.routing import Route

from coolify.monitor.metrics import Exposed
from coolify.monitor.prometheus import Prometheus, PrometheusError, range_of
from coolify.monitor.push import PushError, push
from coolify_sandbox.serving import serve_forever
from tests.integration.monitor.prometheus import answers, free_port, process, until


@asynccontextmanager
async def kept(directory: Path, samples: str) -> AsyncIterator[str]:
    """Run a Prometheus that has kept these samples (OpenMetrics); yields its address."""
    directory.mkdir()
    (directory / "prometheus.yml").write_text("global: {}\n")
    (directory / "samples.txt").write_text(samples + "# EOF\n")
    blocks = ("promtool", "tsdb", "create-blocks-from", "openmetrics", "samples.txt", "tsdb")
    await asyncio.to_thread(subprocess.run, blocks, cwd=directory, check=True, capture_output=True, timeout=60)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (directory / "log").open("wb") as log:
        words = ("--config.file=prometheus.yml", "--storage.tsdb.path=tsdb", f"--web.listen-address=127.0.0.1:{port}")
        async with process("prometheus", *words, cwd=directory, stdout=log, stderr=log):
            await until(lambda: answers(f"{url}/-/ready"))
            yield url


def written(name: str, labels: dict[str, str], values: list[float], kind: str = "gauge") -> str:
    """Return a metric with a value each minute, the last one now."""
    shown = ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items())
    now = int(datetime.now(UTC).timestamp())
    family = name.removesuffix("_total")
    lines = [f"{name}{{{shown}}} {value} {now - 60 * (len(values) - 1 - place)}" for place, value in enumerate(values)]
    return "\n".join([f"# TYPE {family} {kind}", *lines, ""])


@pytest.mark.component("prometheus", "promtool")
async def test_what_prometheus_has_kept_is_shown_as_a_course(shop, coolify, tmp_path) -> None:
    mine = {"coolify": shop.sandbox.url, "project": "shop", "environment": "production", "application": "shop"}
    latency = {**mine, "url": "https://shop.sandbox.test/health?a=[1]", "instance": "old:9456"}
    samples = [
        written("coolify_app_up", mine, [1] * 20 + [0] * 5 + [1] * 15),
        written("coolify_app_latency_seconds", latency, [0.25] * 20 + [2.5] * 20),
        written("coolify_app_releases_total", {**mine, "outcome": "completed"}, [7.0] * 40, "counter"),
        written("coolify_app_rollbacks_total", {**mine, "result": "failed"}, [0.0] * 40, "counter"),
        written("coolify_decisions_waiting", {"decision": "build-failed"}, [1.0] * 40),
        written("coolify_app_drift", {**mine, "application": "shop-2"}, [3.0] * 40),
        written("coolify_app_restarts", {**mine, "environment": "staging"}, [3.0] * 40),
    ]
    async with kept(tmp_path / "prometheus", "".join(samples)) as url:
        shop.configure(monitoring={"prometheus": url})
        done = await coolify("monitor", "metrics", "--since", "30m", "--json")
        assert done.code == 0, done.text
        rows = {(one["metric"], one["detail"]): one for one in done.json}
        # Of other applications and environments nothing is told.
        assert {name for name, _ in rows} == {
            "coolify_app_up",
            "coolify_app_latency_seconds",
            "coolify_app_releases_total",
            "coolify_app_rollbacks_total",
            "coolify_decisions_waiting",
        }
        up = rows["coolify_app_up", ""]
        assert (up["min"], up["max"], up["value"]) == (0, 1, 1)
        assert {value for _, value in up["samples"]} == {0, 1}
        slow = rows["coolify_app_latency_seconds", "https://shop.sandbox.test/health?a=[1]"]
        assert (slow["min"], slow["max"], slow["value"], slow["step_seconds"]) == (0.25, 2.5, 2.5, 3)
        assert datetime.fromisoformat(slow["samples"][0][0]) < datetime.fromisoformat(slow["samples"][-1][0])

        shown = (await coolify("monitor", "metrics", "--since", "30m")).stdout
        (line,) = (one for one in shown.splitlines() if "latency" in one)
        assert "▁▁▁▁" in line
        assert line.split("█")[-1].split() == ["0.25", "s", "2.5", "s", "2.5", "s"]
        assert "releases_total completed" in shown
        # What has never happened takes no line, unless it is asked for.
        assert "rollbacks" not in shown
        assert "rollbacks_total failed" in (await coolify("monitor", "metrics", "--metric", "rollbacks")).stdout

        nothing = await coolify("monitor", "metrics", "--metric", "backup")
        assert nothing.code == 1
        assert "has nothing of these applications since" in nothing.text
        # Measured now, although a Prometheus is named.
        assert "coolify_up{" in (await coolify("monitor", "metrics", "--now")).stdout
        once = await coolify("monitor", "metrics", "--textfile", str(tmp_path / "coolify.prom"))
        assert (once.code, once.stdout) == (0, "")


async def test_what_is_wrong_with_prometheus_is_one_sentence(shop, coolify) -> None:
    error = {"status": "error", "errorType": "bad_data", "error": 'parse error: unexpected "}"'}
    routes = [
        Route("/refuses/api/v1/query_range", lambda _: PlainTextResponse(json.dumps(error), 400), methods=["POST"]),
        Route("/guarded/api/v1/query_range", lambda _: PlainTextResponse("no", 401), methods=["POST"]),
        Route("/elsewhere/api/v1/query_range", lambda _: RedirectResponse("/login", 302), methods=["POST"]),
    ]
    time = range_of(timedelta(hours=1), datetime.now(UTC))
    async with serve_forever(Starlette(routes=routes)) as port:
        for path, said in {
            "/refuses": 'refuses the question: parse error: unexpected "}"',
            "/guarded": "answered 401: set COOLIFY_PROMETHEUS_TOKEN",
            "/elsewhere": "does not answer as Prometheus does (302)",
            "/nowhere": "does not answer as Prometheus does (404)",
        }.items():
            with pytest.raises(PrometheusError) as raised:
                await Prometheus(f"http://ada:secret@127.0.0.1:{port}{path}").read("up", time)
            assert said in str(raised.value)
            assert "secret" not in str(raised.value)
    with pytest.raises(PrometheusError, match=r"^The address of Prometheus is none that can be asked\.$"):
        await Prometheus("http://ada:se/cret@localhost").read("up", time)
    done = await coolify("monitor", "metrics", "--prometheus", "http://127.0.0.1:9/prometheus/")
    assert done.code == 1
    assert "Prometheus at http://127.0.0.1:9/prometheus cannot be reached" in done.text


@pytest.mark.parametrize(
    "arguments",
    [("--since", "1h"), ("--prometheus", "localhost:9090"), ("--prometheus", "http://x", "--since", "9" * 20 + "d")],
)
async def test_a_wrong_call_is_told_in_one_sentence(shop, coolify, arguments) -> None:
    done = await coolify("monitor", "metrics", *arguments)
    assert (done.code, "Traceback" in done.stderr) == (2, False), done.text


@pytest.mark.component("prometheus-pushgateway")
async def test_a_pushgateway_has_the_last_push_and_nothing_of_the_one_before(shop, coolify, tmp_path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (tmp_path / "log").open("wb") as log:
        words = ("prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{port}")
        async with process(*words, cwd=tmp_path, stdout=log, stderr=log):
            await until(lambda: answers(f"{url}/-/ready"))
            done = await coolify("monitor", "metrics", "--push", url, "--instance", "cron/1")
            assert (done.code, done.stdout) == (0, ""), done.text
            first = await pushed(url)
            assert first["coolify_app_running", "cron/1"] == 0
            assert first["coolify_up", "cron/1"] == 1
            await asyncio.to_thread(push, url, Exposed(runs=2), "cron/1")
            await asyncio.to_thread(push, url, Exposed(runs=3))
            second = await pushed(url)
            assert ("coolify_up", "cron/1") not in second
            assert second["coolify_watch_runs_total", "cron/1"] == 2
            assert second["coolify_watch_runs_total", socket.gethostname()] == 3
            with pytest.raises(PushError, match=f"^The Pushgateway at {url}/nowhere answered 404"):
                push(f"{url}/nowhere", Exposed())
    with pytest.raises(PushError, match=f"^The Pushgateway at {url} cannot be reached: "):
        push(url, Exposed())
    with pytest.raises(PushError, match=r"^The address of the Pushgateway is none that can be asked\.$"):
        push("http://ada:se/cret@localhost", Exposed())


async def pushed(url: str) -> dict[tuple[str, str], float]:
    async with httpx.AsyncClient(trust_env=False) as http:
        text = (await http.get(f"{url}/metrics")).text
    return {
        (sample.name, sample.labels["instance"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("job") == "coolify"
    }


async def test_a_password_is_sent_and_never_said(shop, coolify) -> None:
    heard = []

    async def take(request) -> PlainTextResponse:
        heard.append((request.method, request.url.path, request.headers.get("authorization")))
        return PlainTextResponse("no such\nmetric", 400)

    routes = [Route("/push/metrics/{rest:path}", take, methods=["PUT"])]
    async with serve_forever(Starlette(routes=routes)) as port:
        words = ("monitor", "metrics", "--push", f"http://ada@127.0.0.1:{port}/push", "--instance", "here")
        done = await coolify(*words, COOLIFY_PUSHGATEWAY_PASSWORD="secret")
    secret = base64.b64encode(b"ada:secret").decode()
    assert heard == [("PUT", "/push/metrics/job/coolify/instance/here", f"Basic {secret}")]
    assert done.code == 1
    assert f"The Pushgateway at http://127.0.0.1:{port}/push answered 400: no such metric" in done.text
    assert "secret" not in done.text
