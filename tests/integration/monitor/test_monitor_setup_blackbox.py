"""The blackbox exporter: its modules and targets are taken by the programs they are for, and probe what they say."""

import asyncio
import shutil
import subprocess
from contextlib import asynccontextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from coolify.config import Config
from coolify.monitor.setup.alertmanager import Mail
from coolify.monitor.setup.blackbox import blackbox_file, password_files, targets_file
from coolify.monitor.setup.files import Places, apply_changes, plan_files, wanted_files
from coolify.monitor.setup.rules import PROBE_RULES, RULES, rules_file
from coolify.monitor.watched import Watched, of_config
from flows.release import ReleaseRequest, release
from tasks.session import Target
from tests.integration.monitor.prometheus import answers, free_port, process, until
from tests.integration.robustness.bare import bare_flows

EXPORTER = shutil.which("prometheus-blackbox-exporter") or "blackbox_exporter"


def watched(name: str, *domains: dict[str, Any], **sections: Any) -> Watched:
    document = {"server": "https://coolify.example.com", "project": {"name": name}, "domains": list(domains)}
    return of_config(Config.model_validate(document | sections))


FLEET = (
    watched("shop", {"primary": "shop.example.com"}, {"admin": "shop.example.com", "path": "/admin"}),
    watched("plain", {"primary": "plain.example.com", "ssl": False}, network={"http_port": 8080}),
    watched("blog", {"primary": "blog.example.com"}, health={"path": "/up", "expect": [200, 204], "body": "(ok)"}),
    watched("wiki", {"primary": "wiki.example.com"}, health={"expect": list(range(200, 300)), "timeout": 2.5}),
    watched(
        "inside",
        {"primary": "inside.example.com"},
        security={"basic_auth": {"users": [{"name": "ada", "password": "${PASSWORD}"}]}},
        network={"ca_file": "/etc/ssl/private-ca.pem"},
    ),
    watched(
        "hashed",
        {"primary": "hashed.example.com"},
        security={"basic_auth": {"users": [{"name": "ada", "hash": "${HASH}"}]}},
    ),
    watched("unseen", {"primary": "unseen.example.com"}, monitoring={"ignore": ["health"]}),
    watched("worker"),
)
SECRETS = PurePosixPath("/secrets")


def test_modules_say_what_each_application_is_to_answer() -> None:
    modules = YAML(typ="safe").load(blackbox_file(FLEET, SECRETS))["modules"]
    https = {"follow_redirects": False, "fail_if_not_ssl": True}
    assert modules.pop("https_2xx") == {
        "prober": "http",
        "timeout": "2.5s",
        "http": {"valid_status_codes": list(range(200, 300)), **https},
    }
    assert {name: one["http"] for name, one in modules.items()} == {
        "https_200": {"valid_status_codes": [200], **https},
        "http_200": {"valid_status_codes": [200], "follow_redirects": False, "fail_if_ssl": True},
        "https_200_204": {
            "valid_status_codes": [200, 204],
            **https,
            "fail_if_body_not_matches_regexp": [r"\(ok\)"],
        },
        "https_200_2": {
            "valid_status_codes": [200],
            **https,
            "tls_config": {"ca_file": "/etc/ssl/private-ca.pem"},
            "basic_auth": {"username": "ada", "password_file": "/secrets/password-inside-production-inside"},
        },
        # Nobody has told the password, so that it is asked for is as good as it gets.
        "https_200_401": {"valid_status_codes": [200, 401], **https},
    }
    assert password_files(FLEET) == ("password-inside-production-inside",)


def test_targets_are_all_domains_at_their_health_path_with_the_labels_of_our_own_metrics() -> None:
    groups = YAML(typ="safe").load(targets_file(FLEET, SECRETS))
    assert {group["targets"][0]: group["labels"]["__param_module"] for group in groups} == {
        "https://shop.example.com/": "https_200",
        "https://shop.example.com/admin/": "https_200",
        "http://plain.example.com:8080/": "http_200",
        "https://blog.example.com/up": "https_200_204",
        "https://wiki.example.com/": "https_2xx",
        "https://inside.example.com/": "https_200_2",
        "https://hashed.example.com/": "https_200_401",
    }
    assert groups[0]["labels"] == {
        "coolify": "https://coolify.example.com",
        "project": "shop",
        "environment": "production",
        "application": "shop",
        "__param_module": "https_200",
    }


def write(directory: Path, fleet: tuple[Watched, ...], blackbox: str, interval: float = 60.0) -> None:
    places = Places("localhost:9456", "localhost:9093", SECRETS, interval, Mail(), blackbox)
    apply_changes(plan_files(directory, wanted_files(fleet, places)))
    assert not any(one.is_change for one in plan_files(directory, wanted_files(fleet, places)))


def check(*command: str | Path) -> str:
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.component("promtool", "prometheus-blackbox-exporter")
def test_prometheus_and_the_exporter_take_what_is_written(tmp_path) -> None:
    write(tmp_path, FLEET, "localhost:9115")
    config = tmp_path / "coolify-prometheus.yml"
    told = check("promtool", "check", "config", config)
    assert f"{len(RULES) + len(PROBE_RULES)} rules found" in told
    check(EXPORTER, "--config.check", f"--config.file={tmp_path / 'coolify-blackbox.yml'}")
    # Without an exporter nothing is said of one.
    write(tmp_path / "without", FLEET, "")
    assert not (tmp_path / "without" / "coolify-blackbox.yml").exists()
    assert "blackbox" not in (tmp_path / "without" / "coolify-prometheus.yml").read_text()


async def test_the_command_takes_host_and_port_and_names_the_passwords_that_are_read(shop, coolify) -> None:
    users = [{"name": "ada", "password": "${SHOP_PASSWORD}"}]
    shop.configure(security={"basic_auth": {"users": users}})
    refused = await coolify("monitor", "setup", "--blackbox", "http://localhost:9115", "--dry-run")
    assert refused.code == 2
    assert "as in localhost:9115" in refused.text
    words = ("monitor", "setup", "--blackbox", "[::1]:9115", "--secrets", "/secrets", "--yes")
    done = await coolify(*words, SHOP_PASSWORD="hunter2")
    assert done.code == 0, done.text
    assert "The blackbox exporter reads its credentials from /secrets/password-shop-production-shop." in done.text
    written = shop.directory / "monitoring"
    assert "replacement: '[::1]:9115'" in (written / "coolify-prometheus.yml").read_text()
    assert "hunter2" not in "".join(one.read_text() for one in written.iterdir())
    again = await coolify(*words, "--json")
    assert {one["change"] for one in again.json["files"]} == {"unchanged"}


RULE_TESTS = """
rule_files: [coolify-rules.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - series: 'probe_success{job="coolify-blackbox",instance="https://a.test/",application="a",environment="e"}'
        values: '1 1 0 0 0 0 1'
      - series: 'probe_success{job="somebody-else",instance="https://b.test/"}'
        values: '0x9'
      - series: 'probe_ssl_earliest_cert_expiry{job="coolify-blackbox",instance="https://a.test/"}'
        values: '86580x10'
      - series: 'up{job="coolify-blackbox",instance="https://a.test/"}'
        values: '1 0 0 0 0 0 0 0'
    alert_rule_test:
      - {eval_time: 3m, alertname: CoolifyProbeFailed, exp_alerts: []}
      - eval_time: 4m
        alertname: CoolifyProbeFailed
        exp_alerts:
          - exp_labels:
              {severity: error, job: coolify-blackbox, instance: "https://a.test/", application: a, environment: e}
            exp_annotations:
              summary: https://a.test/ of a (e) does not answer the blackbox exporter as it should.
      - {eval_time: 6m, alertname: CoolifyProbeFailed, exp_alerts: []}
      - eval_time: 3m
        alertname: CoolifyProbeCertificateEnds
        exp_alerts:
          - exp_labels: {severity: error, job: coolify-blackbox, instance: "https://a.test/"}
            exp_annotations:
              summary: The certificate that the blackbox exporter gets at https://a.test/ ends in 1d 0h 0m 0s.
      - {eval_time: 5m, alertname: CoolifyBlackboxMissing, exp_alerts: []}
      - eval_time: 7m
        alertname: CoolifyBlackboxMissing
        exp_alerts:
          - exp_labels: {severity: error}
            exp_annotations: {summary: "Nothing is probed: the blackbox exporter cannot be scraped."}
"""


@pytest.mark.component("promtool")
def test_every_rule_for_probes_fires_when_it_should_and_not_before(tmp_path) -> None:
    assert {one.name for one in PROBE_RULES if one.name not in RULE_TESTS} == set()
    (tmp_path / "coolify-rules.yml").write_text(rules_file(60.0, probes=True))
    (tmp_path / "tests.yml").write_text(RULE_TESTS)
    assert "SUCCESS" in check("promtool", "test", "rules", tmp_path / "tests.yml")


@asynccontextmanager
async def probing(directory: Path, exporter_port: int):
    """Run an exporter and a Prometheus with the files of a directory; yields the address of Prometheus."""
    port = free_port()
    url, exporter = f"http://127.0.0.1:{port}", f"127.0.0.1:{exporter_port}"
    with (directory / "servers.log").open("ab") as log:
        quiet = {"cwd": directory, "stdout": asyncio.subprocess.DEVNULL, "stderr": log}
        async with (
            process(
                EXPORTER,
                f"--config.file={directory / 'coolify-blackbox.yml'}",
                f"--web.listen-address={exporter}",
                **quiet,
            ),
            process(
                "prometheus",
                f"--config.file={directory / 'coolify-prometheus.yml'}",
                f"--storage.tsdb.path={directory / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
                **quiet,
            ),
        ):
            for ready in (f"http://{exporter}/-/healthy", f"{url}/-/ready"):
                await until(lambda ready=ready: answers(ready))
            yield url


async def asked(url: str, query: str) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(f"{url}/api/v1/query", params={"query": query})).json()["data"]["result"]


def lead_to_loopback(file: Path, host: str) -> None:
    """Let the exporter, which asks the DNS of the machine, find a name of the sandbox; the name is still asked for."""
    yaml = YAML(typ="safe")
    groups = yaml.load(file.read_text())
    for group in groups:
        group["targets"] = [one.replace(host, "127.0.0.1") for one in group["targets"]]
        group["labels"]["__param_hostname"] = host
    yaml.dump(groups, file)


@pytest.mark.component("prometheus", "prometheus-blackbox-exporter")
@pytest.mark.timeout(400)
async def test_a_real_prometheus_sees_the_application_through_a_real_exporter(shop, tmp_path) -> None:
    with bare_flows():
        await release(ReleaseRequest(target=Target(config=str(shop.config))))
    exporter = free_port()
    config = Config.model_validate(YAML(typ="safe").load(shop.config.read_text()))
    # A probe may take as long as the time between two: a busy machine needs some seconds for a handshake.
    write(tmp_path, (of_config(config),), f"127.0.0.1:{exporter}", interval=4)
    lead_to_loopback(tmp_path / "coolify-targets.yml", shop.host)
    (application,) = shop.sandbox.state.all("application")
    async with probing(tmp_path, exporter) as url:

        async def probe_is(value: str) -> bool:
            found = await asked(url, 'probe_success{job="coolify-blackbox"}')
            return [one["value"][1] for one in found] == [value]

        await until(lambda: probe_is("1"))
        (seen,) = await asked(url, "probe_ssl_earliest_cert_expiry - time() > 0")
        assert seen["metric"]["application"] == "shop"
        assert seen["metric"]["environment"] == "production"
        assert seen["metric"]["instance"].endswith(f":{shop.sandbox.edge.https_port}/health")
        await shop.sandbox.runtime.stop(application.uuid)
        await until(lambda: probe_is("0"))
        await until(lambda: is_firing(url))


async def is_firing(url: str) -> bool:
    return bool(await asked(url, 'ALERTS{alertname="CoolifyProbeFailed",application="shop",alertstate="firing"}'))
