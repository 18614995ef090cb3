"""What `health.probes` may say."""

import pytest
from pydantic import ValidationError

from coolify.config.health import Health
from coolify.config.probes import Probe


@pytest.mark.parametrize(
    "written",
    [
        {"http": "/login", "expect": 302, "body": "x", "json_path": "a.b", "json_value": "up", "max_seconds": 0.5},
        {"http": "/", "method": "HEAD", "header": "X-Cache", "header_value": "HIT"},
        {"tcp": "db.example.com:5432", "timeout": 2},
        {"tls": "[2001:db8::1]:465"},
        {"run": "./smoke.sh", "name": "smoke"},
    ],
)
def test_a_probe_is_one_question_with_what_belongs_to_it(written) -> None:
    Probe.model_validate(written)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({}, "has none"),
        ({"http": "/", "tcp": "x:1"}, "has http and tcp"),
        ({"tcp": "db.example.com"}, "a host and a port"),
        ({"tls": "db.example.com:70000"}, "a host and a port"),
        ({"run": "true", "body": "x"}, "`body` goes with `http` alone"),
        ({"http": "/", "json_path": "a"}, "`json_path` and `json_value` go together"),
        ({"http": "/", "header_value": "a"}, "`header` and `header_value` go together"),
        ({"http": "login"}, "must start with `/`"),
    ],
)
def test_what_is_no_question_is_refused_with_the_reason(written, told) -> None:
    with pytest.raises(ValidationError) as refused:
        Probe.model_validate(written)
    assert told in str(refused.value)


def test_further_addresses_are_addresses() -> None:
    assert Health.model_validate({"addresses": ["192.0.2.1", "2001:DB8::1"]}).addresses == ("192.0.2.1", "2001:db8::1")
    with pytest.raises(ValidationError, match="is not an IP address"):
        Health.model_validate({"addresses": ["server.example.com"]})
