"""`coolify monitor setup`: what is written is taken by the programs that it is for, and says what it should."""

import json
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from coolify.config import Config
from coolify.monitor.setup.alertmanager import Mail, alertmanager_file, secret_files
from coolify.monitor.setup.dashboard import PANELS, dashboard_file
from coolify.monitor.setup.files import (
    Places,
    SetupRefusedError,
    apply_changes,
    plan_files,
    wanted_files,
)
from coolify.monitor.setup.rules import RULES, rules_file
from coolify.monitor.setup.yaml import to_yaml
from coolify.monitor.watched import Watched, of_config

ALERTS = {"email": "admin@example.com", "slack": "#deployments", "pagerduty": "on-call"}


def watched(name: str, environment: str = "production", **alerts: str) -> Watched:
    document = {"server": "https://coolify.example.com", "project": {"name": name}, "environment": environment}
    return of_config(Config.model_validate(document | {"monitoring": {"enabled": True, "alerts": alerts}}))


def places(tmp_path: Path) -> Places:
    return Places("localhost:9456", "localhost:9093", PurePosixPath(tmp_path / "secrets"), 60.0, Mail(user="coolify"))


def check(*command: str | Path) -> str:
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.component("promtool", "amtool")
def test_prometheus_and_alertmanager_take_what_is_written(tmp_path) -> None:
    fleet = [watched("shop", **ALERTS), watched("blog", "staging", slack="#blog"), watched("no-alerts")]
    there = places(tmp_path)
    (tmp_path / "secrets").mkdir()
    for name in secret_files(fleet, there.mail):
        (tmp_path / "secrets" / name).write_text("https://hooks.example.com/secret")
    apply_changes(plan_files(tmp_path, wanted_files(fleet, there)))
    assert f"{len(RULES)} rules found" in check("promtool", "check", "rules", tmp_path / "coolify-rules.yml")
    check("promtool", "check", "config", tmp_path / "coolify-prometheus.yml")
    assert "SUCCESS" in check("amtool", "check-config", tmp_path / "coolify-alertmanager.yml")
    routes = ["amtool", "config", "routes", "test", f"--config.file={tmp_path / 'coolify-alertmanager.yml'}"]
    shop = ("application=shop", "environment=production")
    assert check(*routes, *shop, "severity=warning").strip() == "coolify-0-warning"
    assert check(*routes, *shop, "severity=error").strip() == "coolify-0-warning,coolify-0-error"
    assert check(*routes, "application=blog", "environment=staging", "severity=error").strip() == "coolify-1-warning"
    assert check(*routes, "alertname=CoolifyUnreachable", "severity=error").strip() == "coolify-everybody"


RULE_TESTS = """
rule_files: [coolify-rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'coolify_app_up{application="shop",environment="production"}'
        values: '1 1 0 0 0 0 1 1'
      - series: 'coolify_app_problem{application="shop",environment="production",aspect="drift"}'
        values: '0 1x9'
      - series: 'coolify_app_problem{application="shop",environment="production",aspect="backup"}'
        values: '0 2x9'
      - series: 'coolify_app_certificate_seconds_left{host="app.example.com"}'
        values: '86400x10'
      - series: 'coolify_up{coolify="https://coolify.example.com"}'
        values: '0x10'
      - series: 'coolify_server_reachable{server="one"}'
        values: '0x10'
    alert_rule_test:
      - {eval_time: 3m, alertname: CoolifyApplicationDown, exp_alerts: []}
      - eval_time: 4m
        alertname: CoolifyApplicationDown
        exp_alerts:
          - exp_labels: {severity: error, application: shop, environment: production}
            exp_annotations: {summary: shop (production) does not answer as it should.}
      - {eval_time: 6m, alertname: CoolifyApplicationDown, exp_alerts: []}
      - {eval_time: 5m, alertname: CoolifyApplicationWarning, exp_alerts: []}
      - eval_time: 7m
        alertname: CoolifyApplicationWarning
        exp_alerts:
          - exp_labels: {severity: warning, application: shop, environment: production, aspect: drift}
            exp_annotations: {summary: "The drift of shop (production) needs a look: see `coolify monitor status`."}
      - eval_time: 3m
        alertname: CoolifyApplicationError
        exp_alerts:
          - exp_labels: {severity: error, application: shop, environment: production, aspect: backup}
            exp_annotations:
              summary: "Something is wrong with the backup of shop (production): see `coolify monitor status`."
      - eval_time: 3m
        alertname: CoolifyCertificateEnds
        exp_alerts:
          - exp_labels: {severity: error, host: app.example.com}
            exp_annotations: {summary: The certificate of app.example.com ends in 1d 0h 0m 0s.}
      - eval_time: 3m
        alertname: CoolifyUnreachable
        exp_alerts:
          - exp_labels: {severity: error, coolify: "https://coolify.example.com"}
            exp_annotations: {summary: "The API of https://coolify.example.com does not answer."}
      - eval_time: 3m
        alertname: CoolifyServerUnreachable
        exp_alerts:
          - exp_labels: {severity: error, server: one}
            exp_annotations: {summary: Coolify cannot use its server one.}
  - interval: 1m
    input_series:
      - series: 'coolify_app_last_release_outcome{application="shop",outcome="rollback_failed"}'
        values: '0 1 1 0'
      - series: 'coolify_app_last_release_outcome{application="shop",outcome="aborted"}'
        values: '1x4'
      - series: 'coolify_app_release_open_seconds{application="shop",environment="production"}'
        values: '7140 7200 7260 0'
      - series: 'coolify_decisions_waiting_seconds{decision="build-failed"}'
        values: '540 600 660 0'
      - series: 'coolify_prefect_up'
        values: '1 0x9'
    alert_rule_test:
      - {eval_time: 0m, alertname: CoolifyRollbackFailed, exp_alerts: []}
      - eval_time: 1m
        alertname: CoolifyRollbackFailed
        exp_alerts:
          - exp_labels: {severity: error, application: shop, outcome: rollback_failed}
            exp_annotations:
              summary: "A release of shop () failed, and so did the way back: see `coolify history show`."
      - {eval_time: 3m, alertname: CoolifyRollbackFailed, exp_alerts: []}
      - {eval_time: 1m, alertname: CoolifyReleaseOpen, exp_alerts: []}
      - eval_time: 2m
        alertname: CoolifyReleaseOpen
        exp_alerts:
          - exp_labels: {severity: warning, application: shop, environment: production}
            exp_annotations:
              summary: "A release of shop (production) has been open for 2h 1m 0s: see `coolify history list`."
      - {eval_time: 1m, alertname: CoolifyDecisionWaiting, exp_alerts: []}
      - eval_time: 2m
        alertname: CoolifyDecisionWaiting
        exp_alerts:
          - exp_labels: {severity: warning, decision: build-failed}
            exp_annotations:
              summary: "The decision build-failed has waited for 11m 0s: answer it in Prefect."
      - {eval_time: 3m, alertname: CoolifyDecisionWaiting, exp_alerts: []}
      - {eval_time: 5m, alertname: CoolifyPrefectUnreachable, exp_alerts: []}
      - eval_time: 6m
        alertname: CoolifyPrefectUnreachable
        exp_alerts:
          - exp_labels: {severity: warning}
            exp_annotations: {summary: "The Prefect server does not answer: nothing is released, and nobody is asked."}
  - interval: 1m
    input_series:
      - series: 'coolify_watch_timestamp_seconds{job="coolify"}'
        values: '0x20'
    alert_rule_test:
      - {eval_time: 9m, alertname: CoolifyWatchStale, exp_alerts: []}
      - {eval_time: 15m, alertname: CoolifyWatchMissing, exp_alerts: []}
      - eval_time: 11m
        alertname: CoolifyWatchStale
        exp_alerts:
          - exp_labels: {severity: error, job: coolify}
            exp_annotations:
              summary: "Nothing was looked at for 11m 0s: see the log of `coolify monitor serve`."
  - interval: 1m
    input_series: []
    alert_rule_test:
      - eval_time: 6m
        alertname: CoolifyWatchMissing
        exp_alerts:
          - exp_labels: {severity: error, job: coolify}
            exp_annotations: {summary: "Nobody watches: `coolify monitor serve` cannot be scraped."}
"""


@pytest.mark.component("promtool")
def test_every_rule_fires_when_it_should_and_not_before(tmp_path) -> None:
    assert {one.name for one in RULES if one.name not in RULE_TESTS} == set()
    (tmp_path / "coolify-rules.yml").write_text(rules_file(60.0))
    (tmp_path / "tests.yml").write_text(RULE_TESTS)
    assert "SUCCESS" in check("promtool", "test", "rules", tmp_path / "tests.yml")


@pytest.mark.component("promtool")
def test_the_dashboard_asks_what_prometheus_understands_and_lays_nothing_over_another(tmp_path) -> None:
    dashboard = json.loads(dashboard_file())
    rules = [{"record": f"panel:{place}", "expr": one.expression} for place, one in enumerate(PANELS)]
    # Grafana replaces its variables before it asks.
    text = to_yaml({"groups": [{"name": "panels", "rules": rules}]}, "").replace("$environment", ".*")
    (tmp_path / "panels.yml").write_text(text.replace("$application", ".*"))
    check("promtool", "check", "rules", tmp_path / "panels.yml")
    cells = [
        (x, y)
        for panel in dashboard["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(PANELS)


def test_what_is_written_twice_is_unchanged_and_what_is_not_ours_stays(tmp_path) -> None:
    wanted = wanted_files([watched("shop", **ALERTS)], places(tmp_path))
    apply_changes(plan_files(tmp_path / "new", wanted))
    assert {one.kind.value for one in plan_files(tmp_path / "new", wanted)} == {"unchanged"}
    changed = wanted_files([watched("shop", slack="#other")], places(tmp_path))
    kinds = {one.path.name: one.kind.value for one in plan_files(tmp_path / "new", changed)}
    assert kinds.pop("coolify-alertmanager.yml") == "update"
    assert set(kinds.values()) == {"unchanged"}
    (tmp_path / "new" / "coolify-rules.yml").write_text("groups: []\n")
    with pytest.raises(SetupRefusedError, match=r"coolify-rules\.yml was not written by us"):
        plan_files(tmp_path / "new", wanted)


def test_no_credential_is_in_the_configuration(tmp_path) -> None:
    text = alertmanager_file([watched("shop", **ALERTS, webhook="hook")], PurePosixPath("/s"), Mail(user="coolify"))
    assert "/s/slack-url-coolify-alerts" in text
    assert "/s/smtp-password" in text
    assert secret_files([watched("shop", **ALERTS)], Mail()) == ("pagerduty-key-on-call", "slack-url-coolify-alerts")


async def test_the_command_shows_its_plan_writes_it_once_and_switches_on_what_only_coolify_sees(shop, coolify) -> None:
    shop.configure(monitoring={"enabled": True, "alerts": {"slack": "#deployments"}})
    async with shop.client() as client:
        from pydantic import SecretStr

        from coolify.api.team import Channel

        hook = {"slack_enabled": True, "slack_webhook_url": SecretStr("https://hooks.slack.com/services/a/b/c")}
        await client.notifications.set(Channel.SLACK, hook, {"server_disk_usage": False})
        words = ("monitor", "setup", "--coolify", "--json")
        planned = (await coolify(*words, "--dry-run")).json
        assert {one["change"] for one in planned["files"]} == {"create"}
        assert planned["settings"] == [
            {
                "coolify": shop.sandbox.url,
                "settings": "notifications.slack",
                "changes": ["events.server_disk_usage: off -> on"],
            }
        ]
        assert not (shop.directory / "monitoring").exists()
        refused = await coolify("monitor", "setup", "--no-input")
        assert refused.code == 2
        assert "+ monitoring/coolify-rules.yml" in refused.text
        assert (await coolify(*words, "--yes")).code == 0
        assert "server_disk_usage" in (await client.notifications.get(Channel.SLACK)).events
        again = (await coolify(*words, "--yes")).json
    assert {one["change"] for one in again["files"]} == {"unchanged"}
    assert again["settings"] == []
