"""Write `docs/coolify-compatibility.md` from the table of capabilities: `python -m coolify.api.compatibility docs`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from coolify.api.capabilities import FULL_SUPPORT, MINIMUM, Capabilities, CoolifyVersion, Feature
from coolify.api.errors import UnsupportedVersionError

__all__ = ["markdown"]

_COLUMNS: Final = ("4.0.0", "4.1.2", "4.2.0", "4.3.0")
"""The newest patch releases in which something changed; what comes after 4.3.0 is as 4.3.0."""

_EVERYWHERE: Final = (
    "reading version, team, servers, projects, environments, applications, variables, deployments and logs",
    "creating projects, environments and applications (public Git, deploy key, Dockerfile, image)",
    "writing settings, domains and variables",
    "deploying, following and cancelling deployments",
    "rolling an image application back to an earlier tag",
)


def markdown() -> str:
    """Return the page."""
    lines = [
        "# Compatibility with Coolify",
        "",
        "<!-- Written by `python -m coolify.api.compatibility docs`; edit coolify/api/capabilities.py instead. -->",
        "",
        f"Everything works from Coolify {FULL_SUPPORT}. From {MINIMUM} on what is missing is replaced or refused as",
        "told below; older servers, betas of 4.0 included, are refused before anything is changed.",
        "",
        "The version is asked once at the beginning of a run. What a version would reject is never sent: the run ends",
        "with a sentence that names the function and the version that has it.",
        "",
        f"| function | {' | '.join(_COLUMNS)} |",
        f"|---|{'---|' * len(_COLUMNS)}",
    ]
    lines += [f"| {title} |{' yes |' * len(_COLUMNS)}" for title in _EVERYWHERE]
    lines += [
        f"| {feature.title} | {' | '.join(_cell(feature, column) for column in _COLUMNS)} |" for feature in Feature
    ]
    lines += ["", "## By version", ""]
    for column in _COLUMNS:
        lines += _of_version(column)
    lines += [
        "What is refused here can be set up in Coolify's own pages. Who asks for it gets a sentence, before anything",
        "is sent:",
        "",
        f"> {_refusal(_COLUMNS[0], Feature.S3_STORAGES)}",
        "",
        "## Instead",
        "",
    ]
    lines += [f"* **{feature.title}** before {feature.since}: {feature.without or 'refused'}." for feature in Feature]
    lines += [
        "",
        "## How this is known",
        "",
        "The whole of a release, of a rollback and of every replacement runs in the tests against a sandbox that is",
        f"told to be {', '.join(_COLUMNS)} and 4.3.11. That sandbox answers recorded requests like the real 4.3.11",
        "that they were recorded from; the few differences are listed, with reasons, in",
        "`tests/contract/known_differences.py`.",
    ]
    return "\n".join(lines) + "\n"


def _of_version(version: str) -> list[str]:
    """Return what is replaced and what is refused on one version."""
    replaced = [f"{one.title} ({one.without})" for one in Feature if _cell(one, version) == "replaced"]
    refused = [one.title for one in Feature if _cell(one, version) == "refused"]
    if not replaced and not refused:
        return [f"### {version} and later", "", "Everything.", ""]
    lines = [f"### {version}", ""]
    lines += [f"* {len(replaced)} replaced: {'; '.join(replaced)}."] if replaced else []
    lines += [f"* {len(refused)} refused: {'; '.join(refused)}."] if refused else []
    return [*lines, ""]


def _refusal(version: str, feature: Feature) -> str:
    try:
        Capabilities(CoolifyVersion(version)).require(feature)
    except UnsupportedVersionError as error:
        return str(error)
    raise AssertionError(f"{feature.title} is not refused on {version}")


def _cell(feature: Feature, version: str) -> str:
    if CoolifyVersion(version) >= feature.since:
        return "yes"
    return "replaced" if feature.without and CoolifyVersion(version) >= feature.replaced_since else "refused"


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs")
    (folder / "coolify-compatibility.md").write_text(markdown(), encoding="utf-8")
