"""A branch of a repository, with its files, for as long as they are needed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from coolify.source.access import key_environment, known_hosts_file
from coolify.source.address import parse_address
from coolify.source.git import run_git

__all__ = ["checked_out"]

_MEGABYTES: Final = 500
"""Of one file: more is no repository of an application's source."""


@asynccontextmanager
async def checked_out(
    repository: str, branch: str, key: SecretStr | None = None, *, environ: Mapping[str, str] = os.environ
) -> AsyncIterator[Path]:
    """Yield a folder with the files of a branch's newest commit; it is deleted afterwards.

    Args:
        repository: Any URL or path that git understands.
        branch: Branch or tag.
        key: Private half of a deploy key, None for repositories that can be read without.
        environ: Where the folder of remembered host keys is looked up.

    Raises:
        GitError: It cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="coolify-checkout-") as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            access = {}
            if key is not None:
                address = parse_address(repository)
                access = stack.enter_context(key_environment(address, key, known_hosts_file(environ)))
            await run_git(
                *("clone", "--quiet", "--depth=1", "--branch", branch, "--", repository, "."),
                cwd=folder,
                environment=access,
                megabytes=_MEGABYTES,
            )
        yield folder
