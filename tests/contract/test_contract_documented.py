"""Every documented endpoint is served by the sandbox, or named here with the reason why not."""

import re
from importlib import import_module
from pathlib import Path

from coolify.api.settings import ApplicationSettings
from coolify_sandbox.server.app import HANDLERS
from coolify_sandbox.server.application_rules import UPDATE_RULES
from coolify_sandbox.server.http import ROUTES

DOCUMENTED = (Path(__file__).parent / "documented_endpoints.txt").read_text().splitlines()
NOT_SERVED = {
    r"(/servers)?/(hetzner|digitalocean|vultr|cloud-tokens|cloud-init-scripts)": "servers rented of cloud providers",
    r"/\w+/\{uuid\}/migrate|/servers/(import|\{uuid\}/(export|claim|transfer))": "404 outside of development builds",
    r"/mcp/": "another protocol",
    r"/security/keys$": "documented without the UUID that the route has; answered with 404, as recorded",
}
"""Pattern of paths -> reason."""


for module in HANDLERS:
    import_module(f"coolify_sandbox.server.{module}")


def served(method: str, path: str) -> bool:
    example = re.sub(r"\{[^}]+\}", "1", path)
    return any(route.method == method and route.pattern.match(example) for route in ROUTES)


def test_every_documented_endpoint_is_served_or_left_out_for_a_reason() -> None:
    missing = [line for line in DOCUMENTED if not served(*line.split())]
    unexplained = [line for line in missing if not any(re.match(pattern, line.split()[1]) for pattern in NOT_SERVED)]
    assert unexplained == []
    assert len(DOCUMENTED) - len(missing) > 230


def test_every_reason_is_needed() -> None:
    missing = [line.split()[1] for line in DOCUMENTED if not served(*line.split())]
    assert [pattern for pattern in NOT_SERVED if not any(re.match(pattern, path) for path in missing)] == []


def test_the_client_can_write_every_setting_that_an_application_has() -> None:
    actions = {"instant_deploy", "force_domain_override"}
    assert set(UPDATE_RULES) - set(ApplicationSettings.model_fields) == actions
    assert set(ApplicationSettings.model_fields) - set(UPDATE_RULES) == set()
