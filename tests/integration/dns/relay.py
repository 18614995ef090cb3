"""Addresses for servers that listen on 127.0.0.1 alone: BIND binds only to addresses that an interface has."""

import asyncio
import threading
from contextlib import suppress


class Relay:
    """Passes datagrams and streams on, from `address:port` to a port of 127.0.0.1 each, in a thread of its own."""

    def __init__(self, port: int, targets: dict[str, int]) -> None:
        self.port = port
        self._targets = targets
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(60)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    async def _listen(self) -> None:
        for address, target in self._targets.items():
            await self._loop.create_datagram_endpoint(
                lambda target=target: _Datagrams(target), local_addr=(address, self.port)
            )
            await asyncio.start_server(
                lambda reader, writer, target=target: _stream(reader, writer, target), address, self.port
            )


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, target: int) -> None:
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport) -> None:
        self._transport = transport

    def datagram_received(self, data, addr) -> None:
        task = asyncio.ensure_future(self._pass_on(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, data, addr) -> None:
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Answer(answer), remote_addr=("127.0.0.1", self._target)
        )
        try:
            transport.sendto(data)
            with suppress(OSError, TimeoutError):
                self._transport.sendto(await asyncio.wait_for(answer, 10), addr)
        finally:
            transport.close()


class _Answer(asyncio.DatagramProtocol):
    def __init__(self, answer) -> None:
        self._answer = answer

    def datagram_received(self, data, addr) -> None:
        if not self._answer.done():
            self._answer.set_result(data)

    def error_received(self, exc) -> None:
        if not self._answer.done():
            self._answer.set_exception(exc)


async def _stream(reader, writer, target: int) -> None:
    with suppress(OSError):
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(_pump(reader, upstream_writer), _pump(upstream_reader, writer))


async def _pump(reader, writer) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
