"""Where an application's code comes from, looked at without Coolify: Git remotes."""

from coolify.source.git import GitError, GitMissingError, RemoteHead, resolve_commit

__all__ = ["GitError", "GitMissingError", "RemoteHead", "resolve_commit"]
