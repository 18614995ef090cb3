"""One host more or less in Coolify, and everything else as it is."""

import json

from coolify.api import Application
from coolify.config import Domain
from coolify.plan import plan_with_domains, plan_without_host


def application(fqdn: str | None = None, **raw) -> Application:
    answer = {"uuid": "a", "name": "shop", "fqdn": fqdn, "build_pack": "nixpacks"} | raw
    return Application.model_validate(answer | {"raw": answer})


def domain(host: str, **more) -> Domain:
    return Domain(name="x", host=host, **more)


def compose(**services: str) -> Application:
    stored = json.dumps({name: {"domain": urls} for name, urls in services.items()})
    return application(build_pack="dockercompose", docker_compose_domains=stored)


def test_a_domain_joins_those_that_are_there() -> None:
    plan = plan_with_domains(application("https://a.test"), [domain("b.test"), domain("b.test", path="/v1")])
    assert plan.update.domains == "https://a.test,https://b.test,https://b.test/v1"


def test_a_domain_that_is_there_changes_nothing() -> None:
    assert plan_with_domains(application("https://A.test/,https://b.test"), [domain("a.test")]).is_empty


def test_the_other_scheme_of_the_same_address_gives_way() -> None:
    plan = plan_with_domains(application("http://a.test,https://b.test"), [domain("a.test")])
    assert plan.update.domains == "https://b.test,https://a.test"


def test_all_urls_of_a_host_go_and_only_those() -> None:
    plan = plan_without_host(application("https://a.test,http://b.test/v1,https://b.test,https://ab.test"), "b.test")
    assert plan.update.domains == "https://a.test,https://ab.test"
    assert plan_without_host(application("https://a.test"), "b.test").is_empty


def test_the_last_domain_is_taken_away_explicitly() -> None:
    plan = plan_without_host(application("https://a.test"), "a.test")
    assert plan.update.model_fields_set == {"domains"}
    assert plan.update.domains is None


def test_a_service_of_a_compose_file_gets_its_domain_and_the_others_keep_theirs() -> None:
    there = compose(web="https://a.test", api="https://api.test")
    plan = plan_with_domains(there, [domain("b.test", service="web")])
    assert plan.update.model_fields_set == {"docker_compose_domains"}
    assert {one.name: one.domain for one in plan.update.docker_compose_domains} == {
        "web": "https://a.test,https://b.test",
        "api": "https://api.test",
    }
    assert plan_with_domains(there, [domain("a.test", service="web")]).is_empty


def test_a_service_of_a_compose_file_can_lose_its_last_domain() -> None:
    plan = plan_without_host(compose(web="https://a.test", api="https://api.test"), "api.test")
    assert {one.name: one.domain for one in plan.update.docker_compose_domains} == {"web": "https://a.test", "api": ""}
