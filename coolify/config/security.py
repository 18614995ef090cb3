"""Section `security`: what the proxy adds to answers, and whom it lets in."""

import ipaddress
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from coolify.config.base import Section
from coolify.config.fields import Port
from coolify.config.headers import (
    CorsOrigin,
    HeaderName,
    HeaderValue,
    Method,
    PermissionsPolicy,
    Policy,
    ReferrerPolicy,
)
from coolify.config.interpolation import Reference, literal_part
from coolify.config.quantities import parse_quantity

__all__ = ["BasicAuth", "BasicAuthUser", "Cors", "Headers", "Hsts", "RateLimit", "Security"]

PRELOAD_SECONDS: Final = 31_536_000
"""Least `max-age` that browsers' built-in lists accept (hstspreload.org, "Submission Requirements")."""
_OF_THEIR_OWN: Final = {
    "strict-transport-security": "hsts",
    "content-security-policy": "content_security_policy",
    "content-security-policy-report-only": "content_security_policy_report_only",
    "x-frame-options": "frame_options",
    "x-content-type-options": "nosniff",
    "referrer-policy": "referrer_policy",
    "permissions-policy": "permissions_policy",
}
_NEVER: Final = frozenset(
    {"connection", "content-length", "content-encoding", "transfer-encoding", "upgrade", "www-authenticate"}
)


class Hsts(Section):
    """`Strict-Transport-Security` (RFC 6797): browsers that saw it once never use plain HTTP for the host again."""

    max_age: Annotated[int, Field(ge=0, le=315_360_000)] = PRELOAD_SECONDS
    """Seconds that a browser remembers it; 0 makes browsers forget."""
    subdomains: bool = False
    """Whether it holds for all names below the host too; every one of them must then be served over HTTPS."""
    preload: bool = False
    """Whether browsers may build the host into their lists; leaving those takes months."""

    @model_validator(mode="after")
    def _may_be_preloaded(self) -> Self:
        if self.preload and self.max_age < PRELOAD_SECONDS:
            raise ValueError(f"`preload` needs `max_age` of at least {PRELOAD_SECONDS} (a year), see hstspreload.org.")
        if self.preload and not self.subdomains:
            raise ValueError("`preload` needs `subdomains: true`, see hstspreload.org.")
        return self

    @property
    def value(self) -> str:
        """Text of the header, spelled as Traefik spells it."""
        return (
            f"max-age={self.max_age}"
            f"{'; includeSubDomains' if self.subdomains else ''}{'; preload' if self.preload else ''}"
        )


class Headers(Section):
    """Response headers; those that are left out stay as the application sends them."""

    hsts: Hsts | None = None
    """HTTPS only, for browsers that have been here."""
    content_security_policy: Policy | None = None
    """`Content-Security-Policy`: what a page may load and run."""
    content_security_policy_report_only: Policy | None = None
    """The same, only reported by browsers: to try a policy out."""
    frame_options: Literal["deny", "sameorigin"] | None = None
    """`X-Frame-Options`: who may show the page in a frame."""
    nosniff: bool = False
    """`X-Content-Type-Options: nosniff`: browsers take the content type as it is told."""
    referrer_policy: ReferrerPolicy | None = None
    """`Referrer-Policy`: what other sites learn about where a visitor comes from."""
    permissions_policy: PermissionsPolicy | None = None
    """`Permissions-Policy`: which features of the browser a page may use, as in `camera=(), microphone=()`."""
    custom: dict[HeaderName, HeaderValue] = Field(default={})
    """Further headers: name -> value; an empty value removes the header that the application sends."""

    @model_validator(mode="after")
    def _has_one_place_each(self) -> Self:
        for name in self.custom:
            known = _OF_THEIR_OWN.get(name.lower())
            if known is not None:
                raise ValueError(f"`custom.{name}` has a key of its own: write `{known}`.")
            if name.lower().startswith("access-control-"):
                raise ValueError(f"`custom.{name}` belongs in `security.cors`.")
            if name.lower() in _NEVER:
                raise ValueError(f"`custom.{name}` is the proxy's own: remove it.")
        if len({name.lower() for name in self.custom}) < len(self.custom):
            raise ValueError("`custom` names a header twice: names differ by more than capitals.")
        return self

    def expected(self) -> dict[str, str]:
        """Return header -> value as visitors see them over HTTPS; an empty value means that it is not there."""
        wanted = {
            "Strict-Transport-Security": self.hsts.value if self.hsts else None,
            "Content-Security-Policy": self.content_security_policy,
            "Content-Security-Policy-Report-Only": self.content_security_policy_report_only,
            "X-Frame-Options": self.frame_options.upper() if self.frame_options else None,
            "X-Content-Type-Options": "nosniff" if self.nosniff else None,
            "Referrer-Policy": self.referrer_policy,
            "Permissions-Policy": self.permissions_policy,
        }
        return {name: value for name, value in wanted.items() if value is not None} | self.custom


class Cors(Section):
    """Which other sites' scripts may read answers (Fetch standard); the proxy answers preflights itself."""

    origins: Annotated[tuple[CorsOrigin, ...], Field(min_length=1)]
    """Sites, as in `https://app.example.com`; `*` alone for every site."""
    methods: Annotated[tuple[Method, ...], Field(min_length=1)] = ("GET", "HEAD", "POST")
    """Methods that they may use."""
    headers: tuple[HeaderName, ...] = ()
    """Request headers that they may send besides the simple ones."""
    expose: tuple[HeaderName, ...] = ()
    """Response headers that they may read besides the simple ones."""
    credentials: bool = False
    """Whether cookies and logins are sent along."""
    max_age: Annotated[int, Field(ge=0, le=86400)] = 600
    """Seconds that a browser remembers the answer of a preflight."""

    @model_validator(mode="after")
    def _is_not_open_to_everybody(self) -> Self:
        if "*" in self.origins and len(self.origins) > 1:
            raise ValueError("`origins`: `*` stands for every site: keep it alone, or name the sites.")
        if "*" in self.origins and self.credentials:
            raise ValueError(
                '`credentials` with `origins: ["*"]` would hand every site the visitor\'s login, and browsers refuse '
                "it: name the sites."
            )
        if "*" in self.headers and self.credentials:
            raise ValueError("`headers`: with `credentials` browsers take `*` for a name: name the headers.")
        return self


class RateLimit(Section):
    """How many requests one client address may send; what exceeds it is answered 429."""

    average: Annotated[int, Field(ge=1, le=1_000_000)]
    """Requests in a `period`, on the long run."""
    burst: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Requests that may come at once; as many as `average` when left out."""
    period: Annotated[int, Field(ge=1, le=86400)] = 1
    """Seconds."""

    @property
    def at_once(self) -> int:
        """Requests that may come at once."""
        return self.burst or self.average


def _secret_reference(reference: Reference) -> Reference:
    if not reference.variables or literal_part(reference.text):
        raise ValueError("must be a reference such as ${PASSWORD}, never the secret itself: set the variable instead.")
    return reference


SecretReference = Annotated[Reference, AfterValidator(_secret_reference)]


class BasicAuthUser(Section):
    """Somebody who is let in."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@+-]*$", max_length=64)]
    """User name."""
    password: SecretReference | None = None
    """Password, as a reference to an environment variable; beside `hash` only checks from the outside use it."""
    hash: SecretReference | None = None
    """The password's hash from `htpasswd -nB` (bcrypt, apr1 or SHA), as a reference; needed for several users."""

    @model_validator(mode="after")
    def _has_a_secret(self) -> Self:
        if self.password is None and self.hash is None:
            raise ValueError("needs `password`, or `hash` made with `htpasswd -nB`.")
        return self


class BasicAuth(Section):
    """A user name and a password in front of everything."""

    enabled: bool = True
    """Whether it is asked for; `false` switches off what Coolify itself asks for."""
    users: tuple[BasicAuthUser, ...] = ()
    """Who is let in. One user with a password alone is handed to Coolify; several need a `hash` each."""

    @model_validator(mode="after")
    def _lets_somebody_in(self) -> Self:
        if self.enabled and not self.users:
            raise ValueError("needs `users`, or `enabled: false`.")
        if len({user.name for user in self.users}) < len(self.users):
            raise ValueError("`users` names somebody twice: keep one.")
        if len(self.users) > 1 and any(user.hash is None for user in self.users):
            raise ValueError("Coolify knows one user only: with several each needs a `hash`, see `htpasswd -nB`.")
        return self

    @property
    def by_coolify(self) -> bool:
        """Whether Coolify's own user and password do it."""
        return self.enabled and len(self.users) == 1 and self.users[0].hash is None

    @property
    def by_hash(self) -> bool:
        """Whether labels of ours do it."""
        return self.enabled and bool(self.users) and not self.by_coolify


def _network(text: str) -> str:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("is not an address or network, as in 192.0.2.7 or 10.0.0.0/8.") from None
    if "/" in text and str(network.network_address) != str(ipaddress.ip_interface(text).ip):
        raise ValueError(f"has bits behind its prefix: write {network}.")
    if network.prefixlen == 0:
        raise ValueError("allows everybody: remove `allow_list` instead.")
    return str(network)


def _body(text: str) -> str:
    if parse_quantity(text) < 1:
        raise ValueError("must be at least one byte.")
    return text


Network = Annotated[str, AfterValidator(_network)]
BodySize = Annotated[
    str,
    Field(coerce_numbers_to_str=True),
    AfterValidator(_body),
    WithJsonSchema({"type": ["string", "number"]}),
]


class Security(Section):
    """Headers, limits and access, set as labels for the server's proxy and verified from the outside."""

    required: bool = False
    """Whether a release fails when the checks from the outside do; off, they are warnings in its report."""
    headers: Headers = Headers()
    """Response headers."""
    cors: Cors | None = None
    """Which other sites' scripts may read answers; as the application says when left out."""
    rate_limit: RateLimit | None = None
    """How many requests one address may send; any number when left out."""
    allow_list: tuple[Network, ...] = ()
    """Addresses and networks that are let in; everybody when left out. The machine that releases needs to be one."""
    basic_auth: BasicAuth | None = None
    """User name and password in front of everything; as Coolify has it when left out."""
    max_body: BodySize | None = None
    """Largest body of a request, as in `10Mi`; larger ones are answered 413."""
    ports: tuple[Port, ...] = ()
    """TCP ports that the server is to have open to the world; `coolify security check` looks for others."""

    @property
    def max_body_bytes(self) -> int | None:
        """Largest body in bytes."""
        return None if self.max_body is None else int(parse_quantity(self.max_body))

    @property
    def is_declared(self) -> bool:
        """Whether there is anything to see at the application from the outside."""
        return bool(
            self.headers.expected()
            or self.cors
            or self.rate_limit
            or self.allow_list
            or self.max_body
            or (self.basic_auth and self.basic_auth.enabled)
        )
