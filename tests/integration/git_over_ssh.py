"""OpenSSH's server on loopback with one repository, as a Git host serves deploy keys."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass
class GitServer:
    """A server that is open to the keys that are added and to nobody else."""

    directory: Path
    port: int
    user: str

    @property
    def address(self) -> str:
        """The repository as Coolify writes it: with its port, and from the root."""
        return f"{self.user}@127.0.0.1:{self.port}/{self.directory / 'shop'}"

    def allow(self, public_key: str) -> None:
        """Add a deploy key, as a Git host does: it reads this repository and runs nothing else."""
        command = f"git-upload-pack '{self.directory / 'shop'}'"
        with (self.directory / "authorized_keys").open("a") as keys:
            keys.write(f'restrict,command="{command}" {public_key}\n')

    def deny(self) -> None:
        """Forget all keys."""
        (self.directory / "authorized_keys").write_text("")


@contextmanager
def serve_git(directory: Path) -> Iterator[GitServer]:
    """Run sshd for the repository `shop` below a directory."""
    directory.mkdir()
    if os.geteuid() == 0:
        # sshd of root insists on it; the package makes it when the service starts.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / "host"], check=True)
    (directory / "authorized_keys").touch(mode=0o600)
    process, port = _start(directory)
    try:
        yield GitServer(directory, port, getpass.getuser())
    finally:
        process.terminate()
        process.wait(60)


def _start(directory: Path) -> tuple[subprocess.Popen[bytes], int]:
    program = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/sbin")
    assert program is not None
    for _ in range(5):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        options = {
            "Port": port,
            "ListenAddress": "127.0.0.1",
            "HostKey": directory / "host",
            "AuthorizedKeysFile": directory / "authorized_keys",
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "PermitRootLogin": "prohibit-password",
        }
        (directory / "config").write_text("".join(f"{name} {value}\n" for name, value in options.items()))
        with (directory / "log").open("w") as log:
            process = subprocess.Popen([program, "-D", "-e", "-f", directory / "config"], stderr=log)
        if _answers(process, port):
            return process, port
        process.kill()
        process.wait()
    raise AssertionError((directory / "log").read_text())


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the server answers; it ends where somebody else was quicker to take the port."""
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            if connection.recv(4) == b"SSH-":
                return process.poll() is None
        time.sleep(0.02)
    return False
