"""A stand-in for Prefect's API of events on a real socket: takes them, stores them when told to, can be away."""

import contextlib
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from coolify_sandbox.serving import serve_forever


@dataclass
class PrefectEvents:
    """What Prefect does with events, as far as a sender sees it."""

    stores: bool = True
    """Whether events that it takes are stored; one that is killed has them in memory only."""
    refuses: str = ""
    """Events whose branch is this one are refused as Prefect refuses what does not fit its schema."""
    status: int = 204
    taken: list[dict] = field(default_factory=list)
    """Every event as it came, again where it came again."""
    stored: dict[str, dict] = field(default_factory=dict)

    @property
    def branches(self) -> list[str]:
        return [one["resource"]["git.branch"] for one in self.stored.values()]

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/api/events", self._take, methods=["POST"]),
                Route("/api/events/filter", self._filter, methods=["POST"]),
                Route("/api/csrf-token", lambda _: JSONResponse({"detail": "CSRF protection is disabled."}, 422)),
                Route("/api/admin/version", lambda _: JSONResponse("3.8.8")),
            ]
        )

    async def _take(self, request: Request) -> Response:
        events = await request.json()
        if self.status != 204:
            return Response(status_code=self.status)
        if any(one["resource"].get("git.branch") == self.refuses for one in events):
            return Response(status_code=422)
        self.taken += events
        if self.stores:
            self.stored |= {one["id"]: one for one in events}
        return Response(status_code=204)

    async def _filter(self, request: Request) -> Response:
        wanted = (await request.json())["filter"]["id"]["id"]
        found = [{"id": one} for one in wanted if one in self.stored]
        return JSONResponse({"events": found, "total": len(found), "next_page": None})


@contextlib.asynccontextmanager
async def prefect_events(state: PrefectEvents, port: int = 0):
    """Serve it; yields the address of the API."""
    async with serve_forever(state.app(), port=port) as served:
        yield f"http://127.0.0.1:{served}/api"
