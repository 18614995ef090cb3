"""A Coolify with hundreds of applications that answer, in a process of its own, for measuring the watch.

`python -m benchmarks.watch_world NUMBER` prints where everything is as one line of JSON and serves until it is ended.
The API, its rate limit, the name server and the TLS edge are those of the sandbox; one process answers for all.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route as HttpRoute

from coolify_sandbox.runtime.contract import Route
from coolify_sandbox.sandbox import ZONE, Sandbox
from coolify_sandbox.server.fields import APPLICATION, APPLICATION_SETTINGS
from coolify_sandbox.server.state import new_uuid, timestamp
from coolify_sandbox.serving import serve_forever

_PER_PROJECT: Final = 10


async def main(number: int) -> None:
    """Serve until the process is ended.

    Args:
        number: How many applications.
    """
    async with Sandbox() as sandbox, serve_forever(Starlette(routes=[HttpRoute("/{path:path}", _answer)])) as port:
        for place in range(number):
            _add(sandbox, place, port)
        print(
            json.dumps(
                {
                    "url": sandbox.url,
                    "token": sandbox.token,
                    "resolver": "{}:{}".format(*sandbox.dns_address),
                    "ca_file": str(sandbox.ca_file),
                    "http_port": sandbox.edge.http_port,
                    "https_port": sandbox.edge.https_port,
                }
            ),
            flush=True,
        )
        await asyncio.Event().wait()


def _add(sandbox: Sandbox, place: int, port: int) -> None:
    """Add a running application to its project, with a finished deployment and a certificate."""
    state, host, uuid = sandbox.state, f"app{place}.{ZONE}", new_uuid()
    name = f"project{place // _PER_PROJECT}"
    project = state.first("project", name=name)
    if project is None:
        icon = dict.fromkeys(("icon_path", "icon_s3_storage_id", "icon_storage_type"))
        project = state.insert("project", {"name": name, "description": None, "team_id": 0} | icon, uuid=new_uuid())
        fields = {"name": "production", "description": None, "project_id": project.id}
        state.insert("environment", fields, uuid=new_uuid())
    environment = state.first("environment", project_id=project.id)
    if environment is None:
        raise RuntimeError(f"{name} has no environment")
    own: dict[str, Any] = {
        "name": f"app{place}",
        "description": None,
        "fqdn": f"https://{host}",
        "environment_id": environment.id,
        "destination_id": 0,
        "server_id": 0,
        "team_id": 0,
        "settings": APPLICATION_SETTINGS,
        "tags": [],
        "status": "running:healthy",
        "last_online_at": timestamp(),
        "custom_labels": "",
    }
    state.insert("application", APPLICATION | own, uuid=uuid)
    sandbox.edge.set_routes(uuid, (Route("https", host, "/"),), port, force_https=False)


async def _answer(_: Request) -> PlainTextResponse:
    # The edge would now and then reuse a connection that is just being closed, and answer 502.
    return PlainTextResponse("ok", headers={"connection": "close"})


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
