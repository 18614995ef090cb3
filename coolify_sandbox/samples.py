"""A small real application in a small real Git repository, to release in the sandbox."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

__all__ = ["SampleRepository"]

_SERVER: Final = '''"""A web application: one page, its version, its health."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VERSION = Path(__file__).with_name("VERSION").read_text().strip()
GREETING = os.environ.get("GREETING", "Hello")
ALLOWED_HOSTS = {allowed_hosts}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        host = self.headers.get("Host", "").partition(":")[0]
        if ALLOWED_HOSTS and host not in ALLOWED_HOSTS:
            self.answer(400, f"Disallowed host: {{host}}\\n")
        elif self.path == "/version":
            self.answer(200, VERSION + "\\n")
        elif self.path == "/health":
            self.answer(200, "ok\\n")
        elif self.path == "/":
            self.answer(200, f"<h1>{{GREETING}} from version {{VERSION}}</h1>\\n", "text/html")
        else:
            self.answer(404, "not found\\n")

    do_HEAD = do_GET

    def answer(self, status, text, kind="text/plain"):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind + "; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
'''

_ANY_HOST: Final = "None"
_INNER_HOSTS_ONLY: Final = '{"localhost", "127.0.0.1"}'


class SampleRepository:
    """The repository; every version is a commit on `main`.

    Args:
        path: Where it is created.
    """

    START_COMMAND: Final = "exec python3 server.py"

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self._git("init", "--quiet", "--initial-branch=main")

    def commit(self, version: str, *, broken: bool = False, message: str | None = None) -> str:
        """Commit a version and return its sha.

        A broken one knows only its inner host names, a common mistake: Coolify's health check from the inside passes,
        and visitors get 400.
        """
        hosts = _INNER_HOSTS_ONLY if broken else _ANY_HOST
        (self.path / "server.py").write_text(_SERVER.format(allowed_hosts=hosts))
        (self.path / "VERSION").write_text(f"{version}\n")
        self._git("add", "server.py", "VERSION")
        self._git("commit", "--quiet", "--message", message or f"Version {version}")
        return self._git("rev-parse", "HEAD")

    def _git(self, *arguments: str) -> str:
        identity = {"NAME": "Sandbox", "EMAIL": "sandbox@example.com"}
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.path),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in identity.items()},
        }
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()
