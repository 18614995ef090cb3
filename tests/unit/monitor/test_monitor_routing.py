"""Who is told of which change."""

from datetime import timedelta

from coolify.config.monitoring import Alerts, Channel
from coolify.finding import Severity
from coolify.monitor.alerts import (
    destinations,
    failed_rollback_messages,
    messages,
    still_worth_sending,
    trial_messages,
)
from tests.unit.monitor.conftest import GOOD, SHOP, finding

SPECIFIED = Alerts(email="admin@example.com", slack="#deployments")


def test_the_specified_section_names_two_destinations() -> None:
    assert [(one, least.value) for one, least in destinations(SPECIFIED)] == [
        ((Channel.EMAIL, "coolify-alerts", "admin@example.com"), "warning"),
        ((Channel.SLACK, "coolify-alerts", "#deployments"), "warning"),
    ]


def test_everything_for_one_destination_is_one_message_but_an_incident_has_one_problem(watching) -> None:
    slow = finding(Severity.WARNING, "watch-slow")
    watching.see(finding(), slow)
    changes = watching.see(finding(), slow)
    alerts = Alerts(slack="#ops", pagerduty="on-call", severity={Channel.PAGERDUTY: "warning"})
    made = messages(changes, {SHOP.key: (alerts,)}, watching.now)
    assert [one.channel for one in made] == [Channel.SLACK, Channel.PAGERDUTY, Channel.PAGERDUTY]
    assert made[0].title == "[2 problems] shop (production)"
    assert "watch-slow" in made[0].body
    assert made[0].severity is Severity.ERROR
    assert len({one.problem for one in made[1:]}) == 2


def test_a_channel_gets_only_what_is_severe_enough(watching) -> None:
    slow = finding(Severity.WARNING, "watch-slow")
    watching.see(slow)
    alerts = Alerts(slack="#ops", pagerduty="on-call")
    made = messages(watching.see(slow), {SHOP.key: (alerts,)}, watching.now)
    assert [one.channel for one in made] == [Channel.SLACK]


def test_what_many_applications_share_is_told_once_to_each(watching) -> None:
    watching.see(finding())
    changes = watching.see(finding())
    recipients = {SHOP.key: (SPECIFIED, SPECIFIED, Alerts(slack="#others"))}
    assert [(one.channel.value, one.to) for one in messages(changes, recipients, watching.now)] == [
        ("email", "admin@example.com"),
        ("slack", "#deployments"),
        ("slack", "#others"),
    ]


def test_the_end_is_told_with_how_long_it_lasted(watching) -> None:
    for one in (finding(), finding(), finding(), GOOD):
        watching.see(one)
    (made,) = messages(watching.see(GOOD), {SHOP.key: (Alerts(slack="#ops"),)}, watching.now)
    assert made.title == "[over] shop (production): watch-not-healthy"
    assert made.is_over
    assert "It lasted 2 minutes." in made.body


def test_what_could_not_be_sent_is_tried_for_a_day(watching) -> None:
    made = trial_messages(SPECIFIED, "shop", watching.now)
    assert [one.title for one in made] == ["[test] shop"] * 2
    assert still_worth_sending(made, watching.now + timedelta(hours=23)) == made
    assert still_worth_sending(made, watching.now + timedelta(hours=25)) == ()


def test_a_failed_rollback_is_told_to_every_destination_as_the_error_that_it_is(watching) -> None:
    alerts = Alerts(slack="#ops", pagerduty="on-call", severity={Channel.SLACK: "error"})
    made = failed_rollback_messages(alerts, "shop (production)", "It fails.", "Look.", "rollback-1", watching.now)
    assert [(one.channel, one.severity, one.is_over) for one in made] == [
        (Channel.SLACK, Severity.ERROR, False),
        (Channel.PAGERDUTY, Severity.ERROR, False),
    ]
    assert {(one.title, one.body) for one in made} == {
        ("[error] shop (production): the rollback failed", "It fails.\nLook.")
    }
    assert failed_rollback_messages(Alerts(), "shop", "", "", "", watching.now) == ()
