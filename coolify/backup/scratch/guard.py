"""Run a server so that it cannot outlive the proof, not even when that is killed with SIGKILL.

Started as `python -I guard.py SECONDS DIRECTORY USER COMMAND...` with a pipe as standard input. When the pipe ends or
the seconds are over, the server is stopped, and its directory removed. Only the standard library: it starts fast.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress


def main() -> int:
    """Run the command until the pipe ends, time is up, or it ends by itself; return its exit code."""
    seconds, directory, user, *command = sys.argv[1:]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    deadline = time.monotonic() + float(seconds)
    identity = {"user": user, "group": _group(user), "extra_groups": []} if user else {}
    child = subprocess.Popen(  # noqa: S603 - the caller's command
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        **identity,  # type: ignore[call-overload]
    )
    while child.poll() is None and time.monotonic() < deadline:
        if select.select([0], [], [], 0.2)[0] and not os.read(0, 1):
            break
    ended_by_itself = child.poll() is not None
    _stop(child)
    if not ended_by_itself:
        # Else its log says why, and whoever started it still wants to read that.
        shutil.rmtree(directory, ignore_errors=True)
    code: int = child.returncode
    return code if code >= 0 else 128 - code


def _group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Stop at once: what a scratch server holds is thrown away. PostgreSQL takes its processes along on SIGQUIT."""
    if child.poll() is None:
        child.send_signal(signal.SIGQUIT)
        with suppress(subprocess.TimeoutExpired):
            child.wait(5)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


if __name__ == "__main__":
    sys.exit(main())
