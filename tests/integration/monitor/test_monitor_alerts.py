"""Alerts arrive at each channel as it wants them, with the credentials of blocks."""

import json
from datetime import UTC, datetime

import httpx
import pytest
import responses
import respx
from prefect.blocks.notifications import (
    CustomWebhookNotificationBlock,
    DiscordWebhook,
    PagerDutyWebHook,
    SlackWebhook,
)
from pydantic import SecretStr

from blocks import BlockWatchStore, SmtpServer, TelegramBot
from coolify.config.monitoring import Channel
from coolify.finding import Severity
from coolify.monitor.message import Message
from tasks.alerting import AlertError, send_alert, send_alerts
from tests.integration.monitor.smtp import mail_server
from tests.unit.monitor.conftest import Watching, finding


def message(channel: Channel, block: str, to: str = "", **more) -> Message:
    fields = {
        "title": "[error] shop (production): watch-not-healthy",
        "body": "It answered 503.",
        "problem": "abcd1234",
    }
    return Message(
        channel=channel, block=block, to=to, severity=Severity.ERROR, made=datetime.now(UTC), **(fields | more)
    )


async def test_a_mail_is_sent_over_a_real_connection_and_a_refusal_is_told(in_prefect) -> None:
    async with mail_server() as server:
        block = SmtpServer(host="127.0.0.1", port=server.port, security="none", sender="coolify@example.com")
        await block.asave("alerts-mail", overwrite=True)
        await send_alert(message(Channel.EMAIL, "alerts-mail", "admin@example.com"))
        (mail,) = server.mails
        assert (mail["to"], mail["subject"]) == ("admin@example.com", "[error] shop (production): watch-not-healthy")
        assert "coolify@example.com" in mail["from"]
        assert "It answered 503." in mail.get_body().get_content()
        server.refuses = True
        with pytest.raises(AlertError, match="email did not take the alert"):
            await send_alert(message(Channel.EMAIL, "alerts-mail", "nobody@example.com"))


async def test_slack_discord_and_telegram_get_what_their_services_want(in_prefect) -> None:
    await SlackWebhook(
        url=SecretStr("https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
    ).asave("alerts-slack", overwrite=True)
    discord = DiscordWebhook(
        webhook_id=SecretStr("4174216298"), webhook_token=SecretStr("JHMHI8qBe7bk2ZwO5U711o3dV_js")
    )
    await discord.asave("alerts-discord", overwrite=True)
    token = "123456789:abcdefg_hijklmnop"
    await TelegramBot(token=SecretStr(token)).asave("alerts-telegram", overwrite=True)
    with responses.RequestsMock() as service:
        service.post(
            "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ", body="ok", status=200
        )
        await send_alert(message(Channel.SLACK, "alerts-slack", "#deployments"))
        sent = json.loads(service.calls[0].request.body)
        assert sent["channel"] == "#deployments"
        assert "watch-not-healthy" in json.dumps(sent)
    with responses.RequestsMock() as service:
        service.post("https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", status=204)
        await send_alert(message(Channel.DISCORD, "alerts-discord"))
        assert "It answered 503." in str(service.calls[0].request.body)
    with responses.RequestsMock() as service:
        service.post(f"https://api.telegram.org/bot{token}/sendMessage", json={"ok": True})
        await send_alert(message(Channel.TELEGRAM, "alerts-telegram", "-1001234"))
        assert json.loads(service.calls[0].request.body)["chat_id"] == -1001234


async def test_what_a_service_refuses_is_told_without_its_secret(in_prefect) -> None:
    address = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    await SlackWebhook(url=SecretStr(address)).asave("alerts-slack", overwrite=True)
    with responses.RequestsMock() as service:
        service.post(address, body="channel_not_found", status=404)
        with pytest.raises(AlertError) as told:
            await send_alert(message(Channel.SLACK, "alerts-slack", "#nowhere"))
    assert "slack did not take the alert" in str(told.value)
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in str(told.value)
    with pytest.raises(AlertError, match="There is no block slack-webhook/none-such"):
        await send_alert(message(Channel.SLACK, "none-such", "#nowhere"))


async def test_an_incident_is_opened_and_closed_at_pagerduty_by_one_key(in_prefect) -> None:
    await PagerDutyWebHook(integration_key=SecretStr("routing"), api_key=SecretStr("api")).asave(
        "on-call", overwrite=True
    )
    with respx.mock(assert_all_called=True) as service:
        service.route(host="127.0.0.1").pass_through()
        route = service.post("https://events.pagerduty.com/v2/enqueue").mock(return_value=httpx.Response(202))
        await send_alert(message(Channel.PAGERDUTY, "on-call"))
        await send_alert(message(Channel.PAGERDUTY, "on-call", is_over=True))
    events = [json.loads(call.request.content) for call in route.calls]
    assert [one["event_action"] for one in events] == ["trigger", "resolve"]
    assert {one["dedup_key"] for one in events} == {"coolify-abcd1234"}
    assert {one["routing_key"] for one in events} == {"routing"}


async def test_a_webhook_gets_what_its_block_says_and_one_that_refuses_keeps_no_other_from_being_sent(
    in_prefect,
) -> None:
    template = {"text": "{{subject}}: {{body}}"}
    for name in ("good", "bad"):
        hook = CustomWebhookNotificationBlock(name="x", url=f"https://{name}.example.com/hook", json_data=template)
        await hook.asave(f"alerts-{name}", overwrite=True)
    with respx.mock() as service:
        service.route(host="127.0.0.1").pass_through()
        good = service.post("https://good.example.com/hook").mock(return_value=httpx.Response(200))
        service.post("https://bad.example.com/hook").mock(return_value=httpx.Response(500))
        bad = message(Channel.WEBHOOK, "alerts-bad")
        left = await send_alerts.fn([bad, message(Channel.WEBHOOK, "alerts-good")])
    assert left == (bad,)
    assert json.loads(good.calls[0].request.content)["text"].endswith("watch-not-healthy: It answered 503.")


async def test_active_problems_are_listed_acknowledged_and_silenced(shop, coolify, in_prefect) -> None:
    watching = Watching()
    watching.see(finding())
    watching.see(finding())
    (problem,) = watching.state.active
    await BlockWatchStore("listed").save(watching.state)
    words, where = ("monitor", "alerts"), in_prefect.environment
    listed = await coolify(*words, "--name", "listed", **where)
    assert listed.code == 2
    assert f"{problem.id} error shop (production) It answered 503." in listed.text
    assert (await coolify(*words, "ack", "zzz", "--name", "listed", **where)).code == 2
    done = await coolify(*words, "ack", problem.id[:4], "--name", "listed", "--json", **where)
    assert done.json == {"acknowledged": [problem.id]}
    (alert,) = (await coolify(*words, "list", "--name", "listed", "--json", **where)).json["alerts"]
    assert (alert["id"], alert["muted"]) == (problem.id, "acknowledged")
    silenced = await coolify(*words, "silence", "shop", "--hours", "1", "--name", "listed", "--json", **where)
    assert silenced.json["text"] == "shop"
    notes = await BlockWatchStore("listed").load_notes()
    assert [one.text for one in notes.silences] == ["shop"]
    assert [one.problem for one in notes.acknowledged] == [problem.id]
    assert (await coolify(*words, "silence", "shop", "--hours", "0", "--name", "listed", "--json", **where)).json[
        "until"
    ] is None
    assert (await BlockWatchStore("listed").load_notes()).silences == ()


async def test_a_test_message_goes_to_every_destination_and_a_missing_block_is_named(shop, coolify, in_prefect) -> None:
    shop.configure(monitoring={"alerts": {"email": "admin@example.com", "slack": "#none", "block": "tried"}})
    async with mail_server() as server:
        block = SmtpServer(host="127.0.0.1", port=server.port, security="none", sender="coolify@example.com")
        await block.asave("tried", overwrite=True)
        done = await coolify("monitor", "alerts", "test", "--json", **in_prefect.environment)
        assert done.code == 1
        mail, slack = done.json["sent"]
        assert (mail["channel"], mail["error"], server.mails[0]["subject"]) == ("email", "", "[test] shop (production)")
        assert "There is no block slack-webhook/tried" in slack["error"]
    shop.configure(monitoring={"enabled": True})
    assert "names nobody to tell" in (await coolify("monitor", "alerts", "test")).text
