"""The section `dns.records`: one provider, its credentials by reference."""

from pathlib import Path

import pytest

from coolify.config import Config, ConfigError, load_config
from coolify.dns_providers import CloudflareAccess, Rfc2136Access, Route53Access, backend_of

LEAST = "server: https://coolify.example.com\nproject: {name: shop}\n"


def load(folder: Path, records: str) -> Config:
    file = folder / "config.yml"
    file.write_text(f"{LEAST}dns:\n  records:\n    zone: example.com\n{records}")
    return load_config(file)


def backend(config: Config, **environ: str):
    assert config.dns.records is not None
    return backend_of(config.dns.records.provider, environ)


def test_a_bare_name_is_enough_where_everything_has_a_default(tmp_path: Path) -> None:
    found = backend(load(tmp_path, "    cloudflare:\n"), CLOUDFLARE_API_TOKEN="t0ken ")
    assert isinstance(found, CloudflareAccess)
    assert found.token.get_secret_value() == "t0ken"
    assert "t0ken" not in repr(found)
    assert backend(load(tmp_path, "    route53:\n")) == Route53Access()


def test_a_name_server_is_known_with_its_key(tmp_path: Path) -> None:
    text = '    rfc2136: {server: "2001:db8::53", key_name: k, key_secret: "${K}", key_algorithm: hmac-sha512}\n'
    found = backend(load(tmp_path, text), K="c2VjcmV0")
    assert isinstance(found, Rfc2136Access)
    assert (found.server, found.port, found.key_name, found.key_algorithm) == ("2001:db8::53", 53, "k", "hmac-sha512")
    assert "c2VjcmV0" not in repr(found)


def test_a_variable_that_is_not_set_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config.yml:7: dns.records.cloudflare.token: .* MY_TOKEN is not set"):
        backend(load(tmp_path, '    cloudflare:\n      token: "${MY_TOKEN}"\n'))


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ("    ttl: 300\n", "needs exactly one of `cloudflare`, `route53` and `rfc2136`, has none"),
        ("    cloudflare:\n    route53:\n", "has cloudflare and route53"),
        ("    rfc2136: {server: ns.example.com, key_name: k}\n", "needs `key_name` and `key_secret`, or neither"),
        ("    route53: {access_key_id: '${A}'}\n", "needs `access_key_id` and `secret_access_key`, or neither"),
        ("    rfc2136: {server: 'ns.example.com:53'}\n", "a port goes into `port`"),
        ("    ttl: 30\n    cloudflare:\n", "must be at least 60"),
        ("    cloudfare:\n", "did you mean `cloudflare`"),
    ],
)
def test_what_cannot_work_is_refused(tmp_path: Path, records: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, records)
    assert told in str(caught.value)
