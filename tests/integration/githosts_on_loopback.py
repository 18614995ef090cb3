"""APIs of Git hosts on loopback, as their documentation describes them: GitHub, GitLab, Bitbucket Cloud, Gitea."""

from abc import ABC, abstractmethod
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SLUG = "example/shop"


@dataclass
class FakeHost(ABC):
    """One host with one repository; a subclass speaks one dialect. Lists have pages of two entries."""

    token: str = "right-token"
    url: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    lose_answers: bool = False
    """Whether what is made is answered with a failure."""
    fail: bool = False
    """Whether nothing is made."""
    numbers: int = 0
    page = 2

    api = ""
    keys_path = ""
    hooks_path = ""
    update = "PATCH"

    def app(self) -> Starlette:
        async def keys(request: Request) -> Response:
            if (refused := self._refuse(request)) is not None:
                return refused
            if request.method == "GET":
                return self._list(request, self.keys)
            body = await request.json()
            if any(one["key"].split()[:2] == body["key"].split()[:2] for one in self.keys):
                return self._taken()
            self.keys.append(self.stored_key(body) | {"id": len(self.keys) + 1})
            return self._made(self.keys[-1])

        async def hooks(request: Request) -> Response:
            if (refused := self._refuse(request)) is not None:
                return refused
            if request.method == "GET":
                return self._list(request, [self.shown_hook(one) for one in self.hooks])
            if self.fail:
                return JSONResponse({"message": "Server Error"}, 500)
            self.numbers += 1
            self.hooks.append(self.new_hook(await request.json(), self.numbers))
            return self._made(self.shown_hook(self.hooks[-1]))

        async def hook(request: Request) -> Response:
            if (refused := self._refuse(request)) is not None:
                return refused
            (found,) = (one for one in self.hooks if str(one.get("uuid", one["id"])) == request.path_params["id"])
            if request.method == "DELETE":
                self.hooks.remove(found)
                return Response(status_code=204)
            self.change_hook(found, await request.json())
            return JSONResponse(self.shown_hook(found))

        return Starlette(
            routes=[
                Route(f"{self.api}{self.keys_path}", keys, methods=["GET", "POST"]),
                Route(f"{self.api}{self.hooks_path}", hooks, methods=["GET", "POST"]),
                Route(f"{self.api}{self.hooks_path}/{{id}}", hook, methods=[self.update, "DELETE"]),
                *self.more_routes(),
            ]
        )

    def more_routes(self) -> list[Route]:
        return []

    @property
    def base(self) -> str:
        return f"{self.url}{self.api}"

    def _refuse(self, request: Request) -> Response | None:
        self.requests.append(f"{request.method} {request.url.path.removeprefix(self.api)}")
        return None if self.authorized(request) else JSONResponse({"message": "Bad credentials"}, 401)

    def authorized(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {self.token}"

    def _list(self, request: Request, entries: list[dict[str, Any]]) -> Response:
        number = int(request.query_params.get("page", "1"))
        chunk = entries[(number - 1) * self.page : number * self.page]
        # The path as it was sent: `request.url` has it decoded.
        path = request.scope["raw_path"].decode()
        following = f"{self.url}{path}?{request.url.include_query_params(page=number + 1).query}"
        return self.answer_page(chunk, following if number * self.page < len(entries) else None)

    def answer_page(self, chunk: list[dict[str, Any]], following: str | None) -> Response:
        return JSONResponse(chunk, headers={"Link": f'<{following}>; rel="next"'} if following else {})

    def _made(self, what: dict[str, Any]) -> Response:
        return JSONResponse({"message": "Bad Gateway"}, 502) if self.lose_answers else JSONResponse(what, 201)

    def _taken(self) -> Response:
        return JSONResponse({"message": "Validation Failed", "errors": [{"message": "key is already in use"}]}, 422)

    def stored_key(self, body: dict[str, Any]) -> dict[str, Any]:
        assert body["read_only"] is True
        # GitHub and Gitea cut the comment off.
        return {"title": body["title"], "key": " ".join(body["key"].split()[:2])}

    @abstractmethod
    def new_hook(self, body: dict[str, Any], number: int) -> dict[str, Any]: ...

    @abstractmethod
    def change_hook(self, hook: dict[str, Any], body: dict[str, Any]) -> None: ...

    def shown_hook(self, hook: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in hook.items() if name != "secret"}

    def secret(self, number: int = 0) -> str | None:
        return self.hooks[number].get("secret")


class GitHubHost(FakeHost):
    keys_path = f"/repos/{SLUG}/keys"
    hooks_path = f"/repos/{SLUG}/hooks"

    def authorized(self, request: Request) -> bool:
        assert request.headers["accept"] == "application/vnd.github+json"
        return super().authorized(request)

    def new_hook(self, body: dict[str, Any], number: int) -> dict[str, Any]:
        assert body["name"] == "web"
        config = dict(body["config"])
        assert (config.pop("content_type"), config.pop("insecure_ssl")) == ("json", "0")
        secret = config.pop("secret", None)
        return {"id": number, "active": body["active"], "events": body["events"], "config": config, "secret": secret}

    def change_hook(self, hook: dict[str, Any], body: dict[str, Any]) -> None:
        hook["active"] = body.get("active", hook["active"])
        hook["events"] = sorted({*hook["events"], *body.get("add_events", ())})
        if "config" in body:
            # A config replaces the whole of it: what is left out is gone, the secret too.
            hook["secret"] = body["config"].get("secret")
            hook["config"] = {"url": body["config"]["url"]}


@dataclass
class GitLabHost(FakeHost):
    receiver_answers: bool = True
    """Whether test deliveries are received."""
    api = "/api/v4"
    keys_path = "/projects/{project:path}/deploy_keys"
    hooks_path = "/projects/{project:path}/hooks"
    update = "PUT"

    def authorized(self, request: Request) -> bool:
        assert "example%2Fshop" in request.scope["raw_path"].decode()
        return request.headers.get("private-token") == self.token

    def stored_key(self, body: dict[str, Any]) -> dict[str, Any]:
        assert body["can_push"] is False
        return {"title": body["title"], "key": body["key"]}

    def _taken(self) -> Response:
        return JSONResponse({"message": {"deploy_key.fingerprint_sha256": ["has already been taken"]}}, 400)

    def new_hook(self, body: dict[str, Any], number: int) -> dict[str, Any]:
        return {"id": number, "url": body["url"], "push_events": body["push_events"], "secret": body.get("token"),
                "alert_status": "executable", "enable_ssl_verification": body["enable_ssl_verification"]}  # fmt: skip

    def change_hook(self, hook: dict[str, Any], body: dict[str, Any]) -> None:
        hook |= {"url": body["url"], "push_events": body["push_events"]}
        if "token" in body:
            hook["secret"] = body["token"]

    def more_routes(self) -> list[Route]:
        async def test(request: Request) -> Response:
            if (refused := self._refuse(request)) is not None:
                return refused
            (found,) = (one for one in self.hooks if str(one["id"]) == request.path_params["id"])
            if not self.receiver_answers:
                return JSONResponse({"message": "Hook execution failed: Connection refused"}, 422)
            found["alert_status"] = "executable"
            return JSONResponse({"message": "201 Created"}, 201)

        return [Route(f"{self.api}{self.hooks_path}/{{id}}/test/push_events", test, methods=["POST"])]


class BitbucketHost(FakeHost):
    api = "/2.0"
    keys_path = f"/repositories/{SLUG}/deploy-keys"
    hooks_path = f"/repositories/{SLUG}/hooks"
    update = "PUT"

    def authorized(self, request: Request) -> bool:
        if ":" not in self.token:
            return super().authorized(request)
        kind, _, encoded = request.headers.get("authorization", "").partition(" ")
        return kind == "Basic" and b64decode(encoded).decode() == self.token

    def answer_page(self, chunk: list[dict[str, Any]], following: str | None) -> Response:
        return JSONResponse({"values": chunk} | ({"next": following} if following else {}))

    def _taken(self) -> Response:
        return JSONResponse(
            {"type": "error", "error": {"message": "Someone has already registered that SSH key."}}, 400
        )

    def stored_key(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"label": body["label"], "key": body["key"]}

    def new_hook(self, body: dict[str, Any], number: int) -> dict[str, Any]:
        hook = {"uuid": f"{{hook-{number}}}", "id": number}
        return hook | {name: body[name] for name in ("url", "active", "events")} | {"secret": body.get("secret")}

    def change_hook(self, hook: dict[str, Any], body: dict[str, Any]) -> None:
        hook |= {name: body[name] for name in ("url", "active", "events")}
        if "secret" in body:
            hook["secret"] = body["secret"]


class GiteaHost(FakeHost):
    api = "/api/v1"
    keys_path = "/repos/{slug:path}/keys"
    hooks_path = "/repos/{slug:path}/hooks"

    def authorized(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"token {self.token}"

    def new_hook(self, body: dict[str, Any], number: int) -> dict[str, Any]:
        assert body["type"] == "gitea"
        config = {"url": body["config"]["url"], "content_type": body["config"]["content_type"]}
        secret = body["config"].get("secret")
        return {"id": number, "active": body["active"], "events": body["events"], "config": config, "secret": secret}

    def change_hook(self, hook: dict[str, Any], body: dict[str, Any]) -> None:
        # Of a `config` only the address and the type of content are looked at: the secret stays.
        hook["active"], hook["events"] = body["active"], body["events"]
        hook["config"] |= {name: one for name, one in body.get("config", {}).items() if name != "secret"}
