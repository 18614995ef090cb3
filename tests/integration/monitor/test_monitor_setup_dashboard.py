"""The dashboard: Grafana's own models take all of it, and a real Prometheus has an answer for every panel."""

import asyncio
import copy
import json
import re
import typing
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from coolify.config.monitoring import Aspect
from coolify.finding import Finding, Severity
from coolify.monitor.counting import Counted
from coolify.monitor.described import APPLICATION, DESCRIPTIONS
from coolify.monitor.described import COOLIFY as SERVER
from coolify.monitor.metrics import Exposed, exposition
from coolify.monitor.model import Ended, Look, Measure, Observation, Subject
from coolify.monitor.setup.dashboard import PANELS, dashboard_file
from coolify.monitor.setup.prometheus import prometheus_file
from coolify_sandbox.serving import serve_forever
from tests.integration.monitor.prometheus import answers, free_port, process, until

NOW = datetime.now(UTC)
COOLIFY = "https://coolify.example.com"


def problems(document: dict[str, Any]) -> list[str]:
    """Return what Grafana's models do not know, or not so: they drop a key that they have not, and check no type."""
    plugins.register_default_plugins()
    read = Dashboard.from_json(copy.deepcopy(document))
    written = json.loads(JSONEncoder().encode(read))
    return [*_lost(document, written, "dashboard"), *_mistyped(read, "dashboard")]


def _lost(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from (f"{path}.{key} is unknown" for key in before.keys() - after.keys())
        for key in before.keys() & after.keys():
            yield from _lost(before[key], after[key], f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _lost(one, other, f"{path}[{place}]")
    elif before != after:
        yield f"{path} became {after!r}"


def _mistyped(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for place, one in enumerate(value):
            yield from _mistyped(one, f"{path}[{place}]")
    if not type(value).__module__.startswith("grafana_foundation_sdk.models") or not hasattr(value, "__dict__"):
        return
    hints = typing.get_type_hints(type(value))
    for name, one in vars(value).items():
        if name in hints:
            try:
                _adapter(hints[name]).validate_python(one)
            except ValidationError as error:
                yield f"{path}.{name}: {error.errors()[0]['msg']}"
            yield from _mistyped(one, f"{path}.{name}")


def _adapter(hint: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))
    except PydanticUserError:
        return TypeAdapter(hint)


def test_grafanas_own_models_take_every_key_of_it() -> None:
    assert problems(json.loads(dashboard_file())) == []


def test_no_line_of_the_page_has_a_hole() -> None:
    lines: dict[int, int] = {}
    for place in (panel["gridPos"] for panel in json.loads(dashboard_file())["panels"]):
        lines[place["y"]] = lines.get(place["y"], 0) + place["w"]
    assert set(lines.values()) == {24}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("panels", 0, "gridPos", "width"), 3),
        (("panels", 0, "options", "reduceOptions", "calculation"), ["last"]),
        (("panels", 0, "fieldConfig", "defaults", "thresholds", "mode"), "relative-ish"),
        (("panels", 0, "targets", 0, "expression"), "up"),
        (("panels", 6, "title"), 7),
        (("templating", "list", 1, "refresh"), "always"),
        (("refreshing",), "1m"),
    ],
)
def test_a_mistake_in_it_would_be_seen(path, value) -> None:
    document = json.loads(dashboard_file())
    there = document
    for step in path[:-1]:
        there = there[step]
    there[path[-1]] = value
    try:
        found = problems(document)
    except ValueError:
        return
    assert found


def everything() -> Exposed:
    """Return a look at which every metric was seen, and every aspect, one of them bad."""
    application = Subject(key="shop", coolify=COOLIFY, project="shop", application="shop", environment="production")
    wrong = Finding(name="watch-drift", severity=Severity.ERROR, subject="shop", summary="It differs.")
    looks = []
    for subject, scope in ((application, APPLICATION), (Subject(key=COOLIFY, coolify=COOLIFY), SERVER)):
        seen = [
            Observation(
                aspect=aspect,
                at=NOW,
                measures=measures(scope) if aspect is Aspect.HEALTH else (),
                findings=(wrong,) if aspect is Aspect.DRIFT else (),
                ended=(Ended(uuid="d1", result="finished", seconds=40),) if aspect is Aspect.DEPLOYMENT else None,
            )
            for aspect in Aspect
        ]
        looks.append(Look(subject=subject, observations=tuple(seen)))
    counted = Counted()
    counted.add(looks)
    return Exposed(tuple(looks), NOW, 1.5, 7, of_prefect=measures(()), counted=counted)


def measures(scope: tuple[str, ...]) -> tuple[Measure, ...]:
    return tuple(
        Measure(metric=metric, value=1.0, detail="detail" if one.detail else "")
        for metric, one in DESCRIPTIONS.items()
        if one.scope == scope
    )


@pytest.mark.component("prometheus")
@pytest.mark.timeout(300)
async def test_a_real_prometheus_has_an_answer_for_every_panel_and_choice(tmp_path) -> None:
    text = exposition(everything()).decode()
    known = set(re.findall(r"^# TYPE (\S+)", text, flags=re.MULTILINE))
    used = {name.removesuffix("_bucket") for panel in PANELS for name in re.findall(r"\bcoolify_\w+", panel.expression)}
    assert used <= known

    async def metrics(_: object) -> PlainTextResponse:
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with (
        serve_forever(Starlette(routes=[Route("/metrics", metrics)])) as target,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        (tmp_path / "prometheus.yml").write_text(prometheus_file(f"127.0.0.1:{target}", "localhost:1", 1))
        async with process(
            "prometheus",
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
            cwd=tmp_path,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        ):
            await until(lambda: answers(f"{url}/-/ready"))

            async def ask(expression: str) -> Any:
                answer = (await client.get("/api/v1/query", params={"query": expression})).json()
                assert answer["status"] == "success", f"{expression}: {answer}"
                return answer["data"]["result"]

            await until(lambda: ask("coolify_up"))
            # Grafana replaces its variables before it asks.
            chosen = {"$environment": "production", "$application": "(shop|blog)"}
            for panel in PANELS:
                expression = panel.expression
                for name, value in chosen.items():
                    expression = expression.replace(name, value)
                try:
                    # A rate needs two samples.
                    await until(lambda expression=expression: ask(expression), 30)
                except TimeoutError:
                    raise AssertionError(f"{panel.title} shows nothing") from None
                labels = set(re.findall(r"{{(\w+)}}", panel.legend))
                assert all(labels <= one["metric"].keys() for one in await ask(expression)), panel.title
            (wrong,) = (panel for panel in PANELS if panel.title == "With errors")
            assert [one["value"][1] for one in await ask(re.sub(r"\$\w+", ".*", wrong.expression))] == ["1"]
            for variable in json.loads(dashboard_file())["templating"]["list"][1:]:
                selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"]).groups()
                params = {"match[]": re.sub(r"\$\w+", ".*", selector)}
                found = (await client.get(f"/api/v1/label/{label}/values", params=params)).json()["data"]
                assert [one for one in found if one] == [{"environment": "production", "application": "shop"}[label]]
