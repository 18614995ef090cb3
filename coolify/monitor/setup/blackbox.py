"""Modules of a blackbox exporter and the targets that it probes: every domain of an application, at its health path.

The exporter sees what visitors see, wherever it runs: certificates are verified, redirects are an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from coolify.config import Config, Domain
from coolify.config.monitoring import Aspect
from coolify.monitor.setup.yaml import to_yaml
from coolify.monitor.watched import Watched

__all__ = ["JOB", "TARGETS", "blackbox_file", "blackbox_job", "password_files", "targets_file"]

JOB: Final = "coolify-blackbox"
"""Name of the job in Prometheus."""
TARGETS: Final = "coolify-targets.yml"
"""Name of the file with targets, beside the configuration of Prometheus."""
_USUAL_PORTS: Final = {"https": 443, "http": 80}
_UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True)
class _Target:
    watched: Watched
    url: str
    module: Mapping[str, Any]


def blackbox_file(watched: Iterable[Watched], secrets: PurePosixPath) -> str:
    """Return the whole configuration of a blackbox exporter (0.23 and later): one module for each way to judge.

    Args:
        watched: What is watched.
        secrets: Directory of the files with passwords, as the exporter sees it.
    """
    modules = {name: module for name, module, _ in _named(watched, secrets)}
    return to_yaml({"modules": modules}, "For a blackbox exporter of its own, or to copy modules from.")


def targets_file(watched: Iterable[Watched], secrets: PurePosixPath) -> str:
    """Return what is probed, as Prometheus reads it while it runs (`file_sd_configs`).

    Args:
        watched: What is watched.
        secrets: Directory of the files with passwords, as the exporter sees it.
    """
    groups = [
        {
            "targets": [target.url],
            "labels": {
                "coolify": target.watched.subject.coolify,
                "project": target.watched.subject.project,
                "environment": target.watched.subject.environment,
                "application": target.watched.subject.application,
                "__param_module": name,
            },
        }
        for name, _, target in _named(watched, secrets)
    ]
    return to_yaml(groups, "Read by Prometheus, which needs no restart when it changes.")


def blackbox_job(exporter: str, seconds: str) -> dict[str, Any]:
    """Return the job of Prometheus that lets the exporter probe.

    Args:
        exporter: Host and port of the exporter, as Prometheus reaches it.
        seconds: Time between two probes, as Prometheus writes it.
    """
    return {
        "job_name": JOB,
        "metrics_path": "/probe",
        "scrape_interval": seconds,
        "file_sd_configs": [{"files": [TARGETS]}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": exporter},
        ],
    }


def password_files(watched: Iterable[Watched]) -> tuple[str, ...]:
    """Return the names of the files with passwords that the modules refer to."""
    probed = [one.watched for one in _targets(watched, PurePosixPath())]
    return tuple(sorted({_password_file(one) for one in probed if _user(one.config)}))


def _named(watched: Iterable[Watched], secrets: PurePosixPath) -> Iterator[tuple[str, Mapping[str, Any], _Target]]:
    """Yield every target with its module and a name for that, the same for modules that are the same."""
    names: dict[str, Mapping[str, Any]] = {}
    for target in _targets(watched, secrets):
        # Names tell what is expected; a number tells apart what they do not.
        base = _name(target)
        number = 1
        name = base
        while names.setdefault(name, target.module) != target.module:
            number += 1
            name = f"{base}_{number}"
        yield name, target.module, target


def _targets(watched: Iterable[Watched], secrets: PurePosixPath) -> Iterator[_Target]:
    for one in watched:
        if Aspect.HEALTH not in one.config.monitoring.ignore:
            for domain in one.config.domains:
                yield _Target(one, _url(one.config, domain), _module(one, domain, secrets))


def _url(config: Config, domain: Domain) -> str:
    scheme = "https" if domain.ssl else "http"
    port = config.network.https_port if domain.ssl else config.network.http_port
    host = domain.host if port == _USUAL_PORTS[scheme] else f"{domain.host}:{port}"
    return f"{scheme}://{host}{domain.path.rstrip('/')}{config.health.path}"


def _module(watched: Watched, domain: Domain, secrets: PurePosixPath) -> Mapping[str, Any]:
    config = watched.config
    http: dict[str, Any] = {"valid_status_codes": list(_expected(config)), "follow_redirects": False}
    http["fail_if_ssl" if not domain.ssl else "fail_if_not_ssl"] = True
    if config.health.body is not None:
        http["fail_if_body_not_matches_regexp"] = [re.escape(config.health.body)]
    if domain.ssl and config.ca_path is not None:
        http["tls_config"] = {"ca_file": str(config.ca_path.resolve())}
    if user := _user(config):
        http["basic_auth"] = {"username": user, "password_file": str(secrets / _password_file(watched))}
    return {"prober": "http", "timeout": f"{config.health.timeout:g}s", "http": http}


def _expected(config: Config) -> tuple[int, ...]:
    """Return the status codes that are good."""
    auth = config.security.basic_auth
    # Where nobody's password is known, only hashes, that it is asked for is all that can be seen.
    asked = (_UNAUTHORIZED,) if auth and auth.enabled and _user(config) is None else ()
    return tuple(dict.fromkeys((*config.health.expect, *asked)))


def _user(config: Config) -> str | None:
    """Return who the exporter says it is, where visitors are asked."""
    auth = config.security.basic_auth
    if auth is None or not auth.enabled:
        return None
    return next((one.name for one in auth.users if one.password is not None), None)


def _password_file(watched: Watched) -> str:
    subject = watched.subject
    place = f"{subject.project}-{subject.environment}-{subject.application}"
    return f"password-{re.sub(r'[^A-Za-z0-9_.-]', '-', place)}"


def _name(target: _Target) -> str:
    """Return for example `https_200`, `http_200_204` or `https_2xx`."""
    codes = sorted(target.module["http"]["valid_status_codes"])
    scheme = target.url.partition(":")[0]
    first, last = codes[0], codes[-1]
    if len(codes) > 1 and len(codes) == last - first + 1:
        is_class = first % 100 == 0 and last == first + 99
        return f"{scheme}_{first // 100}xx" if is_class else f"{scheme}_{first}_to_{last}"
    return "_".join((scheme, *(str(code) for code in codes)))
