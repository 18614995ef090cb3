"""Credentials for alerts that Prefect has no block for: mail by SMTP, and Telegram. Both are sent by apprise."""

from __future__ import annotations

import re
from typing import Final, Literal
from urllib.parse import quote, urlencode

from prefect.blocks.notifications import AbstractAppriseNotificationBlock, SlackWebhook
from pydantic import Field, HttpUrl, SecretStr

__all__ = ["SmtpServer", "TelegramBot", "slack_addressed"]

_SLACK: Final = re.compile(r"https://(hooks\.slack(?:-gov)?\.com)/services/(\w+)/(\w+)/(\w+)/?")

_PORTS = {"none": 25, "starttls": 587, "ssl": 465}
_MODES = {"none": "insecure", "starttls": "starttls", "ssl": "ssl"}


class SmtpServer(AbstractAppriseNotificationBlock):
    """A mail server and an account on it, for alerts.

    Example:
        Send a mail:
        ```python
        from blocks import SmtpServer

        server = SmtpServer.load("BLOCK_NAME")
        await server.addressed("admin@example.com").anotify("It works.", "Test")
        ```
    """

    _block_type_name = "Coolify SMTP Server"
    _block_type_slug = "coolify-smtp-server"
    _documentation_url = HttpUrl("https://docs.prefect.io/v3/concepts/blocks")

    host: str = Field(description="Host name of the mail server.")
    port: int | None = Field(default=None, description="Port; 587, with `ssl` 465 and with `none` 25 when left empty.")
    security: Literal["starttls", "ssl", "none"] = Field(
        default="starttls", description="How the connection is encrypted; `none` only within a network of your own."
    )
    user: str = Field(default="", description="User name; empty where the server asks for none.")
    password: SecretStr = Field(default=SecretStr(""), description="Password of the user.")
    sender: str = Field(description="Address that the mail comes from.")
    recipient: str = Field(default="", description="Address that gets the mail where nothing else says so.")

    def addressed(self, recipient: str) -> SmtpServer:
        """Return the same server with another recipient."""
        return self.model_copy(update={"recipient": recipient})

    def block_initialization(self) -> None:
        """Do nothing: the recipient may not be known yet."""

    def _url(self) -> SecretStr:
        account = (
            f"{quote(self.user, safe='')}:{quote(self.password.get_secret_value(), safe='')}@" if self.user else ""
        )
        port = self.port or _PORTS[self.security]
        query = urlencode(
            {"from": self.sender, "to": self.recipient, "smtp": self.host, "mode": _MODES[self.security]}
            | {"format": "text"}
        )
        scheme = "mailto" if self.security == "none" else "mailtos"
        return SecretStr(f"{scheme}://{account}{self.host}:{port}?{query}")

    async def anotify(self, body: str, subject: str | None = None) -> None:
        """Send a mail.

        Args:
            body: Its text.
            subject: Its subject.
        """
        self._start_apprise_client(self._url())
        await super().anotify(body, subject)


class TelegramBot(AbstractAppriseNotificationBlock):
    """A Telegram bot that sends alerts.

    The token comes from @BotFather; the bot must be a member of the chat.

    Example:
        Send a message:
        ```python
        from blocks import TelegramBot

        bot = TelegramBot.load("BLOCK_NAME")
        await bot.addressed("-1001234567890").anotify("It works.", "Test")
        ```
    """

    _block_type_name = "Coolify Telegram Bot"
    _block_type_slug = "coolify-telegram-bot"
    _documentation_url = HttpUrl("https://core.telegram.org/bots")

    token: SecretStr = Field(description="Token of the bot.")
    chat: str = Field(default="", description="Chat that gets the message where nothing else says so.")

    def addressed(self, chat: str) -> TelegramBot:
        """Return the same bot with another chat."""
        return self.model_copy(update={"chat": chat})

    def block_initialization(self) -> None:
        """Do nothing: the chat may not be known yet."""

    async def anotify(self, body: str, subject: str | None = None) -> None:
        """Send a message.

        Args:
            body: Its text.
            subject: Its first line.
        """
        self._start_apprise_client(
            SecretStr(f"tgram://{self.token.get_secret_value()}/{quote(self.chat)}/?format=text")
        )
        await super().anotify(body, subject)


def slack_addressed(webhook: SlackWebhook, channel: str) -> SlackWebhook:
    """Let a Slack webhook write to a channel or a person; one that belongs to a single channel of its own ignores it.

    Args:
        webhook: The block.
        channel: Channel with `#`, or person with `@`.
    """
    found = _SLACK.fullmatch(webhook.url.get_secret_value())
    if found is None:
        return webhook
    from apprise import Apprise
    from apprise.plugins.slack import NotifySlack

    host, *tokens = found.groups()
    sender = NotifySlack(  # type: ignore[no-untyped-call]
        token_a=tokens[0], token_b=tokens[1], token_c=tokens[2], targets=[channel], include_image=False
    )
    sender.webhook_url = f"https://{host}/services"
    client = Apprise()
    client.add(sender)
    webhook._apprise_client = client  # noqa: SLF001 - as Prefect's own block does for Slack of governments
    return webhook
