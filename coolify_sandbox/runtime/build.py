"""Building: from a checkout to an image, by build pack."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from ruamel.yaml import YAML

from coolify_sandbox.runtime.contract import BuildPack, DeploymentFailedError, DeployRequest, LogEntry, LogSink
from coolify_sandbox.runtime.images import BuiltImage
from coolify_sandbox.runtime.shell import Finished, base_environment, run

__all__ = ["Checkout", "build", "checkout", "recipe_of", "resolve"]

_SKIPPED_INSTRUCTIONS: Final = frozenset({"EXPOSE", "HEALTHCHECK", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "SHELL"})
_PER_DEPLOYMENT: Final = frozenset({"COOLIFY_CONTAINER_NAME", "SOURCE_COMMIT"})
"""Variables that differ between deployments of the same commit; SOURCE_COMMIT is missing in one of HEAD."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A resolved commit."""

    commit: str
    message: str


async def resolve(request: DeployRequest, mirror: Path, log: LogSink) -> Checkout:
    """Fetch the repository into a bare mirror and resolve what is to be deployed.

    Raises:
        DeploymentFailedError: The repository, branch or commit cannot be read.
    """
    with _git_environment(request, mirror.parent) as environment:
        return await _resolve(request, mirror, environment, log)


async def _resolve(request: DeployRequest, mirror: Path, environment: dict[str, str], log: LogSink) -> Checkout:
    pinned = request.commit if request.commit != "HEAD" else None
    log(
        LogEntry(
            f"Importing {request.git_repository}:{request.git_branch} (commit sha {request.commit}) to /artifacts."
        )
    )
    if not (mirror / "HEAD").exists():
        shutil.rmtree(mirror, ignore_errors=True)
        mirror.mkdir(parents=True)
        await _checked(["git", "init", "--quiet", "--bare", "."], mirror, environment, log)
    branch = f"+refs/heads/{request.git_branch}:refs/heads/{request.git_branch}"
    repository, _ = _address(request.git_repository)
    await _checked(["git", "fetch", "--quiet", "--", repository, branch], mirror, environment, log)
    wanted = pinned or f"refs/heads/{request.git_branch}"
    revision = await _checked(["git", "rev-parse", "--verify", f"{wanted}^{{commit}}"], mirror, environment, log)
    commit = revision.output.splitlines()[-1]
    title = await _checked(["git", "log", "-1", "--format=%s", commit], mirror, environment, log)
    return Checkout(commit, title.output)


async def checkout(mirror: Path, commit: str, files: Path, log: LogSink) -> None:
    """Write the files of a commit into a directory."""
    environment = base_environment(mirror.parent)
    await _checked(
        ["git", f"--work-tree={files}", "checkout", "--quiet", "--force", commit, "--", "."], mirror, environment, log
    )


def recipe_of(request: DeployRequest) -> str:
    """Return a digest of everything but the commit that an image depends on."""
    variables = sorted(
        (name, value) for name, value in request.build_environment.items() if name not in _PER_DEPLOYMENT
    )
    parts = (
        request.build_pack.value,
        request.base_directory,
        request.publish_directory,
        request.install_command,
        request.build_command,
        request.start_command,
        request.dockerfile,
        request.dockerfile_location,
        request.docker_compose_location,
        request.compose_service,
        variables,
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


async def build(request: DeployRequest, files: Path, log: LogSink) -> BuiltImage:
    """Build what was checked out.

    Raises:
        DeploymentFailedError: The build failed; the log says why.
    """
    log(LogEntry("Building docker image started."))
    log(LogEntry("To check the current progress, click on Show Debug Logs."))
    match request.build_pack:
        case BuildPack.NIXPACKS | BuildPack.RAILPACK:
            image = await _build_nixpacks(request, files, log)
        case BuildPack.STATIC:
            image = _build_static(request)
        case BuildPack.DOCKERFILE:
            image = await _build_dockerfile(request, files, log)
        case BuildPack.DOCKERCOMPOSE:
            image = await _build_compose(request, files, log)
        case _:
            log(LogEntry(f"The sandbox cannot build {request.build_pack.value} applications.", type="stderr"))
            raise DeploymentFailedError(request.build_pack.value)
    log(LogEntry("Building docker image completed."))
    return image


async def _build_nixpacks(request: DeployRequest, files: Path, log: LogSink) -> BuiltImage:
    directory = files / request.base_directory.strip("/")
    if not directory.is_dir():
        log(LogEntry(f"Base directory {request.base_directory} does not exist in the repository.", type="stderr"))
        raise DeploymentFailedError("base directory")
    for command in (request.install_command, request.build_command):
        if command:
            await _shell(command, directory, request.build_environment, log)
    start = request.start_command or _procfile(directory)
    if start is None:
        log(LogEntry("Nixpacks was unable to generate a build plan: No start command could be found.", type="stderr"))
        raise DeploymentFailedError("no start command")
    return BuiltImage(start, request.base_directory.strip("/"), recipe=recipe_of(request))


def _procfile(directory: Path) -> str | None:
    procfile = directory / "Procfile"
    if not procfile.is_file():
        return None
    lines = [line.partition(":") for line in procfile.read_text().splitlines()]
    return next((command.strip() for name, _, command in lines if name.strip() == "web"), None)


def _build_static(request: DeployRequest) -> BuiltImage:
    directory = f"{request.base_directory.strip('/')}/{request.publish_directory.strip('/')}".strip("/")
    command = f'exec {shlex.quote(sys.executable)} -m http.server --bind 127.0.0.1 "$PORT"'
    return BuiltImage(command, directory, recipe=recipe_of(request))


async def _build_dockerfile(request: DeployRequest, files: Path, log: LogSink) -> BuiltImage:
    """Carry out the instructions of a Dockerfile in the checkout itself: there is no container here.

    What cannot be done without one fails with its own line in the log.
    """
    context = files / request.base_directory.strip("/")
    if request.dockerfile is None:
        path = context / request.dockerfile_location.strip("/")
        if not path.is_file():
            log(LogEntry(f"failed to read dockerfile: open {path.name}: no such file or directory", type="stderr"))
            raise DeploymentFailedError("no Dockerfile")
        text = path.read_text()
    else:
        text = request.dockerfile
    work = context
    environment: dict[str, str] = {}
    entrypoint, command = "", ""
    for instruction, argument in _instructions(text):
        log(LogEntry(f"{instruction} {argument}", hidden=True))
        match instruction:
            case "FROM" | "ARG":
                continue
            case "WORKDIR":
                work = context
            case "ENV":
                environment |= _assignments(argument)
            case "COPY" | "ADD":
                _copy(context, work, argument, log)
            case "RUN":
                await _shell(argument, work, request.build_environment | environment, log)
            case "CMD":
                command = _exec_form(argument)
            case "ENTRYPOINT":
                entrypoint = _exec_form(argument)
            case _ if instruction in _SKIPPED_INSTRUCTIONS:
                continue
            case _:
                log(LogEntry(f"The sandbox does not know the instruction {instruction}.", type="stderr"))
                raise DeploymentFailedError(instruction)
    start = " ".join(part for part in (entrypoint, command) if part)
    if not start:
        log(LogEntry("The Dockerfile has neither CMD nor ENTRYPOINT.", type="stderr"))
        raise DeploymentFailedError("no command")
    return BuiltImage(start, request.base_directory.strip("/"), environment, recipe_of(request))


async def _build_compose(request: DeployRequest, files: Path, log: LogSink) -> BuiltImage:
    """Build the one service of a compose file that visitors reach; the others would need containers."""
    location = f"{request.base_directory.strip('/')}/{request.docker_compose_location.lstrip('/')}".lstrip("/")
    path = files / location
    document = YAML(typ="safe").load(path.read_text()) if path.is_file() else None
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict):
        log(LogEntry(f"Docker Compose file not found at: /{location}", type="stderr"))
        raise DeploymentFailedError("no compose file")
    name = request.compose_service or next(iter(services), "")
    service = services.get(name) or {}
    for other in sorted(set(services) - {name}):
        log(LogEntry(f"The sandbox does not start the service {other}: it runs one process an application."))
    context = service.get("build")
    if context is None:
        log(LogEntry(f"The service {name} is not built here, and the sandbox has no registry for it.", type="stderr"))
        raise DeploymentFailedError("no build context")
    told = context if isinstance(context, dict) else {"context": context}
    directory = f"/{(Path(location).parent / str(told.get('context') or '.')).as_posix()}"
    dockerfile = f"/{told.get('dockerfile') or 'Dockerfile'}"
    one = replace(request, dockerfile=None, base_directory=directory, dockerfile_location=dockerfile)
    image = await _build_dockerfile(one, files, log)
    return replace(image, recipe=recipe_of(request))


def _instructions(text: str) -> list[tuple[str, str]]:
    joined = text.replace("\\\n", " ")
    lines = [line.strip() for line in joined.splitlines() if line.strip() and not line.strip().startswith("#")]
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def _assignments(argument: str) -> dict[str, str]:
    words = shlex.split(argument)
    if words and "=" not in words[0]:
        return {words[0]: " ".join(words[1:])}
    return dict(word.partition("=")[::2] for word in words)


def _exec_form(argument: str) -> str:
    try:
        words = json.loads(argument)
    except ValueError:
        return argument
    return shlex.join(words)


def _copy(context: Path, work: Path, argument: str, log: LogSink) -> None:
    """Check that the sources exist: the checkout is context and file system in one, nothing has to move."""
    *sources, _target = [word for word in shlex.split(argument) if not word.startswith("--")]
    for source in sources:
        if source not in {".", "./"} and not list(context.glob(source.strip("/"))):
            log(LogEntry(f'COPY failed: "/{source.strip("/")}": not found', type="stderr"))
            raise DeploymentFailedError(f"{source} is missing in {work.name}")


async def _shell(command: str, directory: Path, variables: dict[str, str], log: LogSink) -> None:
    environment = base_environment(directory) | variables
    finished = await run(["/bin/sh", "-c", command], directory, environment)
    kind: Literal["stdout", "stderr"] = "stderr" if finished.code else "stdout"
    log(LogEntry(finished.output, command=command, type=kind, hidden=not finished.code))
    if finished.code:
        log(LogEntry(f"Command execution failed (exit code {finished.code}): {command}", type="stderr"))
        raise DeploymentFailedError(command)


async def _checked(command: list[str], directory: Path, environment: dict[str, str], log: LogSink) -> Finished:
    finished = await run(command, directory, environment)
    kind: Literal["stdout", "stderr"] = "stderr" if finished.code else "stdout"
    log(LogEntry(finished.output, command=shlex.join(command), type=kind, hidden=True))
    if finished.code:
        reason = finished.output.splitlines()[-1] if finished.output else f"exit code {finished.code}"
        log(LogEntry(f"Deployment failed: {reason}", type="stderr"))
        raise DeploymentFailedError(reason)
    return finished


@contextmanager
def _git_environment(request: DeployRequest, home: Path) -> Iterator[dict[str, str]]:
    """Yield the environment of git, with the deploy key where there is one, as Coolify hands it over."""
    environment = base_environment(home)
    if request.private_key is None:
        yield environment
        return
    _, port = _address(request.git_repository)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "id"
        file.touch(mode=0o600)
        file.write_text(request.private_key.strip() + "\n")
        options = "-F /dev/null -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityAgent=none"
        unchecked = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        yield environment | {"GIT_SSH_COMMAND": f"ssh {options} {unchecked} -p {port} -i {shlex.quote(str(file))}"}


def _address(repository: str) -> tuple[str, int]:
    """Return what git is given, and the port of ssh.

    Coolify keeps only `owner/name` of repositories on github.com, and writes a port as `git@host:2222/path`.
    """
    ported = re.fullmatch(r"([^/:]+@[^/:]+):(\d+)/(.+)", repository)
    if ported:
        return f"{ported[1]}:{ported[3]}", int(ported[2])
    bare = repository.count("/") == 1 and not repository.startswith(("/", "git@")) and "://" not in repository
    return (f"https://github.com/{repository}.git" if bare else repository), 22
