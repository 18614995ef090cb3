"""Which kind of host a repository is at, where its API is, and with which token it is asked."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Final

from pydantic import SecretStr

from coolify.config import GitHostKind
from coolify.githosts.bitbucket import Bitbucket
from coolify.githosts.gitea import Gitea
from coolify.githosts.github import GitHub
from coolify.githosts.gitlab import GitLab
from coolify.githosts.model import GitHost
from coolify.source.address import GitAddress

__all__ = ["kind_of_host", "open_git_host", "token_names"]

_SERVICE: Final = "coolify-flows"
_KNOWN: Final = {
    "github.com": GitHostKind.GITHUB,
    "gitlab.com": GitHostKind.GITLAB,
    "bitbucket.org": GitHostKind.BITBUCKET,
    "codeberg.org": GitHostKind.GITEA,
}
_WORDS: Final = {
    "github": GitHostKind.GITHUB,
    "gitlab": GitHostKind.GITLAB,
    "gitea": GitHostKind.GITEA,
    "forgejo": GitHostKind.GITEA,
}
_VARIABLES: Final = {
    GitHostKind.GITHUB: ("GITHUB_TOKEN", "GH_TOKEN"),
    GitHostKind.GITLAB: ("GITLAB_TOKEN",),
    GitHostKind.BITBUCKET: ("BITBUCKET_TOKEN",),
    GitHostKind.GITEA: ("GITEA_TOKEN", "FORGEJO_TOKEN"),
}


def kind_of_host(host: str | None) -> GitHostKind | None:
    """Return the kind of a host whose name tells it, as `gitlab.example.com` does; None for any other."""
    if host is None:
        return None
    labels = set(host.lower().split("."))
    return _KNOWN.get(host.lower()) or next((kind for word, kind in _WORDS.items() if word in labels), None)


def token_names(kind: GitHostKind) -> tuple[str, ...]:
    """Return the environment variables that may hold the token."""
    return _VARIABLES[kind]


def open_git_host(
    address: GitAddress, kind: GitHostKind | None, api: str | None, environ: Mapping[str, str]
) -> GitHost | None:
    """Return the API of a repository's host, None where its kind is unknown or there is no token for it.

    Args:
        address: The repository.
        kind: Kind of the host, where its name does not tell.
        api: Address of the API, where it is not the usual one.
        environ: Where a token is looked for first; then in the keyring, as user `git:HOST` of the service
            `coolify-flows`.
    """
    kind = kind or kind_of_host(address.host)
    if kind is None or address.host is None:
        return None
    token = _token(kind, address.host, environ)
    if token is None:
        return None
    base = api or _api(kind, address.host)
    match kind:
        case GitHostKind.GITHUB:
            return GitHub(base, address.slug, token)
        case GitHostKind.GITLAB:
            return GitLab(base, address.slug, token)
        case GitHostKind.BITBUCKET:
            return Bitbucket(base, address.slug, token)
        case GitHostKind.GITEA:
            return Gitea(base, address.slug, token)


def _api(kind: GitHostKind, host: str) -> str:
    match kind:
        case GitHostKind.GITHUB:
            return "https://api.github.com" if host == "github.com" else f"https://{host}/api/v3"
        case GitHostKind.GITLAB:
            return f"https://{host}/api/v4"
        case GitHostKind.BITBUCKET:
            return "https://api.bitbucket.org/2.0"
        case GitHostKind.GITEA:
            return f"https://{host}/api/v1"


def _token(kind: GitHostKind, host: str, environ: Mapping[str, str]) -> SecretStr | None:
    for name in _VARIABLES[kind]:
        if environ.get(name):
            return SecretStr(environ[name])
    import keyring
    from keyring.errors import KeyringError

    # Without a keyring there is no token in it.
    with contextlib.suppress(KeyringError):
        kept = keyring.get_password(_SERVICE, f"git:{host}")
        return SecretStr(kept) if kept else None
    return None
