"""What Grafana would show of a dashboard: its panels, and Prometheus's answers to their queries."""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

Points = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel of the dashboard's JSON."""

    json: dict[str, Any]

    @property
    def title(self) -> str:
        return str(self.json["title"])

    @property
    def kind(self) -> str:
        return str(self.json["type"])

    @property
    def place(self) -> tuple[int, int, int, int]:
        """Left, top, width and height on the grid."""
        x, y, w, h = (int(self.json["gridPos"][one]) for one in "xywh")
        return x, y, w, h

    @property
    def defaults(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json["fieldConfig"]["defaults"]
        return found

    @property
    def unit(self) -> str:
        return str(self.defaults["unit"])

    def step(self, value: float) -> dict[str, Any]:
        """Return the threshold that a value has reached."""
        steps: list[dict[str, Any]] = self.defaults["thresholds"]["steps"]
        return [one for one in steps if one["value"] is None or one["value"] <= value][-1]

    def mapped(self, value: float) -> str | None:
        """Return the words that stand for a value, None where it stands for itself."""
        for mapping in self.defaults.get("mappings", []):
            if mapping["type"] == "value" and f"{value:g}" in mapping["options"]:
                return str(mapping["options"][f"{value:g}"]["text"])
        return None


@dataclass(frozen=True, slots=True)
class Series:
    """One answer of Prometheus, under the name that the legend gives it."""

    name: str
    points: Points

    @property
    def last(self) -> float:
        return self.points[-1][1]


@dataclass(frozen=True, slots=True)
class Window:
    """What is looked at of time."""

    begin: float
    end: float
    step: float


def window(dashboard: dict[str, Any], now: datetime, step: timedelta) -> Window:
    """Return the time that a dashboard shows when it is opened."""
    hours = re.fullmatch(r"now-(\d+)h", dashboard["time"]["from"])
    assert hours, dashboard["time"]
    begin = now - timedelta(hours=int(hours[1]))
    return Window(begin.timestamp(), now.timestamp(), step.total_seconds())


def panels(dashboard: dict[str, Any]) -> list[Panel]:
    return [Panel(one) for one in dashboard["panels"]]


async def ask(client: httpx.AsyncClient, dashboard: dict[str, Any], panel: Panel, shown: Window) -> list[Series]:
    """Ask every query of a panel.

    Raises:
        ValueError: Prometheus refuses one, has nothing for it, or not what its legend names.
    """
    found: list[Series] = []
    for target in panel.json["targets"]:
        params: dict[str, Any] = {"query": _replaced(dashboard, target["expr"])}
        if target.get("instant"):
            path, params["time"] = "query", shown.end
        else:
            path, params["start"], params["end"], params["step"] = "query_range", shown.begin, shown.end, shown.step
        answer = (await client.get(f"/api/v1/{path}", params=params)).json()
        if answer["status"] != "success":
            raise ValueError(f"{panel.title}: {answer}")
        series = [_series(panel, target["legendFormat"], one) for one in answer["data"]["result"]]
        if not any(one.points for one in series):
            raise ValueError(f"{panel.title} shows nothing: {params}")
        found += [one for one in series if one.points]
    return found


def _series(panel: Panel, legend: str, answer: dict[str, Any]) -> Series:
    missing = set(re.findall(r"{{(\w+)}}", legend)) - answer["metric"].keys()
    # The empty labels of what belongs to a whole server are none to Prometheus.
    if missing - {"application", "environment"}:
        raise ValueError(f"{panel.title}: {answer['metric']} has no {', '.join(missing)}")
    name = re.sub(r"{{(\w+)}}", lambda label: answer["metric"].get(label[1], ""), legend)
    points = [(float(at), float(value)) for at, value in answer.get("values") or [answer["value"]]]
    return Series(" ".join(name.split()), [one for one in points if math.isfinite(one[1])])


def _replaced(dashboard: dict[str, Any], expression: str) -> str:
    for variable in dashboard["templating"]["list"]:
        if "current" in variable:
            value = variable["current"]["value"]
            everything = value == "$__all"
            expression = expression.replace(f"${variable['name']}", variable["allValue"] if everything else value)
    if "$" in expression:
        raise ValueError(f"Nothing stands for a variable of {expression}")
    return expression
