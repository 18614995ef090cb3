"""Run a command so that it cannot outlive the sandbox, not even when that is killed with SIGKILL.

Started as `python -I -S launch.py COMMAND`, as leader of a session of its own, with a pipe from the sandbox as standard
input. When the pipe ends, whatever the reason, the whole process group is killed. No imports of ours, and none that
take long: `subprocess` and `threading` would take longer to load than most commands to run.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys


def main() -> None:
    """Run the shell command in the first argument and exit as it does."""
    child = os.posix_spawn(
        "/bin/sh",
        ["/bin/sh", "-c", sys.argv[1]],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
        # Python ignores these, and what is ignored stays so in a child.
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
    )

    def watch() -> None:
        while os.read(0, 1):
            pass
        os.killpg(os.getpgid(0), signal.SIGKILL)

    def forward(*_: object) -> None:
        try:  # noqa: SIM105 - contextlib takes long to load, too
            os.kill(child, signal.SIGTERM)
        except ProcessLookupError:
            pass

    _thread.start_new_thread(watch, ())
    signal.signal(signal.SIGTERM, forward)
    _, status = os.waitpid(child, 0)
    # From now on its number may be that of another process.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
