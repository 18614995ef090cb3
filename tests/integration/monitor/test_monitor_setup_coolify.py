"""`coolify monitor setup` and Coolify's own channels, agents and log drains: planned, changed once, proved."""

import pytest
from pydantic import SecretStr

from coolify.api.errors import ValidationFailedError
from coolify.api.server_administration import SentinelWrite
from coolify.api.team import Channel
from coolify.config import Config
from coolify.monitor.setup.declared import SettingsConflictError, declared_settings
from coolify.monitor.setup.instance import (
    SettingsNotKeptError,
    TokenMayNotWriteError,
    apply_instance,
    check_token,
    plan_instance,
)
from coolify.monitor.setup.settings import SettingsHiddenError, SettingsIncompleteError
from coolify.monitor.watched import Watched, of_config
from coolify_sandbox.server.settings import ServerSettings

ENVIRON = {"HOOK": "https://hooks.example.com/secret", "TOKEN": "1:secret", "KEY": "secret-key"}
EVERYTHING = {
    "notifications": {
        "email": {
            "via": "smtp",
            "host": "smtp.example.com",
            "port": 587,
            "encryption": "starttls",
            "username": "coolify",
            "password": "${KEY}",
            "from_address": "coolify@example.com",
            "recipients": ["a@example.com", "b@example.com"],
        },
        "discord": {"webhook_url": "${HOOK}", "ping": False, "events": []},
        "slack": {"webhook_url": "${HOOK}", "events": ["server_disk_usage", "deployment_success"]},
        "telegram": {"token": "${TOKEN}", "chat_id": "-5", "threads": {"server_disk_usage": "7"}},
        "pushover": {"user_key": "${KEY}", "api_token": "${TOKEN}"},
        "webhook": {"url": "${HOOK}", "events": ["status_change"]},
    },
    "sentinel": {"metrics": True, "history": 14, "push": 30},
    "log_drains": {"axiom": {"dataset": "coolify", "api_key": "${KEY}"}},
}


def watched(coolify: dict, name: str = "shop") -> Watched:
    document = {"server": "https://coolify.example.com", "project": {"name": name}, "monitoring": {"coolify": coolify}}
    return of_config(Config.model_validate(document))


async def plan(client, coolify: dict, *, usual_events: bool = False):
    return await plan_instance(client, declared_settings([watched(coolify)]), ENVIRON, usual_events=usual_events)


async def test_what_is_declared_is_brought_about_once_and_proved_by_reading_it_again(shop) -> None:
    async with shop.client() as client:
        first = await plan(client, EVERYTHING)
        assert [one.title for one in first.changes] == [
            *(f"notifications.{channel.value}" for channel in Channel),
            "sentinel of localhost",
            "log_drains of localhost",
        ]
        texts = {one.title: one.texts for one in first.changes}
        assert texts["sentinel of localhost"] == ("metrics: off -> on", "history: 7 -> 14", "push: 60 -> 30")
        assert "events.deployment_success: off -> on" in texts["notifications.slack"]
        assert "events.backup_failure: on -> off" in texts["notifications.slack"]
        assert "webhook_url: set" in texts["notifications.slack"]
        assert "recipients: nothing -> a@example.com,b@example.com" in texts["notifications.email"]
        assert "secret" not in str(texts)
        assert shop.requests("PATCH") == []

        await check_token(client, first.changes)
        await apply_instance(client, first.changes)
        slack = await client.notifications.get(Channel.SLACK)
        assert slack.events == {"server_disk_usage", "deployment_success"}
        assert slack.settings["slack_webhook_url"] == ENVIRON["HOOK"]
        (server,) = await client.servers.list()
        assert (await client.server_administration.log_drains(server.uuid)).is_logdrain_axiom_enabled
        assert (await client.server_administration.sentinel(server.uuid)).is_metrics_enabled

        second = await plan(client, EVERYTHING)
        assert second.changes == ()
        assert len(second.unchanged) == len(first.changes)

        # What somebody has changed by hand differs again, and only that.
        await client.notifications.set(Channel.EMAIL, {"resend_enabled": True}, {})
        (change,) = (await plan(client, EVERYTHING)).changes
        assert change.texts == ("via resend: on -> off",)


async def test_what_is_not_declared_stays(shop) -> None:
    async with shop.client() as client:
        (server,) = await client.servers.list()
        await client.server_administration.set_sentinel(server.uuid, SentinelWrite(sentinel_metrics_history_days=3))
        hook = {"slack_enabled": True, "slack_webhook_url": SecretStr("https://hooks.example.com/theirs")}
        await client.notifications.set(Channel.SLACK, hook, {"backup_success": True})
        declared = {"notifications": {"slack": {"enabled": False}}, "sentinel": {"metrics": True}}
        await apply_instance(client, (await plan(client, declared)).changes)
        slack = await client.notifications.get(Channel.SLACK)
        assert not slack.settings["slack_enabled"]
        assert slack.settings["slack_webhook_url"] == "https://hooks.example.com/theirs"
        assert "backup_success" in slack.events
        assert (await client.server_administration.sentinel(server.uuid)).sentinel_metrics_history_days == 3


async def test_the_usual_events_are_switched_on_where_none_are_declared(shop) -> None:
    async with shop.client() as client:
        off = {"server_disk_usage": False, "scheduled_task_failure": False}
        for channel in (Channel.SLACK, Channel.DISCORD, Channel.PUSHOVER):
            await client.notifications.set(channel, {}, off)
        declared = {"notifications": {one: EVERYTHING["notifications"][one] for one in ("slack", "pushover")}}
        planned = await plan(client, declared, usual_events=True)
        texts = {one.title: one.texts for one in planned.changes}
        # Discord is not used by anybody, and Slack's events are declared.
        assert texts.keys() == {"notifications.slack", "notifications.pushover"}
        assert "events.scheduled_task_failure: off -> on" in texts["notifications.pushover"]
        assert not any("scheduled_task_failure" in one for one in texts["notifications.slack"])


async def test_a_token_that_sees_or_may_do_too_little_is_told_before_anything_is_changed(shop) -> None:
    async with shop.client(shop.sandbox.create_token(["read", "write"])) as client:
        with pytest.raises(SettingsHiddenError, match=r"webhook_url of notifications\.slack .* read:sensitive"):
            await plan(client, {"notifications": {"slack": {"webhook_url": "${HOOK}"}}})
        # Switches are shown to everybody.
        assert (await plan(client, {"notifications": {"slack": {"events": ["status_change"]}}})).changes
    async with shop.client(shop.sandbox.create_token(["read", "read:sensitive"])) as client:
        planned = await plan(client, EVERYTHING)
        with pytest.raises(TokenMayNotWriteError, match=r"lacks the ability write: notifications\.email"):
            await check_token(client, planned.changes)
    assert shop.requests("PATCH") == []


async def test_a_channel_without_an_address_is_not_switched_on(shop) -> None:
    async with shop.client() as client:
        for declared, missing in (
            ({"notifications": {"slack": {}}}, "notifications.slack would be switched on without webhook_url"),
            ({"notifications": {"email": {"via": "resend"}}}, "without resend_api_key and from_address"),
            ({"log_drains": {"newrelic": {"license_key": "${KEY}"}}}, "without base_uri"),
        ):
            with pytest.raises(SettingsIncompleteError, match=missing):
                await plan(client, declared)


async def test_what_coolify_refuses_or_does_not_keep_is_told(shop, monkeypatch) -> None:
    async with shop.client() as client:
        # Coolify calls no private addresses.
        private = await plan_instance(
            client,
            declared_settings([watched({"notifications": {"webhook": {"url": "${HOOK}"}}})]),
            {"HOOK": "http://10.0.0.1/hook"},
            usual_events=False,
        )
        with pytest.raises(ValidationFailedError, match="private address"):
            await apply_instance(client, private.changes)
        planned = await plan(client, {"notifications": {"slack": {"webhook_url": "${HOOK}"}}})

        async def forget(*_: object) -> None: ...

        monkeypatch.setattr(client.notifications, "set", forget)
        with pytest.raises(SettingsNotKeptError, match=r"something else for enabled, webhook_url: .* Notifications"):
            await apply_instance(client, planned.changes)


def test_two_files_that_disagree_are_refused_and_two_that_agree_are_not() -> None:
    slack = {"notifications": {"slack": {"webhook_url": "${HOOK}"}}}
    agreed = declared_settings(
        [watched(slack), watched({"sentinel": {"metrics": True}}, "blog"), watched(slack, "wiki")]
    )
    assert agreed.channels == (Channel.SLACK,)
    assert list(agreed.sentinels) == [None]
    other = {"notifications": {"slack": {"webhook_url": "${OTHER}"}}}
    with pytest.raises(SettingsConflictError, match=r"declare monitoring\.coolify\.notifications\.slack differently"):
        declared_settings([watched(slack), watched(other, "blog")])


async def test_an_older_coolify_is_told_and_the_files_are_written(shop, coolify) -> None:
    shop.configure(
        monitoring={"coolify": {"notifications": EVERYTHING["notifications"], "sentinel": {"metrics": True}}}
    )
    shop.sandbox.state.settings = ServerSettings(version="4.2.0")
    done = await coolify("monitor", "setup", "--yes", "--json")
    assert done.code == 0, done.text
    assert done.json["settings"] == []
    assert ["Coolify 4.2.0" in one["note"] and "that needs 4.3.0" in one["note"] for one in done.json["notes"]] == [
        True,
        True,
    ]
    assert (shop.directory / "monitoring" / "coolify-rules.yml").exists()


async def test_the_command_shows_its_plan_without_secrets_and_run_twice_changes_nothing(shop, coolify) -> None:
    declared = {"notifications": {"slack": {"webhook_url": "${HOOK}", "events": ["server_disk_usage"]}}}
    shop.configure(monitoring={"coolify": declared})
    unset = await coolify("monitor", "setup", "--dry-run")
    assert unset.code == 2
    assert "the environment variable HOOK is not set" in unset.text
    words = ("monitor", "setup", "--yes")
    planned = await coolify(*words, "--dry-run", **ENVIRON)
    assert "notifications.slack" in planned.text
    assert "webhook_url: set" in planned.text
    assert "hooks.example.com" not in planned.text
    assert (await coolify(*words, "--no-coolify")).code == 0
    assert shop.requests("PATCH") == []
    assert (await coolify(*words, **ENVIRON)).code == 0
    again = await coolify(*words, "--json", **ENVIRON)
    assert again.json["settings"] == []
    assert {one["change"] for one in again.json["files"]} == {"unchanged"}
    assert len(shop.requests("PATCH")) == 1
