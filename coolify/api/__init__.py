"""Asynchronous client of Coolify's HTTP API: typed models, one error hierarchy, retries and reconciliation.

`CoolifyClient` is the entrance. What Coolify really does is in the reference; where this package works around it, the
trap's number stands beside the code.
"""

from typing import TYPE_CHECKING

from coolify.lazily import exported_by

if TYPE_CHECKING:
    from coolify.api.exports import *  # noqa: F403
else:
    __getattr__ = exported_by(__name__)
