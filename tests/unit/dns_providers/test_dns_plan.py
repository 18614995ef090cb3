"""What is done to the records of a host, decided over what is there."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from coolify.dns_providers import Kind, RecordPlan, RecordSet, ZoneRecords, plan_addresses, plan_removal
from coolify.dns_providers.delegation import judge_delegation
from coolify.dns_providers.marks import Mark

HOST, MARK = "app.example.com", "_coolify-flows.app.example.com"
V4, V6 = "192.0.2.10", "2001:db8::10"


def record(kind: str, *values: str, name: str = HOST, ttl: int | None = 300) -> RecordSet:
    return RecordSet(name=name, type=kind, values=tuple(sorted(values)), ttl=ttl)


def mark(*types: str, owner: str = "us") -> RecordSet:
    return record("TXT", Mark(owner, frozenset(types)).text, name=MARK)


def zone(*records: RecordSet) -> ZoneRecords:
    return ZoneRecords(zone="example.com", provider="Cloudflare", records=records)


def plan(*records: RecordSet, addresses=(V4,), adopt: bool = False) -> RecordPlan:
    return plan_addresses(zone(*records), HOST, addresses, owner="us", ttl=300, adopt=adopt)


def carried_out(before: ZoneRecords, made: RecordPlan, stages: int = 3) -> ZoneRecords:
    """Return the zone after the first stages of a plan."""
    records = {(one.name, one.type): one for one in before.records}
    for stage in made.stages[:stages]:
        for change in stage:
            records.pop((change.record.name, change.record.type), None)
            if change.after:
                records[change.after.name, change.after.type] = change.after
    return before.model_copy(update={"records": tuple(records.values())})


def seen(made: RecordPlan) -> list[tuple[str, str, str]]:
    return [(change.kind.value, change.record.name, change.record.told) for change in made.changes]


def test_a_new_host_is_marked_before_it_gets_its_addresses() -> None:
    made = plan(addresses=(V6, V4))
    assert seen(made) == [
        ("create", MARK, "TXT coolify-flows-owner=us,types=A+AAAA"),
        ("create", HOST, f"A {V4}"),
        ("create", HOST, f"AAAA {V6}"),
    ]
    assert made.changes[1].record.lines == (f"{HOST}. 300 IN A {V4}",)


def test_where_a_wildcard_answers_the_mark_never_stands_alone() -> None:
    wildcard = record("A", "198.51.100.7", name="*.example.com")
    assert len(plan().stages) == 2
    assert len(plan(wildcard).stages) == 1
    assert plan(wildcard).changes == plan().changes


def test_what_is_there_already_is_not_written_again() -> None:
    assert plan(mark("A"), record("A", V4)).changes == ()


def test_our_record_follows_the_server() -> None:
    made = plan(mark("A"), record("A", "198.51.100.7"))
    assert seen(made) == [("update", HOST, f"A {V4}")]
    assert str(made.changes[0]) == f"{HOST} A 198.51.100.7 -> {V4} (is ours and leads elsewhere)"


def test_a_lost_ipv6_address_takes_our_record_along_and_the_mark_gives_it_up_last() -> None:
    made = plan(mark("A", "AAAA"), record("A", V4), record("AAAA", V6))
    assert seen(made) == [
        ("delete", HOST, f"AAAA {V6}"),
        ("update", MARK, "TXT coolify-flows-owner=us,types=A"),
    ]


def test_a_ttl_that_the_provider_chooses_is_left_alone() -> None:
    assert plan(mark("A"), record("A", V4, ttl=None)).changes == ()
    assert seen(plan(mark("A"), record("A", V4, ttl=60))) == [("update", HOST, f"A {V4}")]


@pytest.mark.parametrize(
    "foreign",
    [
        record("A", "198.51.100.7"),
        record("AAAA", "2001:db8::bad"),
        record("CNAME", "elsewhere.example.net"),
    ],
    ids=lambda one: one.type,
)
def test_a_record_of_somebody_else_is_not_overwritten_without_adopt(foreign: RecordSet) -> None:
    refused = plan(foreign)
    assert refused.changes == ()
    (reason,) = refused.refusals
    assert foreign.told in reason
    assert "--adopt" in reason
    adopted = plan(foreign, adopt=True)
    after = carried_out(zone(foreign), adopted)
    assert {one.told for one in after.at(HOST)} == {f"A {V4}"}
    assert plan(*after.records).changes == ()


def test_an_aaaa_record_that_somebody_adds_beside_ours_is_not_ours() -> None:
    assert (
        "AAAA 2001:db8::bad, which is not ours"
        in plan(mark("A"), record("A", V4), record("AAAA", "2001:db8::bad")).refusals[0]
    )


def test_a_foreign_record_that_is_right_stays_and_is_not_marked() -> None:
    made = plan(record("A", V4))
    assert made.changes == ()
    assert made.refusals == ()
    assert "not ours: it stays" in made.kept[0]


def test_beside_a_foreign_record_that_is_right_only_what_is_missing_is_ours() -> None:
    made = plan(record("A", V4), addresses=(V4, V6))
    assert seen(made) == [("create", MARK, "TXT coolify-flows-owner=us,types=AAAA"), ("create", HOST, f"AAAA {V6}")]


def test_the_mark_of_another_application_is_respected_until_it_is_taken_over() -> None:
    there = (mark("A", owner="them"), record("A", "198.51.100.7"))
    assert "belongs to another application by its mark (owner them)" in plan(*there).refusals[0]
    assert seen(plan(*there, adopt=True)) == [
        ("update", MARK, "TXT coolify-flows-owner=us,types=A"),
        ("update", HOST, f"A {V4}"),
    ]


def test_two_claims_made_at_the_same_moment_stop_both() -> None:
    both = record("TXT", *mark("A").values, *mark("A", owner="them").values, name=MARK)
    assert "another application" in plan(both).refusals[0]
    left = carried_out(zone(both), plan_removal(zone(both), HOST, (V4,), owner="us"))
    assert left.records == (mark("A", owner="them"),)


def test_other_texts_at_the_name_of_the_mark_stay() -> None:
    note = record("TXT", "somebody's note", name=MARK)
    after = carried_out(zone(note), plan(note))
    assert after.find(MARK, "TXT").values == ("coolify-flows-owner=us,types=A", "somebody's note")
    assert carried_out(after, plan_removal(after, HOST, (V4,), owner="us")).records == (note,)


def test_a_mark_entered_by_hand_as_a_proof_claims_no_records() -> None:
    proof = record("TXT", "coolify-flows-owner=us", name=MARK)
    assert "not ours" in plan(proof, record("A", "198.51.100.7")).refusals[0]
    assert plan(proof, record("A", V4)).changes == ()
    assert seen(plan(proof))[0] == ("update", MARK, "TXT coolify-flows-owner=us,types=A")


def test_names_below_a_delegation_and_outside_of_the_zone_are_refused() -> None:
    made = plan(record("NS", "ns.elsewhere.example", name=HOST))
    assert f"{HOST} is delegated to ns.elsewhere.example" in made.refusals[0]
    other = plan_addresses(zone(), "app.example.org", (V4,), owner="us", ttl=300)
    assert "app.example.org is not in the zone example.com" in other.refusals[0]


def test_a_name_without_room_for_its_mark_is_refused() -> None:
    long = ".".join(["a" * 60] * 3 + ["b" * 50, "example.com"])
    made = plan_addresses(zone(), long, (V4,), owner="us", ttl=300)
    assert "too long for a mark" in made.refusals[0]


def test_an_alias_of_the_provider_is_never_replaced() -> None:
    made = plan(record("Route53Provider/ALIAS"), adopt=True)
    assert "remove it first" in made.refusals[0]


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [((), "is not known"), (("104.16.1.1",), "is Cloudflare's proxy, not the server")],
)
def test_without_an_address_of_the_server_nothing_is_written(addresses, reason: str) -> None:
    made = plan(addresses=addresses)
    assert reason in made.refusals[0]
    assert made.changes == ()


def removal(*records: RecordSet, addresses=(V4,)) -> RecordPlan:
    return plan_removal(zone(*records), HOST, addresses, owner="us")


def test_removal_deletes_the_addresses_before_the_mark() -> None:
    made = removal(mark("A"), record("A", V4), record("MX", "10 mail.example.com"))
    assert seen(made) == [("delete", HOST, f"A {V4}"), ("delete", MARK, "TXT coolify-flows-owner=us,types=A")]


def test_removal_leaves_what_is_not_ours() -> None:
    made = removal(record("A", V4))
    assert made.changes == ()
    assert "not ours: it stays" in made.kept[0]
    assert removal(mark("A", owner="them"), record("A", V4)).changes == ()


def test_removal_leaves_a_record_that_somebody_has_led_elsewhere() -> None:
    made = removal(mark("A"), record("A", "198.51.100.7"))
    assert [one.kind for one in made.changes] == [Kind.DELETE]
    assert made.changes[0].record.name == MARK
    assert "somebody has changed it: it stays" in made.kept[0]


records_of_a_host = st.lists(
    st.sampled_from(
        (
            record("A", V4),
            record("A", "198.51.100.7"),
            record("AAAA", V6),
            record("AAAA", "2001:db8::bad"),
            mark("A"),
            mark("A", "AAAA"),
            mark("A", owner="them"),
            record("MX", "10 mail.example.com"),
            record("A", "203.0.113.1", name="other.example.com"),
        )
    ),
    unique_by=lambda one: (one.name, one.type),
)
servers = st.sampled_from([(V4,), (V6,), (V4, V6)])


@given(records_of_a_host, servers, st.booleans(), st.integers(0, 3))
def test_a_run_that_dies_anywhere_is_taken_up_by_the_next(records, addresses, adopt, survived) -> None:
    before, made = zone(*records), plan(*records, addresses=addresses, adopt=adopt)
    assume(not made.refusals)
    half = carried_out(before, made, survived)
    # Once the mark is written, what was taken over is ours without being asked for again.
    again = plan(*half.records, addresses=addresses, adopt=adopt and not survived)
    assert set(carried_out(half, again).records) == set(carried_out(before, made).records)


@given(records_of_a_host, servers, st.booleans())
def test_no_plan_touches_another_name_or_type(records, addresses, adopt) -> None:
    for made in (
        plan(*records, addresses=addresses, adopt=adopt),
        plan_removal(zone(*records), HOST, addresses, owner="us"),
    ):
        assert {one.record.name for one in made.changes} <= {HOST, MARK}
        assert {one.record.type for one in made.changes if one.record.name == HOST} <= {"A", "AAAA", "CNAME"}


@given(records_of_a_host, servers)
def test_removal_after_adding_leaves_what_was_there_before(records, addresses) -> None:
    untouched = [one for one in records if not one.values[0].startswith("coolify-flows")]
    made = plan(*untouched, addresses=addresses)
    after = carried_out(zone(*untouched), made)
    gone = carried_out(after, plan_removal(after, HOST, addresses, owner="us"))
    assert set(gone.records) == set(untouched)


def test_records_behind_another_delegation_would_be_seen_by_nobody() -> None:
    there = zone().model_copy(update={"servers": ("ada.ns.cloudflare.com", "bob.ns.cloudflare.com")})
    assert judge_delegation(there, ("ada.ns.cloudflare.com",)) == ""
    assert judge_delegation(there, ()) == ""
    told = judge_delegation(there, ("ns1.registrar.example",))
    assert "is delegated to ns1.registrar.example, not to the servers of Cloudflare" in told
