"""What is sent to one destination."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from coolify.config.monitoring import Channel
from coolify.finding import Severity

__all__ = ["Message"]


class Message(BaseModel):
    """A message, without the credentials that it takes to send it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: Channel
    block: str
    """Name of the Prefect block with the credentials."""
    to: str = ""
    """Address at the channel, where the block does not say it."""
    title: str
    body: str
    severity: Severity
    problem: str = ""
    """Identifier of the one problem that it is about, for channels that open and close something."""
    is_over: bool = False
    """Whether that problem is over."""
    made: datetime
    """When it was first tried to send it."""
