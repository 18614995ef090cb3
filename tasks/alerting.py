"""Send alerts, with the credentials that are kept in Prefect blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

import httpx
from prefect.blocks.abstract import NotificationBlock, NotificationError
from prefect.blocks.core import Block
from prefect.blocks.notifications import (
    CustomWebhookNotificationBlock,
    DiscordWebhook,
    PagerDutyWebHook,
    SlackWebhook,
)
from pydantic import SecretStr

from blocks.alert_channels import SmtpServer, TelegramBot, slack_addressed
from coolify.config.monitoring import Channel
from coolify.errors import OperatorError
from coolify.finding import Severity
from coolify.monitor.message import Message
from coolify.redaction import Redaction
from tasks.phases import step_done
from tasks.steps import step

__all__ = ["AlertError", "send_alert", "send_alerts"]

_KINDS: Final[dict[Channel, type[Block]]] = {
    Channel.EMAIL: SmtpServer,
    Channel.SLACK: SlackWebhook,
    Channel.DISCORD: DiscordWebhook,
    Channel.TELEGRAM: TelegramBot,
    Channel.PAGERDUTY: PagerDutyWebHook,
    Channel.WEBHOOK: CustomWebhookNotificationBlock,
}
_PAGERDUTY: Final = "https://events.pagerduty.com/v2/enqueue"
_SECONDS: Final = 30.0


class AlertError(OperatorError):
    """An alert could not be sent."""


@step("send alerts")
async def send_alerts(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Send messages side by side; return those that could not be sent.

    Args:
        messages: What is sent.
    """
    outcomes = await asyncio.gather(*(_try(one) for one in messages))
    return tuple(one for one, problem in zip(messages, outcomes, strict=True) if problem)


async def _try(message: Message) -> str:
    """Return why a message could not be sent, empty when it was."""
    try:
        await send_alert(message)
    except AlertError as error:
        step_done(f"not told: {error}")
        return str(error)
    step_done(
        f"told by {message.channel.value}{f' ({message.to})' if message.to else ''}: {message.title}", changed=True
    )
    return ""


async def send_alert(message: Message) -> None:
    """Send one message.

    Raises:
        AlertError: There is no such block, or the channel did not take it.
    """
    kind = _KINDS[message.channel]
    try:
        block = await kind.aload(message.block)
    except ValueError:
        raise AlertError(
            f"There is no block {kind.get_block_type_slug()}/{message.block} with the credentials for "
            f"{message.channel.value}: create it in Prefect under *Blocks* ({kind.get_block_type_name()})."
        ) from None
    redact = Redaction(_secrets(block))
    try:
        async with asyncio.timeout(_SECONDS):
            if isinstance(block, PagerDutyWebHook):
                await _page(block, message)
            elif isinstance(block, NotificationBlock):
                await _notify(_addressed(block, message.to), message)
    except (NotificationError, httpx.HTTPError, TimeoutError, OSError) as error:
        reason = " ".join(redact(str(getattr(error, "log", error) or type(error).__name__)).split())
        raise AlertError(
            f"{message.channel.value} did not take the alert '{message.title}' (block {message.block}): {reason[:300]}"
        ) from None


def _addressed(block: NotificationBlock, to: str) -> NotificationBlock:
    if isinstance(block, SmtpServer | TelegramBot):
        return block.addressed(to)
    return slack_addressed(block, to) if isinstance(block, SlackWebhook) and to else block


async def _notify(block: NotificationBlock, message: Message) -> None:
    if isinstance(block, CustomWebhookNotificationBlock):
        # Prefect's own does not tell of a refusal.
        async with httpx.AsyncClient(headers={"User-Agent": "coolify-flows"}) as client:
            answer = await client.request(**block._build_request_args(message.body, message.title))  # noqa: SLF001
            answer.raise_for_status()
        return
    with block.raise_on_failure():
        await block.anotify(message.body, message.title)  # type: ignore[attr-defined]


async def _page(block: PagerDutyWebHook, message: Message) -> None:
    """Open or close the incident of a problem (Events API v2).

    Not by apprise, which can only open one: the end of a problem would page somebody.
    """
    event = {
        "routing_key": block.integration_key.get_secret_value(),
        "event_action": "resolve" if message.is_over else "trigger",
        "dedup_key": f"coolify-{message.problem}",
        "payload": {
            "summary": message.title[:1024],
            "source": "coolify-flows",
            "severity": "error" if message.severity is Severity.ERROR else "warning",
            "custom_details": {"text": message.body},
        },
    }
    async with httpx.AsyncClient() as client:
        (await client.post(_PAGERDUTY, json=event)).raise_for_status()


def _secrets(block: Block) -> Iterable[str]:
    for name in type(block).model_fields:
        value = getattr(block, name)
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
            yield from (part for part in value.get_secret_value().split("/") if len(part) > 8)
