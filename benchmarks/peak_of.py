"""Run `python ARGUMENTS`, and print at its end the peak memory of its process, in kilobytes (getrusage(2))."""

from __future__ import annotations

import resource
import subprocess
import sys

if __name__ == "__main__":
    code = subprocess.run([sys.executable, *sys.argv[1:]], check=False).returncode
    sys.stderr.write(f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}\n")
    sys.exit(code)
