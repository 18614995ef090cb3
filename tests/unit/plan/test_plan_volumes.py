"""Volumes, ports and domains of compose services beside what Coolify has."""

import json
from typing import Any

from coolify.api import Application, ApplicationSettings
from coolify.api.extras import Volume, VolumeWrite
from coolify.api.settings import ComposeDomain
from coolify.config import Config
from coolify.plan import (
    compose_domains,
    desired_domains,
    desired_settings,
    desired_volumes,
    fingerprint,
    plan_settings,
    plan_volumes,
)

UUID = "a" * 24
LEAST: dict[str, Any] = {"server": "https://coolify.example.com", "project": {"name": "shop"}}
COMPOSE: dict[str, Any] = LEAST | {
    "source": {"repository": "https://github.com/example/shop"},
    "build": {"pack": "dockercompose", "compose_file": "/compose.yml", "build_command": "docker compose build --pull"},
    "domains": [
        {"primary": "shop.example.com", "service": "web"},
        {"www": "www.example.com", "service": "web"},
        {"api": "api.example.com", "service": "api"},
    ],
}


def application(**raw: Any) -> Application:
    fields = {"uuid": UUID, "name": "shop"} | raw
    return Application.model_validate({**fields, "raw": fields})


def volume(name: str, mount_path: str, host_path: str | None = None) -> Volume:
    return Volume(uuid="v" * 24, name=name, mount_path=mount_path, host_path=host_path)


def test_a_volume_is_known_by_the_name_that_docker_gives_it() -> None:
    plan = plan_volumes(
        application(), [volume(f"{UUID}-data", "/data")], [VolumeWrite(name="data", mount_path="/data")]
    )
    assert (plan.writes, plan.changes, plan.unmanaged) == ((), (), ())


def test_what_is_missing_is_created_and_what_is_elsewhere_is_mounted_again() -> None:
    wanted = [VolumeWrite(name="data", mount_path="/data"), VolumeWrite(name="logs", mount_path="/l", host_path="/srv")]
    plan = plan_volumes(application(), [volume(f"{UUID}-logs", "/l")], wanted)
    assert plan.writes == tuple(wanted)
    assert [str(one) for one in plan.changes] == ["volume data created", "volume logs: /l -> /l from /srv"]


def test_other_volumes_are_nobodys_business_but_those_of_a_compose_file_are_its_own() -> None:
    other = volume(f"{UUID}-other", "/other")
    assert plan_volumes(application(), [other], []).unmanaged == (other,)
    assert plan_volumes(application(build_pack="dockercompose"), [other], []).unmanaged == ()


def test_volumes_are_part_of_the_fingerprint_once_there_are_some() -> None:
    settings, volume = ApplicationSettings(), VolumeWrite(name="data", mount_path="/data")
    assert fingerprint(settings, ()) == fingerprint(settings, (), volumes=())
    assert fingerprint(settings, ()) != fingerprint(settings, (), volumes=(volume,))


def test_a_compose_file_has_domains_by_service_and_commands_of_its_own() -> None:
    config = Config.model_validate(COMPOSE)
    wanted = desired_settings(config).model_dump(exclude_unset=True)
    assert desired_domains(config) is None
    assert wanted["docker_compose_domains"] == (
        {"name": "web", "domain": "https://shop.example.com,https://www.example.com"},
        {"name": "api", "domain": "https://api.example.com"},
    )
    assert wanted["docker_compose_location"] == "/compose.yml"
    assert wanted["docker_compose_custom_build_command"] == "docker compose build --pull"
    assert not {"domains", "build_command", "ports_exposes"} & set(wanted)


def test_domains_of_services_are_compared_as_sets_and_empty_ones_do_not_count() -> None:
    stored = {
        "api": {"domain": "https://api.example.com"},
        "web": {"domain": "https://www.example.com,https://shop.example.com/"},
        "worker": {"domain": None},
    }
    wanted = desired_settings(Config.model_validate(COMPOSE))
    present = {
        "build_pack": "dockercompose", "git_repository": "example/shop", "git_branch": "main", "git_commit_sha": "HEAD",
        "docker_compose_domains": json.dumps(stored),
    }  # fmt: skip
    changed = {one.subject for one in plan_settings(application(**present), wanted).changes}
    assert "docker_compose_domains" not in changed
    stored["api"]["domain"] = "https://elsewhere.example.com"
    present["docker_compose_domains"] = json.dumps(stored)
    changed = {one.subject for one in plan_settings(application(**present), wanted).changes}
    assert "docker_compose_domains" in changed


def test_what_coolify_stores_about_services_is_read_however_little_it_is() -> None:
    assert compose_domains(None) == compose_domains("[]") == compose_domains("{") == compose_domains('"x"') == ()
    assert compose_domains('{"web": {"domain": "https://a.example.com"}, "x": null}') == (
        ComposeDomain(name="web", domain="https://a.example.com"),
    )


def test_port_mappings_and_volumes_are_wanted_as_they_are_written() -> None:
    resources = {"port_mappings": ["8080:80", "9090:90"], "volumes": [{"name": "data", "mount_path": "/data"}]}
    config = Config.model_validate(LEAST | {"resources": resources})
    assert desired_settings(config).ports_mappings == "8080:80,9090:90"
    assert desired_volumes(config) == (VolumeWrite(name="data", mount_path="/data"),)
