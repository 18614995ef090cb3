"""Webhooks of Git hosts and registries: whether one is genuine, and what was pushed.

`open_delivery` checks a request and reads it; `judge_push` says whether a push is meant for an application. Nothing
here listens, keeps or sends anything: the receiver in `deployments` does.
"""

from coolify.webhooks.delivery import Delivery, RefusedError, Request
from coolify.webhooks.judge import Verdict, judge_push
from coolify.webhooks.model import Change, Push, PushKind
from coolify.webhooks.providers import WebhookProvider, open_delivery

__all__ = [
    "Change",
    "Delivery",
    "Push",
    "PushKind",
    "RefusedError",
    "Request",
    "Verdict",
    "WebhookProvider",
    "judge_push",
    "open_delivery",
]
