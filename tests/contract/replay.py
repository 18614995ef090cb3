"""Replay recorded exchanges with a real Coolify against the sandbox and compare the answers.

A file is one sequence against one state. UUIDs differ between the two worlds: what an answer of one names is paired
with what stands at the same place in the answer of the other, and later requests are translated.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from coolify_sandbox.runtime.contract import ContainerStatus, Image
from coolify_sandbox.server.app import create_app
from coolify_sandbox.server.queue import DeploymentQueue
from coolify_sandbox.server.settings import ServerSettings
from coolify_sandbox.server.state import State, new_uuid

RECORDINGS = Path(__file__).parent / "recordings"
UUID = re.compile(r"(?<![A-Za-z0-9])[a-z0-9]{24}(?![A-Za-z0-9])")
NOBODY = "z" * 24


PRIVATE_KEYS = tuple(
    json.dumps(
        Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    )[1:-1]
    for _ in range(2)
)
"""Private keys are blanked in the recordings: one for all requests, another for the second key."""


@dataclass(frozen=True)
class Exchange:
    """One recorded request with its answer."""

    file: str
    name: str
    method: str
    path: str
    request_body: Any
    headers: dict[str, str]
    token: str | None
    status: int
    is_json: bool
    body: Any
    answer_headers: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"{self.file}:{self.name}"


def load(file: str) -> list[Exchange]:
    exchanges = []
    for line in (RECORDINGS / f"{file}.jsonl").read_text().splitlines():
        raw = json.loads(line)
        exchanges.append(
            Exchange(
                file,
                raw["name"],
                raw["method"],
                raw["path"],
                raw["request_body"],
                raw["request_headers_relevant"] or {},
                raw["token"],
                raw["status"],
                raw["response_is_json"],
                raw["response_body"],
                raw["response_headers_relevant"],
            )
        )
    return exchanges


def files() -> list[str]:
    return sorted(path.stem for path in RECORDINGS.glob("*.jsonl"))


def creator_of(uuid: str) -> Exchange | None:
    """Return the recorded request that created an object."""
    for file in files():
        for exchange in load(file):
            if exchange.status == 201 and isinstance(exchange.body, dict) and exchange.body.get("uuid") == uuid:
                return exchange
    return None


class IdleRuntime:
    """A world in which nothing runs: most recordings were made without one, so that a job never ends."""

    async def deploy(self, *arguments: Any) -> None:
        await asyncio.Event().wait()

    async def status(self, application_uuid: str) -> ContainerStatus:
        return ContainerStatus.EXITED

    def __init__(self) -> None:
        self.kept: tuple[Image, ...] = ()
        self.printed: str | None = None
        self.is_reachable = True

    async def images(self, application_uuid: str) -> tuple[Image, ...]:
        return self.kept

    async def logs(self, application_uuid: str, lines: int, *, times: bool = False) -> str | None:
        if not self.is_reachable:
            raise ConnectionError("no route to the server")
        return self.printed

    async def execute(self, application_uuid: str, command: str) -> None:
        await asyncio.Event().wait()

    async def stop(self, application_uuid: str) -> None:
        return None

    async def delete(self, application_uuid: str) -> None:
        return None


@dataclass
class World:
    """The sandbox as it was when a file was recorded."""

    state: State
    client: httpx.AsyncClient
    runtime: IdleRuntime
    queue: DeploymentQueue
    tokens: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=lambda: {NOBODY: NOBODY})
    """Recorded UUID -> the sandbox's."""

    async def ask(self, exchange: Exchange) -> httpx.Response:
        path = self.translated(exchange.path)
        headers = {name: value for name, value in exchange.headers.items() if name != "Authorization"}
        authorization = exchange.headers.get("Authorization")
        if authorization is not None:
            headers["Authorization"] = self._authorization(exchange, authorization)
        content = None
        if exchange.request_body is not None:
            raw = exchange.request_body
            is_raw = isinstance(raw, dict) and set(raw) == {"_raw"}
            content = raw["_raw"] if is_raw else json.dumps(raw)
            content = self.translated(content).replace("<private key>", PRIVATE_KEYS[exchange.key == "keys:create_min"])
        request = self.client.build_request(exchange.method, path, headers=headers, content=content)
        if "Accept" not in exchange.headers:
            request.headers.pop("Accept", None)
        return await self.client.send(request, follow_redirects=False)

    def translated(self, text: str) -> str:
        return UUID.sub(lambda match: self.known.get(match.group(), match.group()), text)

    def _authorization(self, exchange: Exchange, recorded: str) -> str:
        label = exchange.token
        if label in self.tokens:
            return re.sub(r"<[^>]*>", self.tokens[label], recorded)
        if exchange.status == 401:
            return recorded
        # The recorded root token, written in another way.
        scheme, _, token = recorded.partition(" ")
        root = self.tokens["root"]
        return f"{scheme} {root if '|' in token else root.partition('|')[2]}"

    def learn(self, recorded: Any, actual: Any) -> None:
        """Pair the UUIDs that stand at the same place in both answers."""
        match recorded, actual:
            case dict(), dict():
                for name in recorded.keys() & actual.keys():
                    self.learn(recorded[name], actual[name])
            case list(), list():
                for one, other in zip(recorded, actual, strict=False):
                    self.learn(one, other)
            case str(), str():
                pairs = zip(UUID.findall(recorded), UUID.findall(actual), strict=False)
                self.known |= {one: other for one, other in pairs if one not in self.known}


def masked(text: str) -> str:
    """Remove what differs between any two runs."""
    text = UUID.sub("<uuid>", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "<time>", text)
    return re.sub(r"\b\d+\b", "<n>", text)


def uuid_of(one: Any) -> str | None:
    found = (one.get("deployment_uuid") or one.get("uuid")) if isinstance(one, dict) else None
    return found if isinstance(found, str) else None


def paired(recorded: list[Any], actual: list[Any], known: dict[str, str]) -> Iterator[tuple[Any, Any, bool]]:
    """Pair the items of two lists, by UUID or type where they have one: rows come in no order to be relied on.

    The third of each is whether both are certainly the same.
    """
    by_uuid = {uuid: one for one in actual if (uuid := uuid_of(one)) is not None}
    for index, one in enumerate(recorded):
        uuid = known.get(uuid_of(one) or "")
        if uuid in by_uuid:
            yield one, by_uuid[uuid], True
        elif isinstance(one, dict) and "type" in one and "uuid" in one:
            alike = [other for other in actual if other.get("type") == one["type"]]
            yield from ((one, other, False) for other in alike[:1])
        elif index < len(actual):
            yield one, actual[index], uuid_of(one) is None


def differences(
    recorded: Any, actual: Any, known: dict[str, str], where: str = "", *, values: bool = False, same: bool = True
) -> Iterator[str]:
    """Compare shape: keys and types, and of switches and messages the value too."""
    match recorded, actual:
        case dict(), dict():
            for name in recorded.keys() - actual.keys():
                yield f"{where}.{name} is missing"
            for name in actual.keys() - recorded.keys():
                yield f"{where}.{name} is too much"
            for name in recorded.keys() & actual.keys():
                told = values or name in {"message", "errors", "error", "status", "warning", "docs"}
                yield from differences(recorded[name], actual[name], known, f"{where}.{name}", values=told, same=same)
        case list(), list():
            if (recorded and not actual) or (values and len(recorded) != len(actual)):
                yield f"{where} has {len(actual)} items instead of {len(recorded)}"
            for index, (one, other, is_same) in enumerate(paired(recorded, actual, known)):
                yield from differences(one, other, known, f"{where}[{index}]", values=values, same=same and is_same)
        case str(), str():
            if values and masked(recorded) != masked(actual):
                yield f"{where} is {actual!r} instead of {recorded!r}"
        case _:
            # What is null in one world may have a value in the other; the key is there in both.
            if shape(recorded) is not shape(actual) and (values or None not in (recorded, actual)):
                yield f"{where} is {json.dumps(actual)[:60]} instead of {json.dumps(recorded)[:60]}"
            elif same and isinstance(recorded, bool) and recorded is not actual and actual is not None:
                yield f"{where} is {actual!r} instead of {recorded!r}"


def shape(value: Any) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


VARYING = {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after", "location"}
"""Headers that are compared by their presence: values depend on the minute and on the address."""


def header_differences(exchange: Exchange, answer: httpx.Response) -> Iterator[str]:
    for name, value in exchange.answer_headers.items():
        if name not in answer.headers:
            yield f"the header {name} is missing"
        elif name not in VARYING and answer.headers[name] != value:
            yield f"the header {name} is {answer.headers[name]!r} instead of {value!r}"
    for name in (VARYING | {"allow"}) & answer.headers.keys():
        if name not in exchange.answer_headers:
            yield f"the header {name} is too much"


def compare(world: World, exchange: Exchange, answer: httpx.Response) -> list[str]:
    if answer.status_code != exchange.status:
        return [f"status {answer.status_code} instead of {exchange.status}: {answer.text[:150]}"]
    if headers := list(header_differences(exchange, answer)):
        return headers
    if not exchange.is_json:
        if str(exchange.body).startswith("<!DOCTYPE html>"):
            return [] if answer.text.startswith("<!DOCTYPE html>") or answer.status_code == 302 else [answer.text[:80]]
        return [] if masked(answer.text) == masked(str(exchange.body)) else [f"text {answer.text[:80]!r}"]
    try:
        body = answer.json()
    except ValueError:
        return [f"no JSON: {answer.text[:80]!r}"]
    # What a container does follows the world, which has none here.
    if isinstance(body, dict) and isinstance(body.get("application"), dict):
        body["application"]["status"] = exchange.body["application"]["status"]
    return list(differences(exchange.body, body, world.known, values=exchange.status >= 400))


TOKENS: dict[str, tuple[set[str], dict[str, Any]]] = {
    "root": ({"root"}, {}),
    "star": ({"*"}, {}),
    "read": ({"read"}, {}),
    "read_sensitive": ({"read", "read:sensitive"}, {}),
    "write": ({"write"}, {}),
    "write_read": ({"write", "read"}, {}),
    "write_sensitive": ({"read", "read:sensitive", "write", "write:sensitive"}, {}),
    "deploy": ({"deploy"}, {}),
    "read_deploy": ({"read", "deploy"}, {}),
    "none": (set(), {}),
    "expired": ({"root"}, {"expires_at": datetime.now(UTC) - timedelta(days=1)}),
    "admin_root": ({"root"}, {"user_id": 1, "role": "admin"}),
    "member_read": ({"read"}, {"user_id": 2, "role": "member"}),
    "member_write": ({"read", "write"}, {"user_id": 2, "role": "member"}),
    "other_root": ({"root"}, {"user_id": 3, "team_id": 3}),
    "limit_root": ({"root"}, {"user_id": 4}),
    "limit_read": ({"read"}, {"user_id": 4}),
}


def open_world(path: Path, file: str) -> World:
    state = State.open(path, ServerSettings(rate_limit=200 if file == "ratelimit" else 100_000))
    runtime = IdleRuntime()
    app = create_app(state, runtime)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 50000))
    client = httpx.AsyncClient(transport=transport, base_url="http://coolify")
    world = World(state, client, runtime, app.state.queue)
    from coolify_sandbox.server.fields import TEAM

    state.insert("team", TEAM | {"name": "other", "description": None}, row_id=3)
    for label, (abilities, more) in TOKENS.items():
        world.tokens[label] = state.create_token(abilities, **more)
    return world


SEEDED = {
    "yjoevj2wh3nr5gdpralneeyl": ("server", 0),
    "smkom2tcmw9wwhol2kf0kxxz": ("destination", 0),
}


GIVEN: dict[str, tuple[str, ...]] = {
    "auth": ("projects:create_min", "projects:create_full"),
    "apps_update": ("apps_create:image_full",),
    "backups": (
        "databases:postgresql_backup_create",
        "databases:mysql_backup_create",
        "databases:mariadb_backup_create",
        "databases:mongodb_backup_create",
        "databases:clickhouse_backup_create",
    ),
    "deploy": (
        "apps_create:public_instant_deploy",
        "apps_create:public_full",
        "apps_create:public_min",
        "apps_create:image_full",
        "apps_update:name",
        "databases:redis_create_min",
        "databases:redis_patch",
    ),
    "deploy_with_ssh": (
        "apps_create:image_full",
        "apps_create:public_min",
        "apps_create:dockerfile_min",
        "databases:keydb_create_min",
    ),
    "storages": ("apps_create:public_full", "apps_update:*"),
    "webhooks": ("apps_create:*", "apps_update:*"),
}
"""Requests of other files that came before, besides those that created what the file names; `*` is all changes."""


def given(file: str) -> Iterator[Exchange]:
    for key in GIVEN.get(file, ()):
        other, _, name = key.partition(":")
        for one in load(other):
            if one.name == name or (name == "*" and one.method != "GET" and one.status < 300):
                yield one


def as_the_job_left_it(world: World, exchange: Exchange) -> None:
    """Put deployment, images and logs in the state that the real job had brought them to."""
    if "/rollback-images" in exchange.path:
        now = datetime.now(UTC)
        world.runtime.kept = tuple(Image(one["tag"], now, is_current=False) for one in exchange.body["images"])
    if exchange.path.partition("?")[0].endswith("/logs"):
        world.runtime.printed = exchange.body.get("logs")
    uuid = exchange.path.rpartition("/")[2]
    row = world.state.by_uuid("deployment", world.translated(uuid)) if exchange.method == "GET" else None
    if row is not None and isinstance(exchange.body, dict) and exchange.body.get("status") != row["status"]:
        world.state.update(row, status=exchange.body["status"], finished_at=exchange.body.get("finished_at"))
        world.queue.abandon(row["deployment_uuid"])


async def before(world: World, exchange: Exchange) -> None:
    """Do what was done by hand between two recorded requests."""
    instance = world.state.by_id("instance", 0)
    assert instance is not None
    if exchange.name.startswith("sql_state_") and "read" not in exchange.name:
        row = world.state.by_uuid("deployment", world.translated(exchange.path).rpartition("/")[2])
        assert row is not None
        world.state.update(row, status=exchange.name.removeprefix("sql_state_"))
    if exchange.file == "deploy_with_ssh":
        as_the_job_left_it(world, exchange)
    world.runtime.is_reachable = exchange.status != 500
    match exchange.key:
        case "auth:ip_not_allowed":
            world.state.update(instance, allowed_ips="10.0.0.1")
        case "auth:ip_allowed_again":
            world.state.update(instance, allowed_ips="")
        case "backups:executions":
            backup = world.state.by_uuid("backup", world.translated(exchange.path).split("/")[-2])
            assert backup is not None
            for one in reversed(exchange.body["executions"]):
                facts = {name: value for name, value in one.items() if name != "uuid"}
                world.state.insert("backup_execution", facts | {"backup_id": backup.id}, uuid=one["uuid"])
        case "ratelimit:call_198":
            # The recording leaves out the requests in between.
            headers = {"Authorization": f"Bearer {world.tokens['limit_read']}"}
            for _ in range(196):
                await world.client.get("/api/v1/version", headers=headers)
            while (await world.client.get("/api/v1/version", headers=headers)).status_code != 429:
                pass


async def prepare(world: World, exchanges: list[Exchange]) -> None:
    """Create what the file takes for granted, with the requests that created it then."""
    for uuid, (kind, row_id) in SEEDED.items():
        row = world.state.by_id(kind, row_id)
        assert row is not None
        world.known[uuid] = str(row.uuid)
    other = {"name": "other key", "description": None, "fingerprint": "x", "is_git_related": False, "public_key": ""}
    world.state.insert("key", other | {"private_key": "", "team_id": 3}, uuid=new_uuid())
    for exchange in given(exchanges[0].file):
        for uuid in UUID.findall(f"{exchange.path} {json.dumps(exchange.request_body)}"):
            if uuid not in world.known:
                await create(world, uuid)
        if exchange.body.get("uuid") not in world.known:
            world.learn(exchange.body, (await world.ask(exchange)).json())
        elif exchange.method != "POST":
            await world.ask(exchange)
    told: set[str] = set()
    for exchange in exchanges:
        for uuid in UUID.findall(f"{exchange.path} {json.dumps(exchange.request_body)}"):
            if uuid not in told and uuid not in world.known:
                await create(world, uuid)
        told |= set(UUID.findall(json.dumps(exchange.body)))


async def create(world: World, uuid: str) -> None:
    creator = creator_of(uuid)
    if creator is None:
        return
    for other in UUID.findall(f"{creator.path} {json.dumps(creator.request_body)}"):
        if other not in world.known:
            await create(world, other)
    answer = await world.ask(creator)
    if answer.status_code == 201:
        world.learn(creator.body, answer.json())
