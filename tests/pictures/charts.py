"""Charts as Grafana draws them, as far as the dashboard has use for them."""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from typing import Final

from tests.pictures.grafana import Panel, Points, Series, Window

_COLOURS: Final = {"green": "#73bf69", "yellow": "#fade2a", "red": "#f2495c"}
_PALETTE: Final = (
    "#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0", "#37872d", "#fade2a",
)  # fmt: skip
_QUIET: Final = "#9d9fa8"
_GRID: Final = "rgba(204, 204, 220, .09)"
_LETTER: Final = 6.1
"""How wide a letter of the charts is on an average, pixels."""
_LINE: Final = 18
_SECONDS: Final = ((604800, "week"), (86400, "day"), (3600, "hour"), (60, "min"), (1, "s"), (1e-3, "ms"))


def value_text(panel: Panel, value: float) -> str:
    """Return a value in the panel's words or unit."""
    return panel.mapped(value) or (_seconds(value) if panel.unit == "s" else _number(value))


def _seconds(value: float) -> str:
    size, unit = next((one for one in _SECONDS if abs(value) >= one[0]), _SECONDS[-1])
    number = _number(value / size)
    return f"{number} {unit}{'s' if size >= 60 and number != '1' else ''}" if value else "0 s"


def _number(value: float) -> str:
    assert abs(value) < 1000, "Grafana would write it with a K"
    return f"{float(f'{value:.3g}'):g}"


def stat(panel: Panel, series: list[Series], shown: Window, width: float, height: float) -> str:
    (only,) = series
    size = min(64.0, height * 0.62)
    return (
        f'<div class="stat" style="height:{height}px;font-size:{size}px;color:{_colour(panel, only.last)}">'
        f"{escape(value_text(panel, only.last))}</div>"
    )


def bar_gauge(panel: Panel, series: list[Series], shown: Window, width: float, height: float) -> str:
    low = panel.defaults.get("min", min(one.last for one in series))
    high = panel.defaults.get("max", max(one.last for one in series))
    left, right = _widest(one.name for one in series), _widest(value_text(panel, one.last) for one in series) * 1.4
    row, room = height / len(series), width - left - right - 20
    drawn = []
    for number, one in enumerate(series):
        middle, colour = (number + 0.5) * row, _colour(panel, one.last)
        thick = min(row - 8, 44)
        long = room * max(0.0, (one.last - low) / (high - low) if high > low else 1.0)
        place = f'x="{left + 10}" y="{middle - thick / 2}" height="{thick}" rx="2"'
        drawn += [
            _text(left, middle + 4, one.name, "end", size=12, colour="#ccccdc"),
            f'<rect {place} width="{room}" fill="rgba(204, 204, 220, .07)"/>',
            f'<rect {place} width="{long}" fill="{colour}" fill-opacity=".35"/>',
            f'<rect x="{left + 10 + long - 2}" y="{middle - thick / 2}" height="{thick}" width="2" fill="{colour}"/>',
            _text(left + room + 20, middle + 5, value_text(panel, one.last), "start", size=15, colour=colour),
        ]
    return _svg(width, height, drawn)


def time_series(panel: Panel, series: list[Series], shown: Window, width: float, height: float) -> str:
    values = [value for one in series for _, value in one.points]
    marks = _marks(min(values), max(values), panel.unit)
    low, high = marks[0], marks[-1]
    names = {one.name: _PALETTE[number % len(_PALETTE)] for number, one in enumerate(series)}
    legend, below = _legend(names, width, height)
    left, bottom = _widest(value_text(panel, one) for one in marks) + 10, height - 26 - below
    x, y = _scale(shown.begin, shown.end, left, width - 12), _scale(low, high, bottom - 4, 8)
    drawn = list(_hours(shown, x, 8, bottom))
    for mark in marks:
        drawn.append(f'<path d="M{left} {y(mark):.1f}H{width - 12}" stroke="{_GRID}"/>')
        drawn.append(_text(left - 8, y(mark) + 4, value_text(panel, mark), "end"))
    for one in series:
        line = f'd="{_line(one.points, shown, x, y)}" stroke="{names[one.name]}"'
        drawn.append(f'<path {line} fill="none" stroke-width="1.4"/>')
    return _svg(width, height, [*drawn, *legend])


def state_timeline(panel: Panel, series: list[Series], shown: Window, width: float, height: float) -> str:
    states = sorted({value for one in series for _, value in one.points})
    legend, below = _legend({value_text(panel, one): _colour(panel, one) for one in states}, width, height)
    left, bottom = _widest(one.name for one in series) + 12, height - 26 - below
    x, row = _scale(shown.begin, shown.end, left, width - 12), (bottom - 4) / len(series)
    drawn = list(_hours(shown, x, 4, bottom))
    for number, one in enumerate(series):
        top = 4 + number * row
        drawn.append(_text(left - 8, top + row / 2 + 4, one.name, "end"))
        for value, begin, end in _stretches(one.points, shown):
            drawn.append(
                f'<rect x="{x(begin):.1f}" y="{top + 1:.1f}" width="{x(end) - x(begin):.1f}" height="{row - 2:.1f}" '
                f'fill="{_colour(panel, value)}" fill-opacity=".7"/>'
            )
            text = value_text(panel, value)
            if x(end) - x(begin) > _widest([text]) + 8:
                drawn.append(_text(x(begin) + 5, top + row / 2 + 3.6, text, "start", colour="#111217"))
    return _svg(width, height, [*drawn, *legend])


CHARTS: Final[Mapping[str, Callable[[Panel, list[Series], Window, float, float], str]]] = {
    "stat": stat,
    "bargauge": bar_gauge,
    "timeseries": time_series,
    "state-timeline": state_timeline,
}


def _colour(panel: Panel, value: float) -> str:
    return _COLOURS[panel.step(value)["color"]]


def _scale(low: float, high: float, to_low: float, to_high: float) -> Callable[[float], float]:
    return lambda value: to_low + (value - low) / (high - low) * (to_high - to_low)


def _marks(low: float, high: float, unit: str) -> list[float]:
    """Return round numbers around all values, four to six of them."""
    spread = (high - low) or abs(high) or 1.0
    fine = 10 ** math.floor(math.log10(spread / 5))
    steps = [fine * one for one in (1, 2, 5, 10)]
    if unit == "s" and spread > 60:
        steps = [15, 30, 60, 120, 300, 600, 1800, 3600]
    step = next(one for one in steps if one >= spread / 5)
    first = math.floor(low / step)
    return [number * step for number in range(first, max(math.ceil(high / step), first + 1) + 1)]


def _line(points: Points, shown: Window, x: Callable[[float], float], y: Callable[[float], float]) -> str:
    """Return a path with a gap wherever something was not measured."""
    before, path = -math.inf, []
    for at, value in points:
        path.append(f"{'M' if at - before > shown.step * 1.5 else 'L'}{x(at):.1f} {y(value):.1f}")
        before = at
    return "".join(path)


def _stretches(points: Points, shown: Window) -> Iterator[tuple[float, float, float]]:
    """Return every value with when it began and ended."""
    for value, same in groupby(points, key=lambda one: one[1]):
        times = [at for at, _ in same]
        yield value, times[0], min(times[-1] + shown.step, shown.end)


def _hours(shown: Window, x: Callable[[float], float], top: float, bottom: float) -> Iterator[str]:
    every = 2 if x(shown.end) - x(shown.begin) > 700 else 4
    at = math.ceil(shown.begin / 3600 / every) * 3600 * every
    while at <= shown.end:
        yield f'<path d="M{x(at):.1f} {top}V{bottom}" stroke="{_GRID}"/>'
        if x(at) < x(shown.end) - 10:
            yield _text(x(at), bottom + 15, f"{datetime.fromtimestamp(at, UTC):%H:%M}", "middle")
        at += 3600 * every


def _legend(names: Mapping[str, str], width: float, height: float) -> tuple[list[str], float]:
    """Return the legend below a chart, and how high it is."""
    lines, at = 0, width
    placed = []
    for name, colour in names.items():
        long = 34 + _widest([name])
        if at + long > width:
            lines, at = lines + 1, 8.0
        placed.append((name, colour, at, lines))
        at += long
    drawn = []
    for name, colour, left, line in placed:
        y = height - 8 - (lines - line) * _LINE
        drawn.append(f'<rect x="{left:.1f}" y="{y - 6}" width="14" height="4" rx="1" fill="{colour}"/>')
        drawn.append(_text(left + 20, y, name, "start", colour="#ccccdc"))
    return drawn, lines * _LINE


def _widest(texts: Iterator[str] | list[str]) -> float:
    return max(map(len, texts)) * _LETTER


def _text(x: float, y: float, text: str, anchor: str, *, size: int = 11, colour: str = _QUIET) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} font-size="{size}" fill="{colour}">{escape(text)}</text>'


def _svg(width: float, height: float, drawn: list[str]) -> str:
    return f'<svg width="{width}" height="{height}">{"".join(drawn)}</svg>'
