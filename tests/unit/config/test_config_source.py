"""What the sections `source`, `build`, `resources` and `domains` refuse together."""

from typing import Any

import pytest
from pydantic import ValidationError

from coolify.config import Config, Source

LEAST: dict[str, Any] = {"server": "https://coolify.example.com", "project": {"name": "shop"}}
GIT = {"repository": "https://github.com/example/shop"}
DIGEST = f"sha256:{'a' * 64}"


def config(**sections: Any) -> Config:
    return Config.model_validate(LEAST | sections)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ({}, "exactly one of"),
        (GIT | {"image": "nginx"}, "exactly one of"),
        ({"image": "nginx", "private_key": "k"}, "`private_key` is of use with `repository` only"),
        ({"image": "nginx", "webhook": {"url": "https://h.example.com"}}, "`webhook` is of use with `repository` only"),
        (GIT | {"registry": {"user": "a", "password": "${P}"}}, "`registry` is of use with `image` only"),
        (GIT | {"private_key": "k", "github_app": "a"}, "keep one"),
        ({"image": f"nginx@{DIGEST}", "tag": "1"}, "remove `tag`"),
    ],
)
def test_a_source_has_one_origin_and_one_way_to_it(source: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        config(source=source)


@pytest.mark.parametrize(
    ("source", "stored"),
    [
        ({"image": "ghcr.io/team/app", "tag": "1.0"}, ("ghcr.io/team/app", "1.0")),
        ({"image": "nginx"}, ("nginx", "latest")),
        ({"image": f"nginx@{DIGEST}"}, ("nginx@sha256", "a" * 64)),
    ],
)
def test_an_image_is_written_as_coolify_stores_it(source: dict[str, Any], stored: tuple[str, str]) -> None:
    made = Source.model_validate(source)
    assert (made.image_name, made.image_tag) == stored


def test_the_address_of_a_git_hosts_api_is_left_as_it_is() -> None:
    webhook = {"url": "https://hooks.example.com/api/", "host": "gitea", "api": "https://git.example.com/api/v1"}
    made = config(source=GIT | {"webhook": webhook}).source
    assert made is not None
    assert made.webhook is not None
    assert (made.webhook.url, made.webhook.api) == ("https://hooks.example.com/api", "https://git.example.com/api/v1")


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        ({"dockerfile": "/Dockerfile"}, "build pack dockerfile only"),
        ({"compose_file": "/compose.yml"}, "build pack dockercompose only"),
        ({"pack": "dockercompose", "install_command": "npm ci"}, "of no use with the build pack dockercompose"),
        ({"base_directory": "/a:b"}, "must not hold ':'"),
        ({"port": 80, "ports": [80, 81]}, "port"),
    ],
)
def test_a_build_names_what_its_pack_knows(build: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        config(build=build)


@pytest.mark.parametrize(
    ("pack", "domain", "reason"),
    [
        ("dockercompose", {"primary": "a.example.com"}, "needs `service`"),
        ("nixpacks", {"primary": "a.example.com", "service": "web"}, "pack: dockercompose"),
    ],
)
def test_domains_lead_to_services_of_a_compose_file_and_of_nothing_else(pack: str, domain: Any, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        config(build={"pack": pack}, domains=[domain])


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        ({"volumes": [{"name": "a b", "mount_path": "/a"}]}, "not a volume's name"),
        ({"volumes": [{"name": "a", "mount_path": "a"}]}, "must start with"),
        ({"volumes": [{"name": "a", "mount_path": "/a"}, {"name": "a", "mount_path": "/b"}]}, "name a twice"),
        ({"volumes": [{"name": "a", "mount_path": "/a"}, {"name": "b", "mount_path": "/a"}]}, "mount_path /a twice"),
        ({"port_mappings": ["8080"]}, "not two ports"),
        ({"port_mappings": ["8080:70000"]}, "not two ports"),
        ({"port_mappings": ["8080:80", "8080:81"]}, "port 8080 twice"),
    ],
)
def test_volumes_and_ports_are_said_once_and_rightly(resources: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        config(resources=resources)
