"""The domains of an application in Coolify with one host more or less; pure.

Domains that only Coolify has stay: whoever adds one name does not mean the others.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from coolify.api import Application, ApplicationSettings
from coolify.plan.difference import SettingsPlan, plan_settings
from coolify.plan.domains import domain_urls

__all__ = ["plan_with_domains", "plan_without_host"]


def plan_with_domains(application: Application, urls: tuple[str, ...]) -> SettingsPlan:
    """Return what adds URLs to an application; the same host under the other scheme gives way."""
    new = {url.lower() for url in urls}
    there = tuple(one for one in domain_urls(application.fqdn) if one not in new and _other_scheme(one) not in new)
    return _plan(application, (*there, *urls))


def plan_without_host(application: Application, host: str) -> SettingsPlan:
    """Return what takes all URLs of a host from an application."""
    return _plan(application, tuple(one for one in domain_urls(application.fqdn) if urlsplit(one).hostname != host))


def _plan(application: Application, urls: tuple[str, ...]) -> SettingsPlan:
    return plan_settings(application, ApplicationSettings(domains=",".join(urls) or None))


def _other_scheme(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"{'http' if scheme == 'https' else 'https'}{separator}{rest}"
