"""Metrics as Prometheus reads them."""

import re
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from coolify.config.monitoring import Aspect
from coolify.finding import Severity
from coolify.monitor.described import DESCRIPTIONS
from coolify.monitor.keeper import merged
from coolify.monitor.metrics import Exposed, exposition, write_textfile
from coolify.monitor.model import Look, Measure, Metric, Observation, Subject
from tests.unit.monitor.conftest import GOOD, SHOP, finding

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
DOCS = Path(__file__).parents[3] / "docs" / "monitoring.md"


def look(*findings, aspect: Aspect = Aspect.HEALTH, measures: tuple[Measure, ...] = ()) -> Look:
    seen = Observation(aspect=aspect, at=NOW, findings=findings, measures=measures)
    return Look(subject=SHOP, observations=(seen,))


def samples(exposed: Exposed) -> dict[tuple[str, str], float]:
    """Return (name, value of the label of its own) -> value, as a parser of the format reads them."""
    text = exposition(exposed).decode()
    subject = {"coolify", "project", "environment", "application"}
    return {
        (sample.name, "".join(value for name, value in sample.labels.items() if name not in subject)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_was_measured_is_exposed_with_its_labels() -> None:
    latency = Measure(metric=Metric.LATENCY, value=0.25, detail='https://shop.example.com/"x"\\')
    exposed = Exposed((look(GOOD, measures=(Measure(metric=Metric.UP, value=1.0), latency)),), NOW, 1.5, 7)
    text = exposition(exposed).decode()
    labels = 'coolify="https://coolify.example.com",environment="production",project=""'
    assert f'coolify_app_up{{application="shop",{labels}}} 1.0' in text
    assert samples(exposed)[("coolify_app_latency_seconds", 'https://shop.example.com/"x"\\')] == 0.25
    assert samples(exposed)[("coolify_watch_runs_total", "")] == 7
    assert samples(exposed)[("coolify_watch_duration_seconds", "")] == 1.5


def test_how_bad_an_aspect_is_counts_up_to_two() -> None:
    for severity, level in ((Severity.OK, 0), (Severity.INFO, 0), (Severity.WARNING, 1), (Severity.ERROR, 2)):
        found = samples(Exposed((look(finding(severity)),), NOW))
        assert found[("coolify_app_problem", "health")] == level


def test_what_was_not_looked_at_this_time_stays_as_it_was_seen_last() -> None:
    drift = Measure(metric=Metric.DRIFT, value=3.0)
    (seen,) = merged((look(aspect=Aspect.DRIFT, measures=(drift,)),), (look(GOOD),))
    assert {one.aspect for one in seen.observations} == {Aspect.HEALTH, Aspect.DRIFT}
    # What is not watched any more disappears.
    other = Look(subject=Subject(key="other", coolify="https://coolify.example.com", application="other"))
    assert [one.subject.key for one in merged((look(GOOD),), (other,))] == ["other"]


def test_a_textfile_is_written_whole(tmp_path) -> None:
    path = tmp_path / "coolify.prom"
    write_textfile(path, Exposed((look(GOOD),), NOW))
    assert path.read_text().endswith("\n")
    assert path.stat().st_mode & 0o777 == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["coolify.prom"]


def test_every_metric_is_documented_with_its_labels() -> None:
    assert set(DESCRIPTIONS) == set(Metric)
    rows = dict(re.findall(r"^\| `(coolify_\w+)` \| ([^|]*) \|", DOCS.read_text(), re.MULTILINE))
    for metric, described in DESCRIPTIONS.items():
        assert rows[metric.value].strip() == ", ".join(f"`{one}`" for one in described.labels)
    assert set(rows) - {one.value for one in Metric} == {
        "coolify_app_problem",
        "coolify_watch_timestamp_seconds",
        "coolify_watch_duration_seconds",
        "coolify_watch_runs_total",
        "coolify_app_deployments_total",
        "coolify_app_deployment_duration_seconds",
        "coolify_api_calls_total",
    }
