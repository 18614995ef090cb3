"""What Prometheus answers, as courses of metrics."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import respx

from coolify.monitor.model import Subject
from coolify.monitor.prometheus import Prometheus, PrometheusError, range_of
from coolify_cli.monitor_history import sparkline

NOW = datetime(2026, 11, 25, 12, 0, 0, 500_000, tzinfo=UTC)
SHOP = Subject(
    key="", coolify="https://coolify.example.com", project="shop", environment="production", application='a"b\\c'
)
URL = "http://prometheus.example.com/x"
TIME = range_of(timedelta(seconds=4), NOW)


def row(name: str, values: dict[int, str], **labels: str) -> dict[str, object]:
    """Return a series as the API writes it; values by seconds since the beginning."""
    subject = SHOP.model_dump(exclude={"key"})
    samples = [[TIME.start.timestamp() + second, value] for second, value in values.items()]
    return {"metric": {"__name__": name, "job": "coolify"} | subject | labels, "values": samples}


def answer(*rows: dict[str, object]) -> httpx.Response:
    return httpx.Response(200, json={"status": "success", "data": {"resultType": "matrix", "result": list(rows)}})


@respx.mock
async def test_a_process_that_was_moved_leaves_one_course_and_nan_is_a_gap() -> None:
    route = respx.post(f"{URL}/api/v1/query_range").mock(
        return_value=answer(
            row("coolify_app_up", {0: "1", 1: "0", 2: "NaN"}, instance="old:9456"),
            row("coolify_app_up", {3: "1", 4: "1"}, instance="new:9456"),
            row("coolify_app_up", {0: "1"}, environment="staging"),
        )
    )
    (course,) = await Prometheus(f"{URL}/").history([SHOP], TIME)
    assert course.values == (1.0, 0.0, None, 1.0, 1.0)
    assert (course.known, course.now) == ((1, 0, 1, 1), 1)
    asked = httpx.QueryParams(route.calls.last.request.content.decode())
    assert json.loads(asked["query"].split("application=~")[1].removesuffix("}")) == 'a"b\\\\c|'
    assert float(asked["end"]) == NOW.replace(microsecond=0).timestamp()


@respx.mock
async def test_with_all_applications_only_the_server_is_named_and_nothing_is_a_sentence() -> None:
    route = respx.post(f"{URL}/api/v1/query_range").mock(return_value=answer())
    with pytest.raises(PrometheusError, match=r"has nothing of these applications since 2026-11-25 11:59 UTC"):
        await Prometheus(URL).history([], TIME, everything=["https://coolify.example.com"])
    assert "application=" not in httpx.QueryParams(route.calls.last.request.content.decode())["query"]


@pytest.mark.parametrize("seconds", [1, 90, 600, 3600, 86400, 3650 * 86400])
def test_a_range_has_whole_seconds_and_no_more_points_than_prometheus_gives(seconds) -> None:
    for few in (False, True):
        time = range_of(timedelta(seconds=seconds), NOW, few=few)
        assert len(time.moments) <= 721
        assert time.moments[-1] == time.end.timestamp()
        assert time.step == int(time.step) >= 1


def test_a_line_has_its_width_whatever_there_is() -> None:
    assert sparkline([None, None], 4) == "    "
    assert sparkline([5.0], 4) == "▅▅▅▅"
    assert sparkline([0.0, 10.0], 2) == "▁█"
    assert len(sparkline([float(one) for one in range(1000)])) == 32
