"""What a Prometheus has kept of our metrics, by its HTTP API (stable since 2.0)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit, urlunsplit

import httpx
from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr, ValidationError

from coolify.errors import OperatorError
from coolify.monitor.described import DESCRIPTIONS
from coolify.monitor.model import Subject
from coolify.trust import trusting

__all__ = ["Prometheus", "PrometheusError", "Range", "Series", "is_address", "merged", "range_of", "without_password"]

_SECONDS: Final = 30.0
_POINTS: Final = 720
"""Points of a series that are asked for at most; a row is far narrower, but its extremes are to be true."""
_FEW_POINTS: Final = 120
"""The same where every application of an instance is asked for: a thousand of them have fifty thousand series."""
_OWN_LABELS: Final = frozenset({"aspect", *(one.detail for one in DESCRIPTIONS.values() if one.detail)})
"""Labels that tell series of one metric and subject apart; others are Prometheus's own, as `instance` is."""


class PrometheusError(OperatorError):
    """Prometheus cannot be asked, refuses the question, or has no answer."""


@dataclass(frozen=True, slots=True)
class Range:
    """A time, and how finely it is looked at."""

    start: datetime
    end: datetime
    step: float
    """Seconds."""

    @property
    def moments(self) -> tuple[float, ...]:
        """Unix times for which there may be a value."""
        begin, number = self.start.timestamp(), int((self.end - self.start).total_seconds() / self.step)
        return tuple(begin + place * self.step for place in range(number + 1))


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one metric in a time."""

    metric: str
    subject: Subject
    detail: str
    """What it belongs to within the subject, as in `Measure`."""
    values: tuple[float | None, ...]
    """One for each of the range's moments, None where there is none."""

    @property
    def known(self) -> tuple[float, ...]:
        """The values that there are."""
        return tuple(one for one in self.values if one is not None)

    @property
    def now(self) -> float | None:
        """The last one, None where the metric has gone."""
        return self.values[-1]


def range_of(since: timedelta, now: datetime, *, few: bool = False) -> Range:
    """Return the time until now, in whole seconds.

    Args:
        since: How long it is.
        now: Its end.
        few: Whether it is for very many series.
    """
    step = float(max(1, math.ceil(since.total_seconds() / (_FEW_POINTS if few else _POINTS))))
    number = max(1, int(since.total_seconds() // step))
    end = now.replace(microsecond=0)
    return Range(end - timedelta(seconds=step * number), end, step)


def without_password(url: str) -> str:
    """Return an address as it may be shown.

    >>> without_password("https://ada:secret@prometheus.example.com/x")
    'https://prometheus.example.com/x'
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def is_address(url: str) -> bool:
    """Return whether something can be asked there; what is wrong with an address may be the password in it.

    >>> is_address("https://ada:secret@prometheus.example.com"), is_address("https://ada:sec/ret@prometheus.example.com")
    (True, False)
    """
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and "@" not in parts.path
    except ValueError:
        return False


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")


def _number(text: object) -> float | None:
    # Prometheus writes NaN and infinities as words.
    value = float(str(text))
    return value if math.isfinite(value) else None


class _Row(_Answer):
    metric: dict[str, str]
    values: tuple[tuple[float, Annotated[float | None, BeforeValidator(_number)]], ...] = ()


class _Matrix(_Answer):
    resultType: Literal["matrix"]  # noqa: N815 - the API's name
    result: tuple[_Row, ...]


class _Found(_Answer):
    status: Literal["success"]
    data: _Matrix


class _Refused(_Answer):
    status: Literal["error"]
    error: str


class Prometheus:
    """A Prometheus, or what answers like one (Thanos, Mimir, VictoriaMetrics).

    Args:
        url: Its address, with a path where it has one.
        token: Bearer token, where it asks for one.
        ca_file: PEM file with a private certificate authority.
    """

    def __init__(self, url: str, token: SecretStr | None = None, ca_file: Path | None = None) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._ca_file = ca_file
        self.shown = without_password(self._url)
        """Its address without a password."""

    async def read(self, expression: str, time: Range) -> tuple[_Row, ...]:
        """Return the series of an expression.

        Raises:
            PrometheusError: It cannot be reached, or does not answer the question.
        """
        question = {
            "query": expression,
            "start": str(time.start.timestamp()),
            "end": str(time.end.timestamp()),
            "step": str(time.step),
        }
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}"} if self._token else {}
        if not is_address(self._url):
            raise PrometheusError("The address of Prometheus is none that can be asked.")
        try:
            async with httpx.AsyncClient(verify=trusting(self._ca_file), timeout=_SECONDS) as http:
                # Sent as a form: a question for many applications is longer than an address may be.
                response = await http.post(f"{self._url}/api/v1/query_range", data=question, headers=headers)
        except httpx.TimeoutException:
            raise PrometheusError(f"Prometheus at {self.shown} did not answer within {_SECONDS:.0f} s.") from None
        except (httpx.HTTPError, OSError) as error:
            reason = str(error) or type(error).__name__
            raise PrometheusError(f"Prometheus at {self.shown} cannot be reached: {reason}.") from None
        return self._series(response)

    def _series(self, response: httpx.Response) -> tuple[_Row, ...]:
        try:
            return _Found.model_validate_json(response.content).data.result
        except ValidationError:
            pass
        try:
            refused = _Refused.model_validate_json(response.content)
        except ValidationError:
            status = response.status_code
            if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
                raise PrometheusError(
                    f"Prometheus at {self.shown} answered {status}: set COOLIFY_PROMETHEUS_TOKEN to a token that may "
                    "read it."
                ) from None
            raise PrometheusError(
                f"{self.shown} does not answer as Prometheus does ({status}): is this its address, with its path?"
            ) from None
        raise PrometheusError(f"Prometheus at {self.shown} refuses the question: {refused.error}") from None

    async def history(
        self, subjects: Iterable[Subject], time: Range, *, everything: Iterable[str] = (), only: str = ""
    ) -> tuple[Series, ...]:
        """Return what is kept of subjects, and of what belongs to none, in one request.

        Args:
            subjects: Applications.
            time: When.
            everything: Addresses of Coolify servers all of whose applications are wanted.
            only: Part of the metric's name; empty for every metric.

        Raises:
            PrometheusError: It cannot be read, or has nothing.
        """
        wanted, servers = tuple(subjects), tuple(everything)
        series = await self.read(_expression(wanted, servers, only), time)
        places = {(one.coolify, one.project, one.environment, one.application) for one in wanted}
        found = []
        for history in merged(series, time):
            one = history.subject
            place = (one.coolify, one.project, one.environment, one.application)
            if not one.application or one.coolify in servers or place in places:
                found.append(history)
        if not found:
            raise PrometheusError(
                f"Prometheus at {self.shown} has nothing of these applications since {time.start:%Y-%m-%d %H:%M} UTC: "
                "does it scrape `coolify monitor serve`?"
            )
        return tuple(found)


def _expression(wanted: Sequence[Subject], servers: Sequence[str], only: str) -> str:
    # What a regular expression matches that matches nothing, too, has no such label at all.
    coolify = _any_of({*servers, *(one.coolify for one in wanted)})
    labels = [f'__name__=~"coolify_.*{_quoted(only)}.*"', '__name__!~".+_bucket"', f'coolify=~"{coolify}"']
    if not servers:
        labels.append(f'application=~"{_any_of({one.application for one in wanted})}"')
    return f"{{{','.join(labels)}}}"


def _any_of(values: Iterable[str]) -> str:
    return "|".join([*(_quoted(one) for one in sorted(values)), ""])


def _quoted(text: str) -> str:
    """Return a text as a regular expression within a string of PromQL."""
    return re.escape(text).replace("\\", "\\\\").replace('"', '\\"')


def merged(series: Iterable[_Row], time: Range) -> tuple[Series, ...]:
    """Return one history for what is one metric of one subject, also where several processes have measured it.

    A process that was moved is another `instance` to Prometheus; where two measure at once, the later one in the answer
    counts.
    """
    places = {round(moment): place for place, moment in enumerate(time.moments)}
    values: dict[tuple[str, Subject, str], list[float | None]] = {}
    for one in series:
        labels = one.metric
        subject = Subject(
            key="",
            coolify=labels.get("coolify", ""),
            project=labels.get("project", ""),
            application=labels.get("application", ""),
            environment=labels.get("environment", ""),
        )
        detail = next((labels[name] for name in sorted(_OWN_LABELS) if name in labels), "")
        row = values.setdefault((labels.get("__name__", ""), subject, detail), [None] * len(places))
        for moment, value in one.values:
            place = places.get(round(moment))
            if place is not None and value is not None:
                row[place] = value
    rows = (Series(metric, subject, detail, tuple(row)) for (metric, subject, detail), row in values.items())
    return tuple(sorted((one for one in rows if one.known), key=_order))


def _order(one: Series) -> tuple[str, str, str, str, str, str]:
    # What belongs to a server, or to nobody, comes after what belongs to applications.
    return (
        one.subject.application or "\uffff",
        one.subject.environment,
        one.subject.project,
        one.subject.coolify or "\uffff",
        one.metric,
        one.detail,
    )
