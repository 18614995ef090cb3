"""Whether a push is meant for an application, as its configuration says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from coolify.config import Config, Source
from coolify.config.source import CommitName, TagName
from coolify.source.address import parse_address
from coolify.webhooks.model import Change, PushKind

__all__ = ["Verdict", "judge_push", "matches", "matches_path"]

_HUB = "docker.io"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a push means for one application."""

    wanted: bool
    """Whether it is released."""
    reason: str
    """Why, in a few words."""
    commit: str = ""
    """Commit, or name of the tag, that is released instead of what the file names; empty for the file's."""
    tag: str = ""
    """Tag of the image that is released instead of the file's; empty for the file's."""

    def applied_to(self, config: Config) -> Config:
        """Return the configuration with the commit or the tag that is released."""
        if config.source is None or not (self.commit or self.tag):
            return config
        chosen = {"commit": self.commit} if self.commit else {"tag": self.tag}
        return config.model_copy(update={"source": config.source.model_copy(update=chosen)})


def judge_push(config: Config, push: Change) -> Verdict:
    """Return whether a push is to be released, and what of it.

    Repository, branch or image come first, so that a stranger's push is called that and nothing else.
    """
    source = config.source
    if source is None or not _is_of(source, push):
        return Verdict(False, f"it is not the source of {config.application_name}")
    if push.skip:
        return Verdict(False, "its commit asks not to be deployed")
    if config.release.auto_deploy:
        return Verdict(False, "Coolify deploys it on its own (release.auto_deploy)")
    match push.kind:
        case PushKind.IMAGE:
            return _image(config, source, push)
        case PushKind.BRANCH:
            return _branch(config, source, push)
        case PushKind.TAG:
            return _tag(config, push)


def _branch(config: Config, source: Source, push: Change) -> Verdict:
    rules = config.release.on_push
    if not rules.branch:
        return Verdict(False, "release.on_push.branch is off")
    if push.ref != source.branch:
        return Verdict(False, f"its branch is {push.ref} and not {source.branch}")
    if source.commit is not None:
        return Verdict(False, f"source.commit is {source.commit}")
    if rules.paths and push.paths_complete:
        touched = next((path for path in push.paths if matches_path(path, rules.paths)), None)
        if touched is None:
            return Verdict(False, "it changes nothing of release.on_push.paths")
        return Verdict(True, f"branch {push.ref}, {touched}")
    return Verdict(True, f"branch {push.ref}" + (", changed paths not told" if rules.paths else ""))


def _tag(config: Config, push: Change) -> Verdict:
    if not matches(push.ref, config.release.on_push.tags):
        return Verdict(False, f"release.on_push.tags does not name {push.ref}")
    commit = push.commit or push.ref
    # It comes from outside, and Coolify puts it into a command.
    if not _fits(CommitName, commit):
        return Verdict(False, "its name has characters that Coolify takes in no commit")
    return Verdict(True, f"tag {push.ref}", commit=commit)


def _fits(kind: Any, text: str) -> bool:  # noqa: ANN401 - a type
    try:
        TypeAdapter(kind).validate_python(text)
    except ValidationError:
        return False
    return True


def _image(config: Config, source: Source, push: Change) -> Verdict:
    if source.image is not None and "@" in source.image:
        return Verdict(False, "source.image is a digest")
    if push.ref == source.tag:
        return Verdict(True, f"tag {push.ref}")
    if matches(push.ref, config.release.on_push.tags) and _fits(TagName, push.ref):
        return Verdict(True, f"tag {push.ref}", tag=push.ref)
    return Verdict(False, f"its tag is {push.ref} and not {source.tag}")


def _is_of(source: Source, push: Change) -> bool:
    """Return whether one of the addresses of a push is that of a source, however it is written."""
    if push.kind is PushKind.IMAGE:
        name = (source.image or "").partition("@")[0]
        return bool(name) and _image_name(name) in {_image_name(one) for one in push.addresses}
    if source.repository is None:
        return False
    wanted = _place(source.repository)
    return any(one == source.repository or _place(one) == wanted for one in push.addresses)


def _place(address: str) -> tuple[str | None, str]:
    """Return host and path of a repository; names are equal whatever their case at all hosts that we know."""
    parsed = parse_address(address)
    # A directory of this machine: only the same text is the same place.
    return (parsed.host.lower(), parsed.slug.lower()) if parsed.host else (None, address)


def _image_name(name: str) -> str:
    """Return an image's name with its registry, as Docker reads it: without one it is at Docker Hub."""
    first, slash, rest = name.lower().partition("/")
    if first in {_HUB, "index.docker.io"} and slash:
        first, slash, rest = rest.partition("/")
    elif slash and ("." in first or ":" in first or first == "localhost"):
        return f"{first}/{rest}"
    return f"{_HUB}/{first}/{rest}" if slash else f"{_HUB}/library/{first}"


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Return whether one of the patterns fits a whole name, `*` standing for anything and `?` for one character."""
    return any(_expression(one, across=True).fullmatch(name) for one in patterns)


def matches_path(path: str, patterns: Sequence[str]) -> bool:
    """Return whether a file belongs to the patterns.

    A pattern fits a file, or a directory above it; `*` stays within a directory and `**` does not. `!` takes out what
    patterns before it took in, or all the rest where it is the first one; the last pattern that fits counts.
    """
    wanted = patterns[0].startswith("!")
    for pattern in patterns:
        takes_out = pattern.startswith("!")
        expression = _expression(pattern.removeprefix("!").strip("/"), across=False)
        parts = path.split("/")
        if any(expression.fullmatch("/".join(parts[:end])) for end in range(1, len(parts) + 1)):
            wanted = not takes_out
    return wanted


def _expression(pattern: str, *, across: bool) -> re.Pattern[str]:
    """Return the regular expression of a pattern; `across`: whether a star crosses slashes."""
    one = "." if across else "[^/]"
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": f"{one}*", "?": one}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts), re.DOTALL)
