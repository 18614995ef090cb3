"""The section `security` with its secrets, ready to be applied; it never leaves the process."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import SecretStr

from coolify.config import BasicAuthUser, Config, ConfigError, Problem, Reference, Security

__all__ = ["Credential", "WantedSecurity", "resolve_security"]

_HASH: Final = re.compile(
    r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}|\$apr1\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}|\{SHA\}[A-Za-z0-9+/]{27}="
)
"""What Traefik accepts (its page on BasicAuth): bcrypt, MD5 as Apache writes it, SHA-1."""
_ELSEWHERE: Final = {"required", "ports"}
"""Keys that say how it is checked, and change nothing on the server."""


@dataclass(frozen=True, slots=True)
class Credential:
    """Somebody who is let in."""

    name: str
    password: SecretStr | None
    hash: SecretStr | None


@dataclass(frozen=True, slots=True)
class WantedSecurity:
    """What the configuration wants, secrets resolved."""

    section: Security = field(default_factory=Security)
    users: tuple[Credential, ...] = ()

    @property
    def login(self) -> tuple[str, SecretStr] | None:
        """Name and password with which checks from the outside get in, None where none is needed or known."""
        return next(((user.name, user.password) for user in self.users if user.password is not None), None)

    @property
    def asks_for_login(self) -> bool:
        """Whether visitors are asked for name and password."""
        auth = self.section.basic_auth
        return auth is not None and auth.enabled

    @property
    def parts(self) -> tuple[str, ...]:
        """What is set by labels, in words."""
        section = self.section
        present = {
            "headers": bool(section.headers.expected() or section.cors),
            "allow list": bool(section.allow_list),
            "rate limit": section.rate_limit is not None,
            "body size": section.max_body is not None,
            "basic auth": section.basic_auth is not None and section.basic_auth.by_hash,
        }
        return tuple(name for name, is_wanted in present.items() if is_wanted)

    @property
    def in_labels(self) -> bool:
        """Whether anything is set by labels."""
        return bool(self.parts)

    def settings(self) -> dict[str, Any]:
        """Return what Coolify's own settings have to be: it asks for one user by itself (reference 2.2).

        Coolify hashes the password anew whenever it generates labels, so its hash is never ours to compare; name and
        password are.
        """
        auth = self.section.basic_auth
        if auth is None:
            return {}
        if not auth.by_coolify:
            return {"is_http_basic_auth_enabled": False}
        (user,) = self.users
        return {
            "is_http_basic_auth_enabled": True,
            "http_basic_auth_username": user.name,
            "http_basic_auth_password": user.password,
        }

    def content(self) -> dict[str, Any] | None:
        """Return everything that is deployed, secrets in clear, for a digest; None when there is nothing."""
        if not self.section.is_declared:
            return None
        users = [
            [user.name, *(one.get_secret_value() if one else None for one in (user.password, user.hash))]
            for user in self.users
        ]
        return self.section.model_dump(mode="json", exclude=_ELSEWHERE) | {"users": users}


def resolve_security(config: Config, environ: Mapping[str, str]) -> WantedSecurity:
    """Return the section with passwords and hashes of the environment.

    Raises:
        ConfigError: With all variables that are not set and all texts that are no hash.
    """
    auth = config.security.basic_auth
    users: list[Credential] = []
    problems: list[Problem] = []
    for user in auth.users if auth and auth.enabled else ():
        try:
            users.append(_credential(user, config, environ))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(config.path, tuple(problems))
    return WantedSecurity(config.security, tuple(users))


def _credential(user: BasicAuthUser, config: Config, environ: Mapping[str, str]) -> Credential:
    password = user.password.resolve(environ) if user.password else None
    # A whole line of an .htpasswd file is what people have at hand.
    hashed = user.hash.resolve(environ).strip().removeprefix(f"{user.name}:") if user.hash else None
    if hashed is not None and not _HASH.fullmatch(hashed):
        raise ConfigError(config.path, (_no_hash(user.hash, user.name),))
    return Credential(user.name, SecretStr(password) if password else None, SecretStr(hashed) if hashed else None)


def _no_hash(reference: Reference | None, name: str) -> Problem:
    message = f"the hash of `{name}` is none that proxies accept: make one with `htpasswd -nB {name}`."
    return reference.place.problem(message) if reference else Problem(0, "security.basic_auth", message)
