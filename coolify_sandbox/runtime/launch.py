"""Run a command so that it cannot outlive the sandbox, not even when that is killed with SIGKILL.

Started as `python -I launch.py COMMAND`, as leader of a session of its own, with a pipe from the sandbox as standard
input. When the pipe ends, whatever the reason, the whole process group is killed. Only the standard library and no
imports of ours: it has to start fast.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main() -> None:
    """Run the shell command in the first argument and exit as it does."""
    child = subprocess.Popen(["/bin/sh", "-c", sys.argv[1]], stdin=subprocess.DEVNULL)

    def watch() -> None:
        while os.read(0, 1):
            pass
        os.killpg(os.getpgid(0), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    code = child.wait()
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
