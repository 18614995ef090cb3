"""What can be known about a build before it is spent: a pure look at the files of a commit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from coolify.config import Build, BuildPack, Domain
from coolify.finding import Finding, Severity
from coolify.source.tree import SourceTree

__all__ = ["files_to_read", "judge_source", "not_inspected"]

_EXPOSE: Final = re.compile(r"^\s*EXPOSE\s+(.+)$", re.IGNORECASE | re.MULTILINE)
_NODE_LOCKS: Final = (
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lockb", "bun.lock",
)  # fmt: skip
_LOCKS: Final = {
    "package.json": _NODE_LOCKS,
    "composer.json": ("composer.lock",),
    "Gemfile": ("Gemfile.lock",),
    "Cargo.toml": ("Cargo.lock",),
    "go.mod": ("go.sum",),
    "mix.exs": ("mix.lock",),
    "Pipfile": ("Pipfile.lock",),
}
"""Manifest -> files that pin what it asks for, one of which belongs into the repository."""
_STARTS_ALONE: Final = (
    "Procfile", "go.mod", "Cargo.toml", "composer.json", "index.php", "mix.exs", "pom.xml", "build.gradle",
    "build.gradle.kts", "manage.py", "main.py", "index.html", "Staticfile", "deno.json", "nixpacks.toml",
    "railpack.json", "index.js", "config.ru", "bin/rails", "project.clj", "build.sbt", "Package.swift",
)  # fmt: skip
"""Files from which Nixpacks and Railpack derive a start command on their own, or which hold one."""


def files_to_read(build: Build) -> tuple[str, ...]:
    """Return the files whose text `judge_source` wants."""
    match build.pack:
        case BuildPack.DOCKERFILE:
            return (build.dockerfile_path,)
        case BuildPack.DOCKERCOMPOSE:
            return (build.compose_path,)
        case BuildPack.NIXPACKS | BuildPack.RAILPACK:
            return tuple(_below(build.directory, name) for name in ("package.json", "go.mod"))
        case BuildPack.STATIC:
            return ()


def judge_source(build: Build, domains: tuple[Domain, ...], tree: SourceTree) -> tuple[Finding, ...]:
    """Return what will go wrong in a build of this commit, and what may; nothing when all looks well.

    Args:
        build: How it is to be built.
        domains: The domains, which with a compose file lead to its services.
        tree: The files of the commit, with the texts of `files_to_read`.
    """
    if not tree.has_directory(build.directory):
        return (_missing_directory(build, tree),)
    judges: dict[BuildPack, Callable[[], tuple[Finding, ...]]] = {
        BuildPack.DOCKERFILE: lambda: _judge_dockerfile(build, tree),
        BuildPack.DOCKERCOMPOSE: lambda: _judge_compose(build, domains, tree),
        BuildPack.STATIC: lambda: _judge_static(build, tree),
    }
    judge = judges.get(build.pack)
    return judge() if judge else _judge_detected(build, tree)


def not_inspected(name: str, reason: str) -> Finding:
    """Return the finding of a repository that could not be looked into."""
    return Finding(
        name="source-not-inspected",
        severity=Severity.INFO,
        subject=name,
        summary=f"The files of the repository were not looked at beforehand. {reason}",
    )


def _judge_dockerfile(build: Build, tree: SourceTree) -> tuple[Finding, ...]:
    path = build.dockerfile_path
    if not tree.has(path):
        return (_missing_file("source-dockerfile-missing", "build.dockerfile", path, tree),)
    exposed = {
        port for line in _EXPOSE.findall(tree.texts.get(path, "")) for port in re.findall(r"(\d+)(?!\S*udp)", line)
    }
    wanted = set(build.ports_exposes.split(","))
    if not exposed or exposed & wanted:
        return ()
    return (
        Finding(
            name="source-port-differs",
            severity=Severity.WARNING,
            subject=path,
            summary=f"{path} exposes port {_listed(exposed)}, but the proxy will be led to {_listed(wanted)}.",
            remedy=f"Set build.port to {_listed(exposed)}, or let the application listen on {_listed(wanted)}.",
        ),
    )


def _judge_compose(build: Build, domains: tuple[Domain, ...], tree: SourceTree) -> tuple[Finding, ...]:
    path = build.compose_path
    if not tree.has(path):
        return (_missing_file("source-compose-file-missing", "build.compose_file", path, tree),)
    services = _services(tree.texts.get(path, ""))
    if services is None:
        return (
            Finding(
                name="source-compose-file-invalid",
                severity=Severity.ERROR,
                subject=path,
                summary=f"{path} at commit {tree.commit[:12]} is not a compose file with services.",
                remedy="Check it with `docker compose config`.",
            ),
        )
    return tuple(
        Finding(
            name="source-compose-service-unknown",
            severity=Severity.ERROR,
            subject=domain.host,
            summary=f"{domain.host} leads to the service '{domain.service}', which {path} does not have.",
            evidence=(f"services: {', '.join(sorted(services)) or 'none'}",),
            remedy=f"Correct `service` of the domain {domain.host}.",
        )
        for domain in domains
        if domain.service not in services
    )


def _judge_static(build: Build, tree: SourceTree) -> tuple[Finding, ...]:
    directory = _below(build.directory, (build.publish_directory or "/").strip("/"))
    if not tree.has_directory(directory):
        return (
            Finding(
                name="source-publish-directory-missing",
                severity=Severity.ERROR,
                subject=directory,
                summary=f"Commit {tree.commit[:12]} has no directory {directory}: there would be nothing to serve.",
                remedy="Correct build.publish_directory; `static` builds nothing, it serves what is committed.",
            ),
        )
    if tree.has(_below(directory, "index.html")):
        return ()
    return (
        Finding(
            name="source-index-missing",
            severity=Severity.WARNING,
            subject=f"/{directory}",
            summary=f"There is no index.html in /{directory} of the repository: `/` will answer 403 or 404.",
            remedy="Correct build.publish_directory, or use a build pack that builds the site.",
        ),
    )


def _judge_detected(build: Build, tree: SourceTree) -> tuple[Finding, ...]:
    """Judge what Nixpacks or Railpack will find out on their own."""
    own = _own_files(build, tree)
    package = _package(tree.texts.get(_below(build.directory, "package.json"), ""))
    go_module = tree.texts.get(_below(build.directory, "go.mod"), "")
    asking_nothing = {
        manifest
        for manifest, asks in (("package.json", _needs(package)), ("go.mod", "require" in go_module))
        if not asks
    }
    found = []
    if build.start_command is None and not _starts(own, package):
        found.append(
            Finding(
                name="source-start-command-unknown",
                severity=Severity.WARNING,
                subject=build.base_directory,
                summary="Nothing in the repository tells how the application is started.",
                evidence=(f"files: {', '.join(sorted(name for name in own if '/' not in name)[:12]) or 'none'}",),
                remedy="Set build.start_command, or add a Procfile with a line `web: ...`.",
            )
        )
    found += [
        Finding(
            name="source-lock-file-missing",
            severity=Severity.WARNING,
            subject=_below(build.directory, manifest),
            summary=f"{manifest} has no lock file beside it: two builds of one commit may install different versions.",
            remedy=f"Commit {locks[0]}.",
        )
        for manifest, locks in _LOCKS.items()
        if manifest in own and not own & set(locks) and manifest not in asking_nothing
    ]
    if build.port is None and not build.ports:
        found.append(
            Finding(
                name="source-port-assumed",
                severity=Severity.INFO,
                subject=build.base_directory,
                summary=f"build.port is not set: the application is expected to listen on {build.ports_exposes}.",
                remedy="Set build.port when it listens elsewhere.",
            )
        )
    return tuple(found)


def _missing_file(name: str, key: str, path: str, tree: SourceTree) -> Finding:
    return Finding(
        name=name,
        severity=Severity.ERROR,
        subject=path,
        summary=f"Commit {tree.commit[:12]} has no file {path}: the build would fail.",
        evidence=_similar("compose" if "compose" in key else "dockerfile", tree),
        remedy=f"Correct {key} or build.base_directory, or commit the file.",
    )


def _missing_directory(build: Build, tree: SourceTree) -> Finding:
    return Finding(
        name="source-directory-missing",
        severity=Severity.ERROR,
        subject=build.base_directory,
        summary=f"Commit {tree.commit[:12]} has no directory {build.directory}: the build would fail.",
        evidence=(
            f"directories: {', '.join(sorted({name.partition('/')[0] for name in tree.files if '/' in name})[:12])}",
        ),
        remedy="Correct build.base_directory.",
    )


def _own_files(build: Build, tree: SourceTree) -> frozenset[str]:
    """Return the files below the base directory, as seen from there."""
    prefix = f"{build.directory}/" if build.directory else ""
    return frozenset(name.removeprefix(prefix) for name in tree.files if name.startswith(prefix))


def _starts(own: frozenset[str], package: dict[str, Any]) -> bool:
    scripts = package.get("scripts")
    starts = isinstance(scripts, dict) and "start" in scripts
    return starts or bool(package.get("main")) or any(name in own for name in _STARTS_ALONE)


def _needs(package: dict[str, Any]) -> bool:
    return bool(package.get("dependencies") or package.get("devDependencies"))


def _package(text: str) -> dict[str, Any]:
    try:
        package = json.loads(text or "{}")
    except ValueError:
        return {}
    return package if isinstance(package, dict) else {}


def _services(text: str) -> frozenset[str] | None:
    try:
        document = YAML(typ="safe").load(text)
    except YAMLError:
        return None
    services = document.get("services") if isinstance(document, dict) else None
    return frozenset(str(name) for name in services) if isinstance(services, dict) and services else None


def _similar(word: str, tree: SourceTree) -> tuple[str, ...]:
    like = sorted(name for name in tree.files if word in name.rpartition("/")[2].lower())[:5]
    return (f"similar files: {', '.join(like)}",) if like else ()


def _below(directory: str, name: str) -> str:
    return f"{directory}/{name}".strip("/")


def _listed(ports: set[str]) -> str:
    return " or ".join(sorted(ports, key=int))
