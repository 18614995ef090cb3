"""What stands between visitors and an application: headers, limits and access, as labels for the server's proxy.

`wanted` resolves the configuration, `labels` decides, `traefik` and `caddy` know how their proxies are told. `check`,
`look` and `ports` see from the outside, `verdict` judges what they saw. Nothing here writes to a server.
"""

from coolify.security.labels import (
    LabelsHiddenError,
    LabelsPlan,
    ProxyKind,
    SecurityUnsupportedError,
    plan_labels,
    secured_labels,
)
from coolify.security.wanted import Credential, WantedSecurity, resolve_security

__all__ = [
    "Credential",
    "LabelsHiddenError",
    "LabelsPlan",
    "ProxyKind",
    "SecurityUnsupportedError",
    "WantedSecurity",
    "plan_labels",
    "resolve_security",
    "secured_labels",
]
