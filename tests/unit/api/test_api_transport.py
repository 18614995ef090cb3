"""How requests are paced, repeated and given up, without a server."""

import asyncio
from itertools import pairwise

import httpx
import pytest
from pydantic import SecretStr

from coolify.api.errors import (
    AnswerLostError,
    ApiError,
    AuthenticationError,
    ConnectionFailedError,
    MalformedAnswerError,
    NotFoundError,
    RateLimitedError,
    TlsVerificationError,
)
from coolify.api.token import StaticToken
from coolify.api.transport import RateBudget, RetryPolicy, Transport

SECRET = "1|averysecrettoken"


class Server:
    """Answers with a script: a status, a response, or an exception to raise; the last entry repeats."""

    def __init__(self, *script) -> None:
        self.script = list(script)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        if isinstance(step, int):
            return httpx.Response(step, json={} if step < 400 else {"message": "told"})
        return step


class Tokens:
    """A source whose token changes with every reading."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.readings = 0

    async def read(self) -> SecretStr:
        self.readings += 1
        return SecretStr(self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0])


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def connect(waits):
    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    def connected(server: Server, token=None, **options) -> Transport:
        source = token or StaticToken(SecretStr(SECRET))
        return Transport("http://coolify.test", source, transport=httpx.MockTransport(server), sleep=sleep, **options)

    return connected


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_what_a_gateway_says_is_tried_again_with_growing_pauses(connect, waits, status) -> None:
    server = Server(status, status, status, 200)
    assert await connect(server).get("/projects") == {}
    assert len(server.requests) == 4
    # Half of the backoff is fixed and half is jitter: 0.5, 1, 2 seconds.
    assert [0.5 * 2**n / 2 <= waited <= 0.5 * 2**n for n, waited in enumerate(waits)] == [True, True, True]


async def test_after_five_attempts_the_last_error_is_told(connect, waits) -> None:
    server = Server(503)
    with pytest.raises(ApiError) as caught:
        await connect(server).get("/projects")
    assert caught.value.status == 503
    assert (len(server.requests), len(waits)) == (5, 4)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 500])
async def test_what_coolify_itself_refuses_is_not_tried_again(connect, waits, status) -> None:
    server = Server(status)
    with pytest.raises(ApiError) as caught:
        await connect(server).patch("/projects/x", {"name": "shop"})
    assert caught.value.status == status
    assert (len(server.requests), waits) == (1, [])


async def test_a_full_minute_is_waited_for_as_long_as_the_server_says(connect, waits) -> None:
    server = Server(httpx.Response(429, json={"message": "Too Many Attempts."}, headers={"Retry-After": "17"}), 200)
    await connect(server).get("/projects")
    (waited,) = waits
    assert 17 <= waited < 18


async def test_a_wait_that_is_too_long_is_told_instead(connect, waits) -> None:
    server = Server(httpx.Response(429, json={"message": "Too Many Attempts."}, headers={"Retry-After": "91"}))
    with pytest.raises(RateLimitedError):
        await connect(server).get("/projects")
    assert waits == []


@pytest.mark.parametrize(("remaining", "expected"), [(20, []), (19, [1.5]), (0, [1.5])])
async def test_the_last_tenth_of_a_minutes_requests_is_spread(connect, waits, remaining, expected) -> None:
    limits = {"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": str(remaining)}
    transport = connect(Server(httpx.Response(200, json=[], headers=limits)))
    await transport.get("/projects")
    await transport.get("/projects")
    assert waits == expected
    assert transport.budget.remaining == remaining


@pytest.mark.parametrize("pause", [0.0, 0.25])
async def test_no_minute_sees_more_requests_than_the_server_allows_and_none_stands_still(pause) -> None:
    now, sent = 0.0, []

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    budget = RateBudget(sleep, lambda: now)
    for _ in range(1000):
        now += pause
        await budget.pace()
        sent.append(now)
    busiest = max(sum(begin <= one < begin + 60 for one in sent) for begin in sent)
    assert busiest <= 190
    # Half of a minute's worth goes out at once, and all of it is used.
    assert sent[94] == pytest.approx(95 * pause)
    assert 1000 / (sent[-1] - sent[0]) > 2.5
    assert max(later - earlier for earlier, later in pairwise(sent)) < 3
    # After a quiet minute nothing is held back.
    now += 60
    await budget.pace()
    assert now == sent[-1] + 60


async def test_who_waits_at_the_same_time_waits_for_turns_of_their_own() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    budget = RateBudget(sleep, lambda: 0.0)
    await asyncio.gather(*(budget.pace() for _ in range(400)))
    turns = [0.0] * 95 + waits
    assert turns == sorted(turns)
    assert all(later - earlier >= 60 for earlier, later in zip(turns, turns[190:], strict=False))
    assert turns[380] < 125


async def test_answers_without_limits_leave_the_budget_as_it_was(connect) -> None:
    odd = httpx.Response(200, json=[], headers={"X-RateLimit-Limit": "many", "X-RateLimit-Remaining": "1"})
    transport = connect(Server(odd))
    await transport.get("/projects")
    assert transport.budget.remaining is None


async def test_a_refused_token_is_read_again_once(connect) -> None:
    tokens = Tokens("old", "new")
    server = Server(401, 200)
    await connect(server, tokens).get("/projects")
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer old", "Bearer new"]
    assert tokens.readings == 2


async def test_a_refusal_that_passes_costs_one_request_more(connect) -> None:
    server = Server(401, 200)
    await connect(server).get("/projects")
    assert len(server.requests) == 2


async def test_a_token_that_stays_refused_is_sent_twice_and_no_more(connect) -> None:
    server = Server(401, 401, 200)
    with pytest.raises(AuthenticationError):
        await connect(server).get("/projects")
    assert len(server.requests) == 2


async def test_a_redirect_is_told_and_the_token_not_taken_along(connect) -> None:
    server = Server(httpx.Response(302, headers={"location": "https://elsewhere.test/login"}))
    with pytest.raises(MalformedAnswerError, match=r"redirected to elsewhere\.test"):
        await connect(server, retry=RetryPolicy(attempts=1)).get("/projects")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "step",
    [
        401,
        500,
        httpx.ConnectError("[Errno 111] Connection refused"),
        httpx.ReadTimeout(""),
        httpx.Response(302, headers={"location": f"https://elsewhere.test/?token={SECRET}"}),
        httpx.Response(200, text=f"<html>{SECRET}</html>"),
    ],
)
async def test_no_error_names_the_token(connect, step) -> None:
    transport = connect(Server(step), retry=RetryPolicy(attempts=1))
    with pytest.raises(Exception) as caught:
        await transport.get("/projects")
    chain, error = [], caught.value
    while error is not None:
        chain.append(f"{error!r} {error}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert SECRET not in " ".join([*chain, repr(transport), repr(StaticToken(SecretStr(SECRET)))])


async def test_who_was_never_reached_may_be_asked_again(connect, waits) -> None:
    server = Server(httpx.ConnectError("[Errno 111] Connection refused"), httpx.Response(201, json={"uuid": "x"}))
    assert await connect(server).post_once("/projects", {"name": "shop"}) == {"uuid": "x"}
    assert len(waits) == 1


@pytest.mark.parametrize("step", [httpx.ReadTimeout(""), httpx.RemoteProtocolError("closed"), httpx.ReadError("")])
async def test_a_lost_answer_to_a_creation_is_told_and_nothing_sent_twice(connect, waits, step) -> None:
    server = Server(step)
    with pytest.raises(AnswerLostError):
        await connect(server).post_once("/projects", {"name": "shop"})
    assert (len(server.requests), waits) == (1, [])


@pytest.mark.parametrize("step", [500, 502, httpx.Response(200, text="<html>"), httpx.Response(200, text="")])
async def test_an_answer_that_does_not_tell_the_outcome_is_a_lost_one(connect, step) -> None:
    server = Server(step)
    with pytest.raises(AnswerLostError, match=r"outcome of POST /projects is unknown"):
        await connect(server).post_once("/projects", {"name": "shop"})
    assert len(server.requests) == 1


async def test_a_deletion_whose_answer_was_lost_has_succeeded_when_nothing_is_left(connect) -> None:
    await connect(Server(httpx.ReadTimeout(""), 404)).delete("/projects/x")


async def test_a_deletion_of_nothing_is_an_error(connect) -> None:
    with pytest.raises(NotFoundError):
        await connect(Server(404)).delete("/projects/x")


@pytest.mark.parametrize(
    ("reason", "expected", "text"),
    [
        ("[Errno 111] Connection refused", ConnectionFailedError, "Connection refused"),
        ("[Errno -2] Name or service not known", ConnectionFailedError, "Name or service not known"),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate (_ssl.c:1006)",
            TlsVerificationError,
            "self-signed certificate",
        ),
    ],
)
async def test_why_a_server_cannot_be_reached_is_told_apart(connect, reason, expected, text) -> None:
    transport = connect(Server(httpx.ConnectError(reason)), retry=RetryPolicy(attempts=1))
    with pytest.raises(expected, match=text):
        await transport.get("/projects")


@pytest.mark.parametrize("given", ["http://coolify.test", "http://coolify.test/", "http://coolify.test/api/v1"])
async def test_every_spelling_of_the_address_leads_to_the_api(given) -> None:
    server = Server(200)
    transport = Transport(given, StaticToken(SecretStr(SECRET)), transport=httpx.MockTransport(server))
    await transport.get("/projects", {"force": True, "take": 3})
    assert str(server.requests[0].url) == "http://coolify.test/api/v1/projects?force=true&take=3"
