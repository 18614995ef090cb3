"""A page that looks much like a dashboard in Grafana."""

from collections.abc import Iterable
from html import escape
from typing import Any, Final

from tests.pictures.charts import CHARTS
from tests.pictures.grafana import Panel, Series, Window

WIDTH: Final = 1400
_EDGE: Final = 16
_TOP: Final = 96
_GAP: Final = 8
_ROW: Final = 30
_COLUMN: Final = (WIDTH - 2 * _EDGE + _GAP) / 24 - _GAP
"""Grafana's grid, in pixels."""
_TITLE: Final = 34
_SIDE: Final = 10

_STYLE: Final = """
body { margin: 0; background: #111217; color: #ccccdc; font: 14px Inter, "DejaVu Sans Condensed", sans-serif; }
header { height: 44px; padding: 0 16px; display: flex; align-items: center; justify-content: space-between; }
h1 { font-size: 16px; font-weight: 500; margin: 0; }
nav { padding: 4px 16px; display: flex; gap: 12px; }
span { background: #181b1f; border: 1px solid rgba(204, 204, 220, .2); border-radius: 2px; padding: 5px 9px; }
span b { font-weight: 500; color: #6e9fff; margin-right: 8px; }
section { position: absolute; box-sizing: border-box; overflow: hidden;
          background: #181b1f; border: 1px solid rgba(204, 204, 220, .12); border-radius: 2px; }
h2 { font-size: 14px; font-weight: 500; line-height: 32px; height: 32px; margin: 0 10px; white-space: nowrap; }
svg { display: block; margin: 0 9px; }
.stat { display: flex; align-items: center; justify-content: center; font-weight: 500; }
"""


def height_of(panels: Iterable[Panel]) -> int:
    """Return how high the page is, pixels."""
    return _TOP + max(y + h for _, y, _, h in (one.place for one in panels)) * (_ROW + _GAP) + _GAP


def page(dashboard: dict[str, Any], answers: Iterable[tuple[Panel, list[Series]]], shown: Window) -> str:
    """Return the dashboard with what Prometheus has answered."""
    chosen = [one for one in dashboard["templating"]["list"] if "current" in one]
    hours = round((shown.end - shown.begin) / 3600)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><style>{_STYLE}</style>'
        f"<header><h1>{escape(dashboard['title'])}</h1>"
        f"<div><span>Last {hours} hours</span> <span>{escape(dashboard['refresh'])}</span></div></header><nav>"
        + "".join(f"<span><b>{one['name']}</b>{escape(one['current']['text'])}</span>" for one in chosen)
        + f"</nav>{''.join(_panel(panel, series, shown) for panel, series in answers)}</html>"
    )


def _panel(panel: Panel, series: list[Series], shown: Window) -> str:
    x, y, w, h = panel.place
    width, height = w * (_COLUMN + _GAP) - _GAP, h * (_ROW + _GAP) - _GAP
    left, top = _EDGE + x * (_COLUMN + _GAP), _TOP + y * (_ROW + _GAP)
    chart = CHARTS[panel.kind](panel, series, shown, width - 2 * _SIDE, height - _TITLE - _SIDE)
    place = f"left:{left:.1f}px;top:{top}px;width:{width:.1f}px;height:{height}px"
    return f'<section style="{place}"><h2>{escape(panel.title)}</h2>{chart}</section>'
