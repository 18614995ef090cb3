"""Our labels for Caddy, turned into a Caddyfile as its plugin for Docker does it, and served by a real Caddy."""

import asyncio
import contextlib
import re
import socket
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from coolify.config import Security
from coolify.security import ProxyKind, WantedSecurity, secured_labels
from coolify_sandbox.server.labels import generated_labels
from coolify_sandbox.serving import serve_forever

UUID = "ajmrann7kwrp6lae799gl0nc"
SECURITY = {
    "headers": {
        "hsts": {"subdomains": True},
        "content_security_policy": "default-src 'self' https:",
        "frame_options": "deny",
        "custom": {"X-Powered-By": "", "X-Of-Ours": 'a; "b"'},
    },
    "max_body": 100,
}

pytestmark = pytest.mark.component("caddy")


def caddyfile(labels: str, address: str, upstream: int) -> str:
    """Write the directives of one site: dots nest, a number before a name orders and goes away."""
    root: dict[str, dict] = {}
    for line in labels.split("\n"):
        key, _, value = line.partition("=")
        first, *path = key.split(".")
        if first != "caddy_0" or path == ["encode"] or path == ["try_files"]:
            continue
        node = root.setdefault("site", {"value": address, "below": {}})
        for part in path:
            node = node["below"].setdefault(part, {"value": "", "below": {}})
        if path:
            node["value"] = value.replace("{{upstreams 3000}}", f"127.0.0.1:{upstream}")
    return "{\n\tadmin off\n\tauto_https off\n}\n" + "\n".join(written(name, one, 0) for name, one in root.items())


def written(name: str, node: dict, depth: int) -> str:
    directive = node["value"] if depth == 0 else f"{re.sub(r'^[0-9]+_', '', name)} {node['value']}".rstrip()
    indent = "\t" * depth
    if not node["below"]:
        return f"{indent}{directive}"
    below = "\n".join(written(key, one, depth + 1) for key, one in sorted(node["below"].items()))
    return f"{indent}{directive} {{\n{below}\n{indent}}}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def application(request: Request) -> PlainTextResponse:
    body = await request.body()
    return PlainTextResponse(str(len(body)), headers={"X-Powered-By": "php", "X-Frame-Options": "ALLOW"})


@contextlib.asynccontextmanager
async def caddy(labels: str, folder: Path):
    app = Starlette(routes=[Route("/{path:path}", application, methods=["GET", "POST"])])
    port = free_port()
    async with serve_forever(app) as upstream:
        file = folder / "Caddyfile"
        file.write_text(caddyfile(labels, f"http://:{port}", upstream))
        process = await asyncio.create_subprocess_exec(
            "caddy", "run", "--config", str(file), "--adapter", "caddyfile",
            env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "XDG_DATA_HOME": str(folder)},
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(30):
                while True:
                    assert process.returncode is None, (await process.stderr.read()).decode()
                    with contextlib.suppress(OSError):
                        _, writer = await asyncio.open_connection("127.0.0.1", port)
                        writer.close()
                        break
                    await asyncio.sleep(0.05)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                yield client
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.communicate()


async def test_a_real_caddy_sends_our_headers_instead_of_the_applications_and_limits_bodies(tmp_path) -> None:
    generated = generated_labels(UUID, {"fqdn": "http://one.example.com", "ports_exposes": "3000"}, {})
    wanted = WantedSecurity(Security.model_validate(SECURITY))
    async with caddy(secured_labels(generated, wanted, ProxyKind.CADDY, UUID), tmp_path) as client:
        seen = await client.get("/")
        assert seen.headers["x-frame-options"] == "DENY"
        assert seen.headers["content-security-policy"] == "default-src 'self' https:"
        assert seen.headers["x-of-ours"] == 'a; "b"'
        assert seen.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
        assert "x-powered-by" not in seen.headers
        assert (await client.post("/", content=b"x" * 100)).text == "100"
        # Caddy before 2.7 calls the interrupted request a bad gateway.
        assert (await client.post("/", content=b"x" * 101)).status_code in {413, 502}


async def test_without_our_labels_the_same_caddy_does_none_of_it(tmp_path) -> None:
    generated = generated_labels(UUID, {"fqdn": "http://one.example.com", "ports_exposes": "3000"}, {})
    async with caddy(generated, tmp_path) as client:
        seen = await client.get("/")
        assert seen.headers["x-frame-options"] == "ALLOW"
        assert (await client.post("/", content=b"x" * 101)).text == "101"
