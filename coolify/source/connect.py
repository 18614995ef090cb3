"""Make sure that Coolify can read a repository, and prove it from here before anything is written down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from coolify.api import CoolifyClient
from coolify.api.models import PrivateKey
from coolify.errors import OperatorError
from coolify.source.access import key_environment, known_hosts_file
from coolify.source.address import GitAddress, parse_address
from coolify.source.deploy_key import generate_deploy_key
from coolify.source.git import GitPrivateError, RemoteHead, resolve_commit

__all__ = [
    "ConnectError",
    "KeyAtCoolify",
    "check_app",
    "ensure_key_at_coolify",
    "is_image",
    "key_name",
    "read_publicly",
    "read_with_key",
    "written_address",
]

_HOSTS_WITHOUT_SCHEME = ("github.com/", "gitlab.com/", "bitbucket.org/", "codeberg.org/")


class ConnectError(OperatorError):
    """Coolify cannot be given access to the source."""


@dataclass(frozen=True, slots=True)
class KeyAtCoolify:
    """A deploy key that Coolify holds."""

    key: PrivateKey
    private: SecretStr
    public: str
    """One line as in `authorized_keys`, for the Git host."""
    created: bool


def is_image(text: str) -> bool:
    """Return whether a source is an image of a registry, as everything is that does not look like a repository."""
    address = parse_address(text)
    looks_like_git = "://" in text or address.is_ssh or text.endswith(".git") or text.startswith(_HOSTS_WITHOUT_SCHEME)
    return not looks_like_git and not os.path.isdir(text)  # noqa: PTH112 - the text may be no path at all


def written_address(text: str) -> GitAddress:
    """Return the address of a repository; `github.com/owner/name` without scheme is https."""
    return parse_address(f"https://{text}" if text.startswith(_HOSTS_WITHOUT_SCHEME) else text)


def key_name(address: GitAddress) -> str:
    """Return the name of a repository's key in Coolify; its alphabet is that of Coolify's names (reference 1.1)."""
    return f"deploy key {address.name}"[:255]


async def read_publicly(address: GitAddress, branch: str) -> RemoteHead | None:
    """Return what a branch points at when anybody can read it, None when it takes a key.

    Raises:
        GitError: The repository is not there, or has no such branch.
    """
    if address.is_ssh:
        return None
    try:
        # A helper that knows passwords of this machine would prove nothing about Coolify.
        return await resolve_commit(address.git, branch, environment=_without_helpers())
    except GitPrivateError:
        return None


async def ensure_key_at_coolify(client: CoolifyClient, name: str, comment: str) -> KeyAtCoolify:
    """Return the deploy key of this name or UUID, made and uploaded if there is none.

    Args:
        client: The Coolify server.
        name: Name of the key there.
        comment: Comment of the public half.

    Raises:
        ConnectError: There is one, and this token may not read it.
    """
    fitting = [one for one in await client.private_keys.list() if name in {one.name, one.uuid}]
    if len(fitting) > 1:
        raise ConnectError(
            f"Coolify has {len(fitting)} keys named '{name}' ({', '.join(one.uuid for one in fitting)}): "
            "delete all but one, or choose another name with --key-name."
        )
    if not fitting:
        pair = generate_deploy_key(comment)
        created = await client.private_keys.create(name, pair.private)
        return KeyAtCoolify(created, pair.private, pair.public, created=True)
    key = fitting[0]
    private = await client.private_keys.private_half(key.uuid)
    if private is None or not key.public_key:
        raise ConnectError(
            f"Coolify has a key '{name}', and this token may not read it to check its access: use a token with "
            "read:sensitive, or choose another name with --key-name."
        )
    return KeyAtCoolify(key, private, f"{key.public_key.strip()} {comment}", created=False)


async def read_with_key(address: GitAddress, branch: str, key: SecretStr) -> RemoteHead:
    """Return what a branch points at, read with the key alone.

    Raises:
        GitPrivateError: The host does not know the key.
        GitError: It cannot be reached, or there is no such branch.
    """
    with key_environment(address, key, known_hosts_file(os.environ)) as environment:
        return await resolve_commit(address.git, branch, environment=environment)


async def check_app(client: CoolifyClient, wanted: str, address: GitAddress, branch: str) -> str:
    """Check through Coolify that a GitHub App reads a branch; return the app's name.

    Raises:
        ConnectError: It does not.
        CoolifyError: There is no such app.
    """
    app = await client.git_apps.find(wanted)
    readable = {
        one.full_name.lower(): one.full_name for one in await client.git_apps.repositories(app.id) if one.full_name
    }
    repository = readable.get(address.slug.lower())
    if repository is None:
        raise ConnectError(
            f"The GitHub App {app.name} may not read {address.slug}: add the repository to its installation on GitHub."
        )
    if branch not in {one.name for one in await client.git_apps.branches(app.id, repository)}:
        raise ConnectError(f"{repository} has no branch '{branch}': name another one with --branch.")
    return app.name


def _without_helpers() -> Mapping[str, str]:
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "credential.helper", "GIT_CONFIG_VALUE_0": ""}
