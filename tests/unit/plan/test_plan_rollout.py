"""What stands in the way of a rolling update, told in the plan and before a release."""

from pathlib import Path

import pytest

from coolify.api import Application
from coolify.config import load_config
from coolify.plan import judge_rollout

LEAST = "server: https://coolify.example.com\nproject: {name: shop}\n"


def judged(text: str = "", **raw) -> str:
    config = load_config(Path(".coolify/config.yml"), text=LEAST + text)
    application = Application.model_validate({"uuid": "a1", "name": "shop", "raw": raw})
    return " ".join(one.summary for one in judge_rollout(config, application))


@pytest.mark.parametrize(
    ("text", "raw", "reason"),
    [
        ("resources: {port_mappings: ['8080:80']}", {}, "resources.port_mappings holds 8080:80"),
        ("source: {repository: /git/shop}\nbuild: {pack: dockercompose}", {}, "build.pack is dockercompose"),
        ("", {"is_consistent_container_name_enabled": True}, "consistent name"),
        ("", {"custom_internal_name": "shop-web"}, "shop-web"),
        ("", {"custom_docker_run_options": "--ip 10.0.1.7 --init"}, "--ip"),
    ],
)
def test_what_makes_coolify_stop_the_old_version_first_is_named(text: str, raw: dict, reason: str) -> None:
    assert reason in judged(text, **raw)


def test_a_usual_application_is_updated_without_a_gap() -> None:
    assert judged("", is_consistent_container_name_enabled=False, custom_docker_run_options="--init") == ""
