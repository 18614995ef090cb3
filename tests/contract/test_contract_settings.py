"""What `monitoring.coolify` can declare is what a real Coolify shows, and by the same names."""

import json

import pytest

from coolify.api.server_administration import LogDrains, SentinelSettings
from coolify.api.team import Channel
from coolify.config.coolify_settings import CoolifySettings, Event
from coolify.monitor.setup.settings import (
    SettingsHiddenError,
    channel_settings,
    compare,
    drain_settings,
    sentinel_settings,
)
from tests.contract.replay import RECORDINGS

SECRET = "${SECRET}"
EVERYTHING = CoolifySettings.model_validate(
    {
        "notifications": {
            "email": {
                "via": "smtp",
                "recipients": ["a@example.com"],
                "from_address": "a@example.com",
                "from_name": "A",
                "host": "smtp.example.com",
                "port": 587,
                "encryption": "tls",
                "username": "a",
                "password": SECRET,
                "timeout": 5,
                "ehlo_domain": "example.com",
                "resend_api_key": SECRET,
            },
            "discord": {"webhook_url": SECRET, "ping": False},
            "slack": {"webhook_url": SECRET},
            "telegram": {"token": SECRET, "chat_id": "5", "threads": {event.value: "1" for event in Event}},
            "pushover": {"user_key": SECRET, "api_token": SECRET},
            "webhook": {"url": SECRET, "events": []},
        },
        "sentinel": {
            "enabled": True,
            "metrics": True,
            "refresh": 5,
            "history": 1,
            "push": 10,
            "url": "https://x.example.com",
        },
        "log_drains": {
            "newrelic": {"license_key": SECRET, "base_uri": "https://x.example.com"},
            "axiom": {"dataset": "x", "api_key": SECRET},
            "custom": {"configuration": SECRET, "parsers": SECRET},
        },
    }
)
ENVIRON = {"SECRET": "hunter2"}
SHOWN_BY_READ = {"via smtp", "via resend", "via instance", "port", "encryption", "timeout", "ehlo_domain"}
"""Of mail, what a token without `read:sensitive` sees."""


def recorded(file: str, name: str) -> dict:
    lines = (json.loads(line) for line in (RECORDINGS / f"{file}.jsonl").read_text().splitlines())
    return next(one["response_body"] for one in lines if one["name"] == name)


@pytest.mark.parametrize("channel", Channel)
def test_every_setting_and_event_of_a_channel_is_recorded(channel) -> None:
    settings = channel_settings(channel, EVERYTHING.notifications, ENVIRON)
    there = recorded("notifications", f"{channel.value}_get")
    assert compare(channel.value, settings, there)
    assert {f"{event.value}_{channel.value}_notifications" for event in Event} == {
        name for name in there if name.endswith("_notifications") and "thread" not in name
    }
    own = {name for name in there if name not in {"id", "team_id"} and not name.endswith("_notifications")}
    assert own == {one.name for one in settings if not one.key.startswith("events.")}


def test_what_is_hidden_from_a_reading_token_is_told_and_not_taken_for_empty() -> None:
    settings = channel_settings(Channel.EMAIL, EVERYTHING.notifications, ENVIRON)
    with pytest.raises(SettingsHiddenError) as hidden:
        compare("mail", settings, recorded("notifications", "email_get_read"))
    told = str(hidden.value).partition(" of mail")[0].removeprefix("Coolify does not show ").split(", ")
    assert set(told) == {one.key for one in settings} - SHOWN_BY_READ


def test_every_setting_of_agent_and_log_drains_is_recorded() -> None:
    for settings, model, name in (
        (sentinel_settings(EVERYTHING.sentinel), SentinelSettings, "sentinel_show"),
        (drain_settings(EVERYTHING.log_drains, ENVIRON), LogDrains, "log_drains"),
    ):
        body = recorded("servers", name)
        answer = model.model_validate(body)
        there = {one: getattr(answer, one) for one in answer.model_fields_set}
        assert compare(name, settings, there)
        # Coolify makes the token by itself, and its debug output is nobody's concern.
        others = {"sentinel_token", "sentinel_updated_at", "is_sentinel_debug_enabled"}
        assert set(body) - others == {one.name for one in settings}


def test_no_secret_is_shown() -> None:
    for channel in Channel:
        differences = compare(
            channel.value,
            channel_settings(channel, EVERYTHING.notifications, ENVIRON),
            recorded("notifications", f"{channel.value}_get"),
        )
        assert "hunter2" not in repr(differences)
        assert not any("hunter2" in one.text for one in differences)
