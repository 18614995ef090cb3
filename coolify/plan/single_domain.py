"""The domains of an application in Coolify with one host more or less; pure.

Domains that only Coolify has stay: whoever adds one name does not mean the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from coolify.api import Application, ApplicationSettings
from coolify.api.settings import ComposeDomain
from coolify.config import Domain
from coolify.plan.difference import SettingsPlan, plan_settings
from coolify.plan.domains import compose_domains, domain_urls

__all__ = ["plan_with_domains", "plan_without_host"]

_COMPOSE = "dockercompose"


def plan_with_domains(application: Application, domains: Iterable[Domain]) -> SettingsPlan:
    """Return what adds domains to an application; the same address under the other scheme gives way."""
    new = tuple(domains)
    gone = {_without_scheme(one.url) for one in new}
    urls = {name: [url for url in there if _without_scheme(url) not in gone] for name, there in _urls(application)}
    for domain in new:
        urls.setdefault(domain.service or "", []).append(domain.url)
    return _plan(application, urls)


def plan_without_host(application: Application, host: str) -> SettingsPlan:
    """Return what takes all URLs of a host from an application."""
    return _plan(
        application,
        {name: [url for url in there if urlsplit(url).hostname != host] for name, there in _urls(application)},
    )


def _urls(application: Application) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the URLs of each service of a compose file, or those of the application under no name."""
    if application.build_pack != _COMPOSE:
        return (("", domain_urls(application.fqdn)),)
    services = compose_domains(application.raw.get("docker_compose_domains"))
    return tuple((one.name, domain_urls(one.domain)) for one in services)


def _plan(application: Application, urls: Mapping[str, list[str]]) -> SettingsPlan:
    if application.build_pack != _COMPOSE:
        return plan_settings(application, ApplicationSettings(domains=",".join(urls.get("", ())) or None))
    services = tuple(ComposeDomain(name=name, domain=",".join(listed)) for name, listed in urls.items())
    return plan_settings(application, ApplicationSettings(docker_compose_domains=services))


def _without_scheme(url: str) -> str:
    return url.lower().partition("://")[2]
