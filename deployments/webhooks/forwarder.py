"""From the spool to Prefect, at least once and as good as once.

Prefect answers 204 as soon as it has an event in memory. An event leaves the spool only when Prefect has stored it; one
that it has not after a while is sent again under the same identifier, by which Prefect knows it again. So a Prefect
that is down, or that is killed right after its answer, costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from deployments.webhooks.spool import Spool, SpoolFailedError, Waiting

if TYPE_CHECKING:
    from prefect.client.orchestration import PrefectClient

__all__ = ["EventSink", "Forwarder", "PrefectSink", "RefusedByPrefectError", "UnavailableError"]

_log = logging.getLogger("coolify_flows.webhooks")
_BATCH: Final = 100
_BREATH: Final = 0.2
_REFUSALS: Final = frozenset({413, 422})
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 10.0
_LOOK_AGAIN: Final = 2.0
"""Seconds between looks whether Prefect has stored what it took; it writes every five seconds or so."""
_SEND_AGAIN: Final = 30.0
_MOST_SENDINGS: Final = 3
"""Prefect knows an event again for five minutes only; after that a third time would start a second run."""


class UnavailableError(Exception):
    """Prefect cannot be reached, or has enough to do with itself."""


class RefusedByPrefectError(Exception):
    """Prefect does not take an event, and never will."""


class EventSink(Protocol):
    """Where events go."""

    async def send(self, bodies: Sequence[str]) -> None:
        """Hand over events, as JSON.

        Raises:
            UnavailableError: Try again later.
            RefusedByPrefectError: One of them is wrong.
        """

    async def stored(self, ids: Sequence[str]) -> Collection[str]:
        """Return those of the events that are stored.

        Raises:
            UnavailableError: Try again later.
        """

    async def close(self) -> None:
        """Let go of the connection."""


class PrefectSink:
    """The Prefect server that the settings of this process name."""

    def __init__(self) -> None:
        self._connected: contextlib.AsyncExitStack | None = None
        self._client: PrefectClient | None = None

    async def prepare(self) -> None:
        """Load Prefect's client, which takes a moment in which nobody is answered; Prefect is not asked anything."""
        try:
            await self._connect()
        except (OSError, RuntimeError, ValueError):
            # What is wrong is told when there is something to send.
            await self.close()

    async def send(self, bodies: Sequence[str]) -> None:
        """See `EventSink.send`."""
        await self._post("/events", f"[{','.join(bodies)}]")

    async def stored(self, ids: Sequence[str]) -> Collection[str]:
        """See `EventSink.stored`."""
        wanted = {"filter": {"id": {"id": list(ids)}}, "limit": len(ids)}
        content = await self._post("/events/filter", json.dumps(wanted))
        return {one["id"] for one in json.loads(content)["events"]}

    async def close(self) -> None:
        """Close the connection; the next call opens another one."""
        connected, self._connected, self._client = self._connected, None, None
        if connected is not None:
            with contextlib.suppress(Exception):
                await connected.aclose()

    async def _post(self, path: str, content: str) -> bytes:
        import httpx
        from prefect.exceptions import PrefectHTTPStatusError

        try:
            client = self._client or await self._connect()
            kind = {"content-type": "application/json"}
            response = await client.request("POST", path, content=content, headers=kind)  # type: ignore[arg-type]
            response.raise_for_status()
            return response.content
        except PrefectHTTPStatusError as error:
            status = error.response.status_code
            # Only what it says about the events themselves: all else passes, or is somebody else in its place.
            if status in _REFUSALS and error.request.url.path.endswith("/api/events"):
                raise RefusedByPrefectError(f"Prefect answered {status}") from None
            await self.close()
            raise UnavailableError(f"Prefect answered {status}") from None
        # What its client raises while a server goes down is not only httpx's; whatever it is, the event is kept.
        except (httpx.HTTPError, OSError, RuntimeError, ValueError) as error:
            await self.close()
            raise UnavailableError(f"Prefect cannot be reached ({type(error).__name__})") from None

    async def _connect(self) -> PrefectClient:
        """Return Prefect's own client: it brings the authentication and the token against forged requests."""
        from prefect.client.orchestration import get_client

        self._connected = contextlib.AsyncExitStack()
        self._client = await self._connected.enter_async_context(get_client(httpx_settings={"timeout": 15.0}))
        return self._client


class Forwarder:
    """Sends what the spool holds, in the order in which it was accepted, until it is ended.

    Args:
        spool: Where events wait.
        sink: Where they go.
    """

    def __init__(self, spool: Spool, sink: EventSink) -> None:
        self._spool = spool
        self._sink = sink
        self._wake = asyncio.Event()
        self._complained = False

    def wake(self) -> None:
        """Say that there is something new."""
        self._wake.set()

    async def run(self) -> None:
        """Forward for ever; ends when it is cancelled."""
        try:
            await self._run()
        finally:
            await self._sink.close()

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            self._wake.clear()
            try:
                rest = await self.forward()
            except (UnavailableError, SpoolFailedError) as error:
                await self._complain(error)
                # New events do not shorten it: a server that comes back is not to be met by a herd.
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN if rest else None):
                    await self._wake.wait()

    async def forward(self) -> int:
        """Send what was not sent, and forget what Prefect has stored.

        Returns:
            How many events are left.

        Raises:
            UnavailableError: Prefect cannot be reached.
            SpoolFailedError: The spool cannot be used.
        """
        while fresh := await self._spool.fresh(_BATCH):
            await self._send(fresh)
            # In a burst taking deliveries comes first: whoever delivers waits, Prefect does not.
            await asyncio.sleep(_BREATH)
        if self._complained:
            self._complained = False
            _log.info("Prefect takes events again")
        taken = await self._spool.taken(_BATCH)
        if not taken:
            return 0
        stored = await self._sink.stored([one.id for one in taken])
        missing = [one for one in taken if one.id not in stored]
        gone = [one for one in taken if one.id in stored]
        overdue = [one for one in missing if time.time() - (one.sent or 0) > _SEND_AGAIN]
        lost = [one for one in overdue if one.sendings >= _MOST_SENDINGS]
        for one in lost:
            _log.warning("Prefect has taken event %s %d times and stored it never: given up", one.id, one.sendings)
        await self._spool.delivered([*gone, *lost])
        await self._send([one for one in overdue if one.sendings < _MOST_SENDINGS])
        return len(missing) - len(lost)

    async def _send(self, events: Sequence[Waiting]) -> None:
        if not events:
            return
        try:
            await self._sink.send([one.body for one in events])
        except RefusedByPrefectError as error:
            if len(events) > 1:
                # One of them is wrong: the others go alone.
                for one in events:
                    await self._send([one])
                return
            _log.error("%s to event %s: put aside", error, events[0].id)
            await self._spool.refused(events[0], str(error))
        else:
            await self._spool.sent(events)

    async def _complain(self, error: Exception) -> None:
        if not self._complained:
            self._complained = True
            _log.warning("%s: events are kept until it is back", error)
