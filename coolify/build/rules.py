"""The rules: what lines of a log mean, and what to do; the most specific ones first.

The texts are those that git, Docker's BuildKit, Nixpacks, npm, pnpm, yarn, pip, poetry, Go and apt print.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["RULES", "Again", "Rule", "When"]


class When(StrEnum):
    """The part of a log in which a line counts."""

    ANY = "any"
    BUILD = "build"
    START = "start"
    """After the build: what the container prints, and Coolify about it."""


class Again(StrEnum):
    """How a second attempt differs from the first, by what is safe for the cause."""

    WITHOUT_CACHE = "without cache"
    """Everything is built anew: what a cached layer has spoiled is gone."""
    UNCHANGED = "unchanged"
    """The cause passes by itself, and the cache saves the downloads that succeeded."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One cause of failed builds."""

    name: str
    """Name of the finding, and the heading in docs/troubleshooting.md."""
    summary: str
    patterns: tuple[str, ...]
    """Regular expressions of which one fits a line."""
    remedy: str
    """What to change, with the keys of the configuration."""
    again: Again = Again.WITHOUT_CACHE
    when: When = When.ANY

    def fits(self, line: str, *, started: bool = False) -> bool:
        """Whether a line of the log shows this cause.

        Args:
            line: The line.
            started: Whether the build is over, and the container is started.
        """
        if self.when is not When.ANY and started is not (self.when is When.START):
            return False
        return any(re.search(pattern, line) for pattern in self.patterns)


RULES: Final = (
    Rule(
        "build-out-of-disk",
        "The server's disk is full.",
        (
            r"no space left on device",
            r"ENOSPC",
        ),
        "Free room on the server (Coolify: Servers, Docker Cleanup) or enlarge its disk.",
    ),
    Rule(
        "build-out-of-memory",
        "The build was killed for want of memory.",
        (
            r"exit code:? 137\b",
            r"JavaScript heap out of memory",
            r"signal: killed",
            r"\bOOMKilled\b",
        ),
        (
            "Give the server more memory or swap, or build on a build server. `resources.memory` limits the "
            "running container, not the build. For Node, set `env.NODE_OPTIONS` to "
            "`--max-old-space-size=2048`."
        ),
        # Layers that were built before are no burden the second time.
        Again.UNCHANGED,
        When.BUILD,
    ),
    Rule(
        "start-out-of-memory",
        "The new container was killed for want of memory.",
        (
            r"exit code:? 137\b",
            r"JavaScript heap out of memory",
            r"java\.lang\.OutOfMemoryError",
            r"was sent SIGKILL! Perhaps out of memory",
            r"\bOOMKilled\b",
            r"(^|: )Killed$",
            r"\bMemoryError$",
        ),
        "Raise `resources.memory`, or let the application use less.",
        Again.UNCHANGED,
        When.START,
    ),
    Rule(
        "build-architecture-mismatch",
        "The image or a binary is for another processor architecture than the server.",
        (
            r"exec format error",
            r"no match for platform in manifest",
            r"does not match the (specified|detected host) platform",
        ),
        (
            "Use a base image for the server's architecture, or publish `source.image` for both linux/amd64 "
            "and linux/arm64."
        ),
    ),
    Rule(
        "build-registry-rate-limit",
        "The registry limits pulls, and the limit is reached.",
        (
            r"toomanyrequests",
            r"pull rate limit",
        ),
        (
            "Log in on the server (`docker login`) or take the base image from another registry; the limit "
            "of Docker Hub is over after some hours."
        ),
    ),
    Rule(
        "build-registry-denied",
        "The registry does not let the server read an image.",
        (
            r"pull access denied",
            r"unauthorized: authentication required",
            r"denied: requested access to the resource is denied",
        ),
        ("Check the name in `source.image` or in the Dockerfile's FROM, and log in on the server with `docker login`."),
    ),
    Rule(
        "build-image-missing",
        "An image with this tag does not exist.",
        (
            r"manifest unknown",
            r"manifest for \S+ not found",
            r"failed to resolve source metadata for .*: not found",
        ),
        "Correct `source.tag` or the tag in the Dockerfile's FROM.",
    ),
    Rule(
        "build-branch-missing",
        "The branch does not exist in the repository.",
        (
            r"Remote branch \S+ not found in upstream",
            r"couldn't find remote ref",
        ),
        "Correct `source.branch`.",
    ),
    Rule(
        "build-submodule-failed",
        "A Git submodule could not be fetched.",
        (
            r"clone of .* into submodule path .* failed",
            r"Failed to clone '.*'\. Retry scheduled",
            r"fatal: No url found for submodule path",
        ),
        "Use https addresses that the server can read in .gitmodules, and commit the file.",
    ),
    Rule(
        "build-repository-denied",
        "The server may not read the repository.",
        (
            r"Permission denied \(publickey\)",
            r"could not read Username for 'https",
            r"fatal: Authentication failed for",
            r"remote: Repository not found",
        ),
        (
            "Correct `source.repository`; for a private one use the ssh address and set "
            "`source.private_key`. For a private Go module or npm Git dependency, give the build a token by "
            "`env`."
        ),
    ),
    Rule(
        "build-private-dependency",
        "A package is private, and the build may not read it.",
        (
            r"npm (error|ERR!) code E40[13]",
            r"npm (error|ERR!) 404 .*is not in (this|the npm) registry",
            r"ERROR: HTTP error 401 while getting",
        ),
        (
            "Give the build the registry's token as a variable in `env` with `build: true`, and use it in "
            ".npmrc or pip.conf."
        ),
    ),
    Rule(
        "build-dockerfile-missing",
        "There is no Dockerfile at the configured place.",
        (
            r"failed to read dockerfile",
            r"[Uu]nable to (prepare context|evaluate symlinks in Dockerfile path)",
        ),
        "Correct `build.dockerfile` and `build.base_directory`, or set `build.pack: nixpacks`.",
    ),
    Rule(
        "build-base-directory-wrong",
        "The directory to build in does not hold an application.",
        (
            r"Nixpacks was unable to generate a build plan",
            r"Railpack could not determine how to build",
            r"cd: \S+: No such file or directory",
            r"ENOENT: no such file or directory, open '\S*package\.json'",
        ),
        (
            "Set `build.base_directory` to the directory of the repository that holds the application, as in "
            "`/apps/web`."
        ),
    ),
    Rule(
        "build-copy-source-missing",
        "A file that the Dockerfile copies does not exist in the build context.",
        (
            r"failed to (compute cache key|calculate checksum of ref).*not found",
            r"COPY failed:",
        ),
        ("Commit the file, take it out of .dockerignore, or correct `build.base_directory`; paths are relative to it."),
    ),
    Rule(
        "build-dockerfile-syntax",
        "The Dockerfile has a mistake.",
        (
            r"dockerfile parse error",
            r"unknown instruction:",
        ),
        "Correct the line that the log names.",
    ),
    Rule(
        "build-lockfile-mismatch",
        "The lock file does not fit the package file.",
        (
            r"`npm ci` can only install packages when your package\.json and package-lock\.json",
            r"ERR_PNPM_OUTDATED_LOCKFILE",
            r"Your lockfile needs to be updated",
            r"The lockfile would have been modified by this install",
            r"pyproject\.toml changed significantly since poetry\.lock",
        ),
        "Run the package manager's install in the repository and commit the lock file.",
    ),
    Rule(
        "build-script-missing",
        "The script that is to be run does not exist in package.json.",
        (
            r"npm (error|ERR!) Missing script",
            r"ERR_PNPM_NO_SCRIPT",
            r"error Command \"\S+\" not found\.",
        ),
        "Correct `build.build_command` or `build.start_command`, or add the script to package.json.",
    ),
    Rule(
        "build-runtime-unsupported",
        "The version of the language does not fit what the application asks for.",
        (
            r"npm (error|ERR!) code EBADENGINE",
            r"The engine \"node\" is incompatible with this module",
            r"ERR_PNPM_UNSUPPORTED_ENGINE",
            r"go\.mod requires go >= \S+ \(running go",
            r"requires a different Python",
        ),
        (
            "Choose the version: `env.NIXPACKS_NODE_VERSION` (or `NIXPACKS_PYTHON_VERSION`, "
            "`NIXPACKS_GO_VERSION`), or another FROM in the Dockerfile."
        ),
    ),
    Rule(
        "build-dependency-conflict",
        "Packages ask for versions that exclude each other.",
        (
            r"npm (error|ERR!) code ERESOLVE",
            r"ResolutionImpossible",
        ),
        "Align the versions in the package file and commit the lock file.",
    ),
    Rule(
        "build-dependency-missing",
        "A package, or the wanted version of it, does not exist.",
        (
            r"No matching distribution found for",
            r"npm (error|ERR!) code ETARGET",
            r"go: .*: unknown revision",
        ),
        "Correct name and version in the package file.",
    ),
    Rule(
        "build-apt-failed",
        "System packages could not be installed.",
        (
            r"E: Unable to locate package",
            r"E: Failed to fetch",
            r"E: Package '\S+' has no installation candidate",
        ),
        (
            "Run apt-get update in the same RUN as apt-get install, and check the package's name for the "
            "release of the base image."
        ),
    ),
    Rule(
        "build-compiler-missing",
        "A package is compiled, and the tools for that are not in the image.",
        (
            r"gyp ERR! find Python",
            r"error: command '(gcc|x86_64-linux-gnu-gcc)' failed",
            r"gcc: not found",
            r"pg_config executable not found",
        ),
        (
            "Install the compiler and headers, with `env.NIXPACKS_APT_PKGS` or in the Dockerfile, or use a "
            "prebuilt package."
        ),
    ),
    Rule(
        "build-env-missing",
        "A variable that the build needs is not set.",
        (
            r"KeyError: '[A-Z][A-Z0-9_]+'",
            r"Environment variable not found: [A-Z]",
            r"Missing required environment variable",
            r"Invalid environment variables",
        ),
        "Set the variable in `env` and leave `build: true`; a Dockerfile needs an ARG of that name too.",
    ),
    Rule(
        "build-network",
        "The network failed while something was downloaded.",
        (
            r"EAI_AGAIN",
            r"ECONNRESET",
            r"ETIMEDOUT",
            r"Temporary failure (in name resolution|resolving)",
            r"TLS handshake timeout",
            r"Could not resolve host",
            r"dial tcp .*: i/o timeout",
            r"ReadTimeoutError",
        ),
        "Often it is over with the next attempt. If not, check the server's DNS and firewall.",
        Again.UNCHANGED,
    ),
    Rule(
        "build-cache-broken",
        "The build cache is damaged.",
        (
            r"failed to (prepare|solve).*(parent snapshot|snapshot) \S+ does not exist",
            r"failed to get layer .*: layer does not exist",
            r"npm (error|ERR!) code EINTEGRITY",
        ),
        "A build without cache replaces it; if it goes on, prune the build cache on the server.",
    ),
    Rule(
        "start-health-check-without-client",
        "Coolify's health check needs curl or wget, and the image has neither.",
        (
            r"exec: \"?curl\"?: executable file not found",
            r"(curl|wget): (command )?not found",
        ),
        ("Install curl in the image, or set `health.container.enabled: false` and rely on the gate from the outside."),
    ),
    Rule(
        "start-port-not-open",
        "Nothing listens on the port that is asked.",
        (
            r"Failed to connect to (localhost|127\.0\.0\.1|::1|\[::1\]) port \d+",
            r"(can't|cannot) connect to remote host .*: Connection refused",
        ),
        (
            "Set `build.port` (or `health.port`) to the port that the application listens on, and let it "
            "listen on 0.0.0.0. `localhost` may be ::1 inside of the container."
        ),
    ),
    Rule(
        "start-port-taken",
        "The port on the server is used by another container.",
        (
            r"port is already allocated",
            r"address already in use",
        ),
        "Take the port out of the port mappings; the proxy needs none.",
    ),
    Rule(
        "start-health-check-failed",
        "The new container did not become healthy, and Coolify took it away.",
        (
            r"New container is not healthy",
            r"Healthcheck status: \"?unhealthy",
        ),
        (
            "Check `health.path` and `health.port`, and give a slow start more time with "
            "`health.container.start_period`."
        ),
    ),
    Rule(
        "build-command-missing",
        "A command does not exist in the image.",
        (
            r"exit code: 127\b",
            r"(sh|bash): (line )?(1|\d+): \S+: (command )?not found",
        ),
        (
            "Install what the command needs, or correct `build.install_command`, `build.build_command` and "
            "`build.start_command`."
        ),
    ),
)
"""In the order in which they are told when several fit."""
