"""An image registry on loopback."""

import hashlib
import secrets
from base64 import b64decode
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass
class Registry:
    """A registry that speaks the Distribution API with tokens, with basic logins, or freely."""

    scheme: str = "bearer"
    url: str = ""
    images: dict[str, bytes] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    users: dict[str, str] = field(default_factory=dict)
    limited: bool = False
    realm: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def push(self, image: str, content: bytes = b"{}") -> str:
        self.images[image] = content
        return f"sha256:{hashlib.sha256(content).hexdigest()}"

    @property
    def name(self) -> str:
        return self.url.removeprefix("http://")

    def app(self) -> Starlette:
        async def manifest(request: Request) -> Response:
            repository, tag = request.path_params["name"], request.path_params["reference"]
            self.asked.append(f"{request.method} {repository} {request.headers.get('authorization', '')[:6]}")
            if self.limited:
                return JSONResponse({"errors": [{"code": "TOOMANYREQUESTS"}]}, 429)
            if not self._may(request, repository):
                return Response(status_code=401, headers={"WWW-Authenticate": self._challenge(repository)})
            content = self._content(repository, tag)
            if content is None:
                return JSONResponse({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, 404)
            accepted = request.headers.get("accept", "")
            assert "application/vnd.oci.image.index.v1+json" in accepted
            assert "application/vnd.docker.distribution.manifest.v2+json" in accepted
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            return Response(headers={"Docker-Content-Digest": digest, "Content-Length": str(len(content))})

        async def token(request: Request) -> Response:
            assert request.query_params["service"] == "registry.test"
            scope = request.query_params["scope"]
            repository = scope.split(":")[1]
            user = self._user(request)
            if "authorization" in request.headers and user is None:
                return JSONResponse({"details": "incorrect username or password"}, 401)
            if repository in self.private and user is None:
                # As Docker Hub: a token is given out, and it opens nothing.
                return JSONResponse({"token": "nothing"})
            made = secrets.token_hex(8)
            self.tokens[made] = repository
            return JSONResponse({"access_token": made, "expires_in": 300})

        return Starlette(
            routes=[
                Route("/v2/{name:path}/manifests/{reference}", manifest, methods=["GET", "HEAD"]),
                Route("/token", token),
            ]
        )

    def _content(self, repository: str, reference: str) -> bytes | None:
        if not reference.startswith("sha256:"):
            return self.images.get(f"{repository}:{reference}")
        ours = (one for name, one in self.images.items() if name.rpartition(":")[0] == repository)
        return next((one for one in ours if f"sha256:{hashlib.sha256(one).hexdigest()}" == reference), None)

    def _challenge(self, repository: str) -> str:
        if self.scheme == "basic":
            return 'Basic realm="registry"'
        realm = self.realm or f"{self.url}/token"
        return f'Bearer realm="{realm}",service="registry.test",scope="repository:{repository}:pull"'

    def _may(self, request: Request, repository: str) -> bool:
        if self.scheme == "free":
            return True
        if self.scheme == "basic":
            return self._user(request) is not None
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return self.tokens.get(given) == repository

    def _user(self, request: Request) -> str | None:
        kind, _, encoded = request.headers.get("authorization", "").partition(" ")
        if kind != "Basic":
            return None
        user, _, password = b64decode(encoded).decode().partition(":")
        return user if self.users.get(user) == password else None
