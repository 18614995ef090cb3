"""Domains switched to HTTPS, in the file and in Coolify's list."""

import pytest

from coolify.config import ConfigDocument, Domain, edit_config, load_config
from coolify.plan import https_edits, lost_middlewares, with_https

FILE = """
server: https://coolify.example.com
project: {name: shop}
# The public ones.
domains:
  - primary: shop.example.com  # ours
    ssl: false
  - api: api.example.com
    ssl: true
  - old: old.example.com
    ssl: false
environments:
  staging:
    domains:
      - staging: staging.example.com
        ssl: false
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "config.yml"
    path.write_text(FILE)
    return path


def edits(path, environment: str, *hosts: str):
    loaded = load_config(path, environment=environment or None)
    return https_edits(loaded, ConfigDocument.open(path), hosts)


def test_only_what_is_asked_for_and_not_yet_so_is_set(config) -> None:
    assert edits(config, "", "shop.example.com", "api.example.com") == {("domains", 0, "ssl"): True}
    assert edits(config, "", "api.example.com") == {}


def test_an_environment_with_domains_of_its_own_is_changed_there(config) -> None:
    wanted = edits(config, "staging", "staging.example.com")
    assert wanted == {("environments", "staging", "domains", 0, "ssl"): True}
    edit_config(config, wanted, environment="staging")
    text = config.read_text()
    assert "# The public ones." in text
    assert "# ours" in text
    assert load_config(config, environment="staging").domains[0].ssl
    assert not load_config(config).domains[0].ssl


@pytest.mark.parametrize(
    ("fqdn", "after"),
    [
        (None, "https://shop.example.com"),
        ("http://shop.example.com", "https://shop.example.com"),
        ("https://shop.example.com", "https://shop.example.com"),
        ("http://shop.example.com:3000/path", "https://shop.example.com:3000/path"),
        ("http://shop.example.com,http://other.example.com", "https://shop.example.com,http://other.example.com"),
        ("http://other.example.com", "http://other.example.com,https://shop.example.com"),
        ("http://shop.example.com,https://shop.example.com", "https://shop.example.com"),
    ],
)
def test_the_urls_of_a_host_are_switched_and_all_others_stay(fqdn, after) -> None:
    assert with_https(fqdn, [Domain(name="primary", host="shop.example.com")]) == after


def test_middlewares_that_regenerated_labels_lack_are_named() -> None:
    ours = "traefik.http.middlewares.auth.basicauth.users=x\ntraefik.http.middlewares.gzip.compress=true"
    assert lost_middlewares(ours, "traefik.http.middlewares.gzip.compress=true") == ("auth",)
    assert lost_middlewares(None, None) == ()
