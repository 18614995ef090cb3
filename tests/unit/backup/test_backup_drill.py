"""What of a real configuration comes to life in a drill, and what never does."""

from pathlib import Path

import ruamel.yaml

from coolify.backup.drill import DrillStage, drill_document, drill_environment, left_out
from coolify.config import load_config, resolve_variables

STAGE = DrillStage(
    url="http://127.0.0.1:4000",
    token="1|drill-token",
    resolver="127.0.0.1:5353",
    ca_file=Path("/tmp/ca.pem"),
    http_port=8080,
    https_port=8443,
    repository="/srv/shop",
)
REAL = """
server: https://coolify.example.com
auth: {token: "${REAL_TOKEN}"}
project: {name: shop, uuid: 123e4567-e89b-12d3-a456-426614174000}
application: {server: big-machine}
source:
  repository: git@git.example.com:shop.git
  branch: live
  private_key: real-key
  webhook: {url: "https://coolify.example.com"}
build: {port: 3000, start_command: "python3 server.py"}
domains: [{primary: shop.example.com}, {second: www.example.com}]
databases:
  main: {engine: postgresql, database: shop, public_port: 15432, name: special, schema: {commands: [migrate]}}
  cache: {engine: redis}
env:
  DATABASE_URL: "${databases.main.url}?sslmode=disable"
  CACHE_URL: "${databases.cache.url}"
  STRIPE_KEY: "${STRIPE_KEY}"
  MAIL: "smtp://${MAIL_USER}@mail.example.com"
  PLAIN: text
dns: {records: {zone: example.com, cloudflare: {token: "${CLOUDFLARE}"}}}
health:
  path: /health
  version: {path: /version}
  probes: [{name: partner, http: /partner}]
release:
  before: ["psql $PRODUCTION", {run: migrate, where: container}]
backups:
  storages: {s: {endpoint: "https://s3.example.com", bucket: shop-backups, key: "${K}", secret: "${S}"}}
  schedules: {nightly: {database: main, storage: s}}
"""
CONNECTION = {"main": {"url": "postgresql://shop@%2Ftmp%2Fpg/shop", "password": ""}}


def real(tmp_path, text=REAL):
    path = tmp_path / "config.yml"
    path.write_text(text)
    return load_config(path)


def drilled(tmp_path, config, connections):
    path = tmp_path / "drill.yml"
    with path.open("w") as stream:
        ruamel.yaml.YAML(typ="safe").dump(drill_document(config, STAGE, connections), stream)
    return path.read_text(), load_config(path)


def test_nothing_that_reaches_outside_is_taken_over(tmp_path) -> None:
    text, config = drilled(tmp_path, real(tmp_path), CONNECTION)
    assert config.server == STAGE.url
    for outside in ("coolify.example.com", "git.example.com", "partner", "s3.example.com", "cloudflare", "PRODUCTION",
                    "real-key", "15432", "REAL_TOKEN", "www.example.com", "special"):  # fmt: skip
        assert outside not in text, outside
    assert [hook.run for hook in config.release.before] == ["migrate"]
    assert not config.backups.has_schedules
    assert config.health.version is not None
    assert config.source.branch == "live"
    assert config.databases["main"].schema_.commands == ("migrate",)


def test_variables_have_stand_ins_or_the_values_of_the_drill_and_databases_are_those_of_the_drill(tmp_path) -> None:
    config = real(tmp_path)
    environ = {"STRIPE_KEY": "sk_live_very_secret", "DRILL_MAIL_USER": "nobody", "REAL_TOKEN": "1|secret"}
    made = drill_environment(config, STAGE, CONNECTION, environ)
    assert "sk_live_very_secret" not in str(made)
    values = {
        one.key: one.value.get_secret_value()
        for one in resolve_variables(drilled(tmp_path, config, CONNECTION)[1], environ | made)
    }
    assert values == {
        "DATABASE_URL": "postgresql://shop@%2Ftmp%2Fpg/shop?sslmode=disable",
        "CACHE_URL": "${databases.cache.url}",
        "STRIPE_KEY": "drill",
        "MAIL": "smtp://nobody@mail.example.com",
        "PLAIN": "text",
    }


def test_what_is_left_out_is_told(tmp_path) -> None:
    told = " | ".join(left_out(real(tmp_path)))
    for what in ("STRIPE_KEY", "all domains but shop.example.com", "hooks", "probes", "the data of cache"):
        assert what in told
