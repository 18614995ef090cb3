"""Domains of the file and of Coolify side by side."""

import json

import pytest

from coolify.api import Application
from coolify.config import Config, Project
from coolify.plan import domain_urls, list_domains, stored_domains

CONFIG = Config(
    server="https://coolify.example.com",
    project=Project(name="shop"),
    domains=({"primary": "app.example.com"}, {"api": "api.example.com", "ssl": False, "path": "/v1"}),
)


def application(**fields: object) -> Application:
    return Application(uuid="a" * 24, name="shop", raw=fields)


def test_what_both_have_is_listed_once_in_the_order_of_the_file() -> None:
    listed = list_domains(CONFIG, "https://old.example.com, https://APP.example.com/")
    assert [(one.url, one.entry, one.in_file, one.in_coolify) for one in listed] == [
        ("https://app.example.com", "primary", True, True),
        ("http://api.example.com/v1", "api", True, False),
        ("https://old.example.com", None, False, True),
    ]


@pytest.mark.parametrize("store", [json.dumps, lambda services: services])
def test_domains_of_services_of_a_compose_file_are_coolifys_too(store) -> None:
    services = {"web": {"domain": "https://a.example.com,https://b.example.com"}, "db": {"domain": None}}
    found = stored_domains(application(docker_compose_domains=store(services)))
    assert [one.host for one in list_domains(CONFIG, found)][2:] == ["a.example.com", "b.example.com"]


def test_an_application_without_domains_has_none() -> None:
    assert stored_domains(None) == ""
    assert not any(one.in_coolify for one in list_domains(CONFIG, stored_domains(application())))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://Shop.example.com/", "https://shop.example.com", True),
        ("https://a.example.com,https://b.example.com", "https://b.example.com, https://a.example.com", True),
        (None, "", True),
        ("http://shop.example.com", "https://shop.example.com", False),
        ("https://shop.example.com/Api", "https://shop.example.com/api", False),
        ("https://shop.example.com:3000", "https://shop.example.com", False),
    ],
)
def test_lists_that_lead_to_the_same_are_the_same_however_they_are_written(one, other, same) -> None:
    assert (set(domain_urls(one)) == set(domain_urls(other))) is same
