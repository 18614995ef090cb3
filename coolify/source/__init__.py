"""Where an application's code comes from, looked at without Coolify: Git remotes, their files, image registries."""

from coolify.source.address import GitAddress, parse_address
from coolify.source.git import GitError, GitMissingError, GitPrivateError, RemoteHead, resolve_commit, resolve_tag

__all__ = [
    "GitAddress",
    "GitError",
    "GitMissingError",
    "GitPrivateError",
    "RemoteHead",
    "parse_address",
    "resolve_commit",
    "resolve_tag",
]
