"""What is read out of messages, and that no message can break the reading."""

import dns.exception
import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coolify.dns import Nameserver, Status
from coolify.dns.exchange import Question, read

SERVER = Nameserver("192.0.2.53")
SOA = "example.com. 60 IN SOA ns.example.com. hostmaster.example.com. 7 3600 600 86400 30"


def message(*, answer=(), authority=(), additional=(), rcode="NOERROR", flags="QR AA") -> dns.message.Message:
    sections = {"ANSWER": answer, "AUTHORITY": authority, "ADDITIONAL": additional}
    lines = ["id 1", f"opcode QUERY\nrcode {rcode}\nflags {flags}", ";QUESTION", "shop.example.com. IN A"]
    for name, records in sections.items():
        lines += [f";{name}", *records]
    return dns.message.from_text("\n".join(lines))


def answer_to(kind="A", **parts):
    return read(Question("shop.example.com", kind), SERVER, message(**parts))


def test_absence_may_be_remembered_for_the_smaller_of_two_times() -> None:
    told = answer_to(authority=[SOA], rcode="NXDOMAIN")
    assert (told.status, told.ttl, told.zone, told.serial) == (Status.NXDOMAIN, 30, "example.com", 7)


def test_an_alias_may_be_remembered_for_the_time_of_its_own_record() -> None:
    chain = ["shop.example.com. 20 IN CNAME www.example.com.", "www.example.com. 500 IN A 192.0.2.10"]
    told = answer_to(answer=chain)
    assert (told.records, told.aliases, told.ttl) == (("192.0.2.10",), ("www.example.com",), 20)


def test_a_circle_ends_where_it_comes_back() -> None:
    chain = ["shop.example.com. 20 IN CNAME www.example.com.", "www.example.com. 20 IN CNAME shop.example.com."]
    told = answer_to(answer=chain)
    assert told.loops
    assert told.aliases == ("www.example.com", "shop.example.com")


def test_servers_of_a_zone_below_are_a_referral_and_no_absence() -> None:
    below = ["shop.example.com. 60 IN NS ns.example.net.", "shop.example.com. 60 IN NS ns.example.org."]
    told = answer_to(authority=below, additional=["ns.example.net. 60 IN A 192.0.2.54"], flags="QR")
    assert told.status is Status.REFERRAL
    assert told.referral == ("ns.example.net", "ns.example.org")
    assert told.glue == (("ns.example.net", "192.0.2.54"),)
    assert answer_to(authority=[*below, SOA]).status is Status.NODATA


@pytest.mark.parametrize(
    ("rcode", "status"),
    [
        ("SERVFAIL", Status.SERVFAIL),
        ("REFUSED", Status.REFUSED),
        ("NOTAUTH", Status.REFUSED),
        ("NOTIMP", Status.SERVFAIL),
    ],
)
def test_a_refusal_is_told_from_a_failure(rcode, status) -> None:
    assert answer_to(rcode=rcode).status is status


def test_a_question_says_in_its_flags_what_is_wanted() -> None:
    plain = dns.message.from_wire(Question("shop.example.com", "A").wire())
    assert dns.flags.to_text(plain.flags) == "RD"
    assert (plain.edns, plain.payload, plain.ednsflags) == (0, 1232, 0)
    told = Question("shop.example.com", "DNSKEY", recursive=False, dnssec=True, unchecked=True)
    other = dns.message.from_wire(told.wire())
    assert dns.flags.to_text(other.flags) == "CD"
    assert other.ednsflags == dns.flags.DO
    assert other.question[0].to_text() == "shop.example.com. IN DNSKEY"


@given(st.data())
def test_no_message_breaks_the_reading(data) -> None:
    wire = bytearray(
        message(
            answer=["shop.example.com. 20 IN CNAME www.example.com.", "www.example.com. 500 IN A 192.0.2.10"],
            authority=[SOA, "example.com. 60 IN NS ns.example.com."],
            additional=["ns.example.com. 60 IN A 192.0.2.54"],
        ).to_wire()
    )
    for place, value in data.draw(
        st.dictionaries(st.integers(2, len(wire) - 1), st.integers(0, 255), max_size=6)
    ).items():
        wire[place] = value
    try:
        received = dns.message.from_wire(bytes(wire), ignore_trailing=True)
    except dns.exception.DNSException:
        return
    told = read(Question("shop.example.com", "A"), SERVER, received)
    assert told.told
