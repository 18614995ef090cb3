"""Metrics for a Pushgateway: for schedules that look and end, so that nobody can scrape them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import httpx
from prometheus_client import push_to_gateway
from pydantic import SecretStr

from coolify.errors import OperatorError
from coolify.monitor.metrics import Exposed, registry_of
from coolify.monitor.prometheus import is_address, without_password

__all__ = ["JOB", "PushError", "push"]

JOB: Final = "coolify"
"""Value of `job`, the same as that of the scrape job of `coolify monitor setup`: its rules and panels know it."""
_SECONDS: Final = 30.0
_SHOWN: Final = 300


class PushError(OperatorError):
    """A Pushgateway did not take the metrics."""


def push(url: str, exposed: Exposed, instance: str = "", password: SecretStr | None = None) -> None:
    """Replace what the group of this job and instance has at a Pushgateway (PUT), so that what is gone goes there too.

    Args:
        url: Its address, with a path where it has one, and with a user where it asks for one.
        exposed: The metrics.
        instance: Value of `instance`; the name of this machine when empty.
        password: Of the user.

    Raises:
        PushError: It cannot be reached, or refuses them.
    """
    address = url if urlsplit(url).scheme in {"http", "https"} else f"http://{url}"
    if not is_address(address):
        raise PushError("The address of the Pushgateway is none that can be asked.")
    group = {"instance": instance or socket.gethostname()}
    push_to_gateway(address, JOB, registry_of(exposed), group, timeout=_SECONDS, handler=partial(_handler, password))


def _handler(
    password: SecretStr | None,
    *,
    url: str,
    method: str,
    timeout: float | None,
    headers: Sequence[tuple[str, str]],
    data: bytes,
) -> Callable[[], None]:
    """Return what sends a push as `prometheus_client` has composed it."""

    def send() -> None:
        shown = without_password(url).partition("/metrics/job/")[0]
        try:
            user = urlsplit(url).username
            auth = (user, password.get_secret_value()) if user and password else None
            response = httpx.request(method, url, headers=dict(headers), content=data, timeout=timeout, auth=auth)
        except httpx.TimeoutException:
            raise PushError(f"The Pushgateway at {shown} did not answer within {_SECONDS:.0f} s.") from None
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise PushError(f"The Pushgateway at {shown} cannot be reached: {reason}.") from None
        if not response.is_success:
            # It says in plain text which metric it does not take.
            said = " ".join(response.text.split())[:_SHOWN]
            raise PushError(f"The Pushgateway at {shown} answered {response.status_code}{f': {said}' if said else '.'}")

    return send
