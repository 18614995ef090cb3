"""Let git read a private repository with one key, and with nothing else that this machine has."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr

from coolify.contexts import config_home
from coolify.source.address import GitAddress

__all__ = ["key_environment", "known_hosts_file"]


def known_hosts_file(environ: Mapping[str, str]) -> Path:
    """Return the file in which host keys are remembered at first sight, beside the contexts."""
    return config_home(environ) / "known_hosts"


@contextmanager
def key_environment(address: GitAddress, key: SecretStr, known_hosts: Path) -> Iterator[dict[str, str]]:
    """Yield the environment in which git uses exactly this key, as Coolify will.

    Neither the agent nor the configuration nor other keys of the person are used: access that works here works there.
    The key lies in a file that only its owner can read, in memory where the system has a place for that, until the
    context is left.

    Args:
        address: The repository, for the port of its server.
        key: Private half, in OpenSSH's or PEM format.
        known_hosts: Where keys of hosts are remembered; one that has changed is refused.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    known_hosts.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix="coolify-key-", dir=runtime if runtime and Path(runtime).is_dir() else None
    ) as folder:
        file = Path(folder) / "key"
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as stream:
            stream.write(key.get_secret_value().strip() + "\n")
        options = {
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "StrictHostKeyChecking": "accept-new",
            "UserKnownHostsFile": f"{known_hosts} {Path.home() / '.ssh' / 'known_hosts'}",
            "ConnectTimeout": "10",
        }
        arguments = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
        command = ["ssh", "-F", os.devnull, "-i", str(file), "-p", str(address.ssh_port), *arguments]
        yield {"GIT_SSH_COMMAND": shlex.join(command)}
