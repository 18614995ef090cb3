"""What comes back over UDP is believed only where it answers the question."""

import asyncio

import pytest

from coolify.dns import Nameserver, Resolver, Status
from coolify_sandbox.names import NameServer


class Noisy(asyncio.DatagramProtocol):
    """Sends what it is told to before, or instead of, the right answer."""

    def __init__(self, zone: NameServer) -> None:
        self.zone = zone
        self.noise = lambda _: ()
        self.is_right = True
        self.is_old = False
        """Whether it knows nothing but the question of RFC 1035."""

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data, addr) -> None:
        if self.is_old and data[11]:
            self.transport.sendto(data[:2] + b"\x80\x01" + bytes(8), addr)
            return
        answer = self.zone.answer(data, udp=True)
        for noise in self.noise(answer):
            self.transport.sendto(noise, addr)
        if self.is_right:
            self.transport.sendto(answer, addr)


@pytest.fixture
async def noisy():
    zone = NameServer("example.test")
    zone.set("shop.example.test", "A", "192.0.2.10")
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Noisy(zone), local_addr=("127.0.0.1", 0)
    )
    protocol.server = Nameserver(*transport.get_extra_info("sockname"))
    yield protocol
    transport.close()


def another_id(answer: bytes) -> bytes:
    return bytes((answer[0] ^ 1,)) + answer[1:]


def another_name(answer: bytes) -> bytes:
    return answer.replace(b"\4shop", b"\4evil")


def a_question(answer: bytes) -> bytes:
    return answer[:2] + bytes((answer[2] & 0x7F,)) + answer[3:]


def without_question(answer: bytes) -> bytes:
    return answer[:2] + b"\x80\x00" + bytes(8)


@pytest.mark.parametrize(
    "forge", [another_id, another_name, a_question, without_question, lambda _: b"", lambda _: b"x"]
)
async def test_a_datagram_that_does_not_answer_the_question_is_passed_over(noisy, forge) -> None:
    noisy.noise = lambda answer: (forge(answer),)
    answer = await Resolver((noisy.server,), timeout=60).ask("shop.example.test", "A")
    assert answer.records == ("192.0.2.10",)


async def test_a_server_that_refuses_may_leave_the_question_out(noisy) -> None:
    noisy.noise = lambda answer: (answer[:2] + b"\x80\x05" + bytes(8),)
    noisy.is_right = False
    assert (await Resolver((noisy.server,), timeout=60).ask("shop.example.test", "A")).status is Status.REFUSED


async def test_a_server_that_does_not_know_edns_is_asked_without(noisy) -> None:
    noisy.is_old = True
    assert (await Resolver((noisy.server,), timeout=60).ask("shop.example.test", "A")).records == ("192.0.2.10",)


async def test_an_answer_that_breaks_off_is_a_failure_of_the_server(noisy) -> None:
    noisy.noise = lambda answer: (answer[:-2],)
    noisy.is_right = False
    assert (await Resolver((noisy.server,), timeout=60).ask("shop.example.test", "A")).status is Status.SERVFAIL


async def test_case_in_the_answer_does_not_matter(noisy) -> None:
    noisy.noise = lambda answer: (answer.replace(b"\4shop", b"\4SHOP"),)
    noisy.is_right = False
    assert (await Resolver((noisy.server,), timeout=60).ask("shop.example.test", "A")).records == ("192.0.2.10",)


async def test_a_port_where_nothing_listens_is_told_at_once(noisy) -> None:
    address = noisy.server
    noisy.transport.close()
    await asyncio.sleep(0)
    answer = await Resolver((address,), timeout=600).ask("shop.example.test", "A")
    assert answer.status is Status.CLOSED
