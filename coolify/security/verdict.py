"""What answers mean beside the configuration: pure judgements, one function a part."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import urlsplit

from coolify.config import Cors, Headers, RateLimit
from coolify.finding import Finding, Severity
from coolify.security.look import Burst, Seen

__all__ = [
    "judge_allow_list",
    "judge_body_size",
    "judge_cors",
    "judge_headers",
    "judge_login",
    "judge_plain_http",
    "judge_rate_limit",
    "judge_recommended",
    "unreachable",
]

_REDEPLOY: Final = "Labels take effect with the next deployment: run `coolify release`, then look at the proxy's log."
_RECOMMENDED: Final = (
    ("Strict-Transport-Security", "hsts"),
    ("Content-Security-Policy", "content_security_policy"),
    ("X-Frame-Options", "frame_options"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "referrer_policy"),
)


def unreachable(subject: str, seen: Seen) -> Finding:
    """Return what is told when there is no answer to judge."""
    return Finding(
        name="security-unreachable",
        severity=Severity.ERROR,
        subject=subject,
        summary=f"{subject} gave no answer, so that nothing about its security is known: {seen.problem}.",
        remedy="Run `coolify health check`; with a password to send, the certificate has to be valid first.",
    )


def judge_headers(subject: str, wanted: Headers, seen: Seen, *, secure: bool) -> tuple[Finding, ...]:
    """Compare the headers of an answer with the configured ones, each with its value."""
    expected = {
        name: value
        for name, value in wanted.expected().items()
        if secure or name.lower() != "strict-transport-security"
    }
    if not expected:
        return ()
    findings = [
        finding
        for name, value in expected.items()
        if (finding := _judge_header(subject, name, value, seen.headers.get(name.lower()))) is not None
    ]
    if findings:
        return tuple(findings)
    told = ", ".join(expected)
    summary = f"{subject} sends its headers as configured."
    return (_finding("security-headers-set", Severity.OK, subject, summary, f"seen: {told}"),)


def _judge_header(subject: str, name: str, value: str, found: str | None) -> Finding | None:
    if found is None:
        if not value:
            return None
        summary = f"{subject} does not send {name}, which the configuration sets."
        return _finding("security-header-missing", Severity.ERROR, subject, summary, f"wanted: {value}", _REDEPLOY)
    if _normal(name, found) == _normal(name, value):
        return None
    summary = f"{subject} sends {name} otherwise than configured."
    evidence = (f"wanted: {value or 'no such header'}", f"seen: {found}")
    return Finding(
        name="security-header-differs",
        severity=Severity.ERROR,
        subject=subject,
        summary=summary,
        evidence=evidence,
        remedy=_REDEPLOY,
    )


def judge_recommended(subject: str, seen: Seen, *, secure: bool) -> tuple[Finding, ...]:
    """Name the headers that nobody sends and that a browser would protect visitors with."""
    framed = "frame-ancestors" in seen.headers.get("content-security-policy", "")
    missing = [
        (name, key)
        for name, key in _RECOMMENDED
        if name.lower() not in seen.headers and (secure or key != "hsts") and not (key == "frame_options" and framed)
    ]
    if not missing:
        return ()
    summary = f"{subject} is served without {', '.join(name for name, _ in missing)}."
    remedy = "Set security.headers." + ", ".join(key for _, key in missing) + ", or run `coolify security configure`."
    return (_finding("security-header-recommended", Severity.WARNING, subject, summary, remedy=remedy),)


def judge_plain_http(subject: str, host: str, wanted: Headers, plain: Seen) -> tuple[Finding, ...]:
    """Look at what plain HTTP answers, where HSTS is wanted: RFC 6797 section 7.2, and the rules for preloading."""
    if wanted.hsts is None:
        return ()
    findings = []
    if "strict-transport-security" in plain.headers:
        summary = f"{subject} sends Strict-Transport-Security over plain HTTP, where browsers must ignore it."
        findings.append(
            _finding(
                "security-hsts-over-http",
                Severity.WARNING,
                subject,
                summary,
                f"seen: {plain.headers['strict-transport-security']}",
                "Something before or behind the proxy adds it: let security.headers.hsts alone do so.",
            )
        )
    location = urlsplit(plain.headers.get("location", ""))
    redirected = plain.status in {301, 302, 307, 308} and (location.scheme, location.hostname) == ("https", host)
    if wanted.hsts.preload and plain.status is not None and not redirected:
        findings.append(
            _finding(
                "security-hsts-not-preloadable",
                Severity.ERROR,
                subject,
                f"{host} may not be preloaded: plain HTTP is not redirected to HTTPS on the same host first.",
                f"seen: {plain.status}, Location: {plain.headers.get('location', 'none')}",
                "Switch on Force HTTPS for the application in Coolify, and remove redirects to other hosts before it.",
            )
        )
    return tuple(findings)


def judge_cors(subject: str, cors: Cors, origin: str, allowed: Seen, foreign: Seen) -> tuple[Finding, ...]:
    """Compare the answers to two preflights: of a listed site, and of one that nobody lists.

    Args:
        subject: URL.
        cors: What is configured.
        origin: The listed site.
        allowed: Answer to it.
        foreign: Answer to a stranger.
    """
    wanted = {"access-control-allow-origin": "*" if "*" in cors.origins else origin}
    if cors.credentials:
        wanted["access-control-allow-credentials"] = "true"
    wrong = [
        f"{name}: wanted {value}, seen {allowed.headers.get(name, 'nothing')}"
        for name, value in wanted.items()
        if allowed.headers.get(name) != value
    ]
    methods = _words(allowed.headers.get("access-control-allow-methods", ""))
    if lacking := [method for method in cors.methods if method.lower() not in methods]:
        wrong.append(f"access-control-allow-methods lacks {', '.join(lacking)}")
    headers = _words(allowed.headers.get("access-control-allow-headers", ""))
    if lacking := [name for name in cors.headers if name.lower() not in headers]:
        wrong.append(f"access-control-allow-headers lacks {', '.join(lacking)}")
    findings = []
    if allowed.status is None or not 200 <= allowed.status < 300 or wrong:
        summary = f"{subject} does not answer a preflight of {origin} as configured."
        answered = allowed.problem or f"status {allowed.status}"
        findings.append(
            Finding(
                name="security-cors-refused",
                severity=Severity.ERROR,
                subject=subject,
                summary=summary,
                evidence=(answered, *wrong),
                remedy=_REDEPLOY,
            )
        )
    let_in = foreign.headers.get("access-control-allow-origin")
    if "*" not in cors.origins and let_in is not None and let_in != origin:
        summary = f"{subject} lets sites read its answers that `security.cors.origins` does not list."
        findings.append(
            _finding(
                "security-cors-too-open",
                Severity.ERROR,
                subject,
                summary,
                f"access-control-allow-origin: {let_in} for a stranger",
                "The application sends it itself: switch its own CORS off, the proxy answers now.",
            )
        )
    if not findings:
        findings.append(
            _finding("security-cors-answered", Severity.OK, subject, f"{subject} answers preflights as configured.")
        )
    return tuple(findings)


def judge_login(subject: str, stranger: Seen, inside: Seen | None, *, shut_out: bool) -> tuple[Finding, ...]:
    """Judge basic auth: 401 without a password, and none of that with it.

    Args:
        subject: URL.
        stranger: Answer without a password.
        inside: Answer with one, None where no password is known.
        shut_out: Whether an allow list keeps this machine out, so that nobody asks for a password.
    """
    if shut_out:
        summary = f"Whether {subject} asks for a password is unknown: the allow list keeps this machine out."
        return (_finding("security-login-unproved", Severity.INFO, subject, summary),)
    if stranger.status != 401:
        summary = f"{subject} answers {stranger.status} without asking for a password."
        return (_finding("security-login-open", Severity.ERROR, subject, summary, remedy=_REDEPLOY),)
    if inside is None:
        summary = f"{subject} asks for a password; that a right one is taken is not proved."
        remedy = "Give a user a `password` beside its `hash` to have it proved."
        return (_finding("security-login-unproved", Severity.INFO, subject, summary, remedy=remedy),)
    if inside.status is None:
        return (unreachable(subject, inside),)
    if inside.status == 401:
        summary = f"{subject} refuses the configured name and password."
        remedy = f"Does the hash belong to the password? {_REDEPLOY}"
        return (_finding("security-login-refused", Severity.ERROR, subject, summary, remedy=remedy),)
    summary = f"{subject} asks for a password and takes the configured one."
    return (_finding("security-login-asked", Severity.OK, subject, summary),)


def judge_allow_list(subject: str, allowed: tuple[str, ...], seen: Seen) -> tuple[Finding, ...]:
    """Judge an allow list by what this machine gets; behind NAT its own address is not what the proxy sees."""
    listed = any(_inside(seen.own_address, network) for network in allowed)
    evidence = f"address of this machine: {seen.own_address or 'unknown'}"
    if seen.status == 403 and listed:
        summary = f"{subject} refuses this machine although its address is in `security.allow_list`."
        remedy = "The proxy sees another address, as behind NAT or a CDN: list that one. Its log names it."
        return (_finding("security-allow-list-shut", Severity.WARNING, subject, summary, evidence, remedy),)
    if seen.status != 403 and not listed:
        summary = f"{subject} lets this machine in although its address is not in `security.allow_list`."
        remedy = f"Harmless when the network's public address is listed. Otherwise: {_REDEPLOY}"
        return (_finding("security-allow-list-open", Severity.WARNING, subject, summary, evidence, remedy),)
    told = "lets this machine in, which is listed" if listed else "refuses this machine, which is not listed"
    return (_finding("security-allow-list-holds", Severity.OK, subject, f"{subject} {told}.", evidence),)


def judge_rate_limit(subject: str, limit: RateLimit, burst: Burst) -> tuple[Finding, ...]:
    """Judge whether too many requests are refused."""
    pace = burst.sent / max(burst.seconds, 0.001)
    evidence = f"{burst.sent} requests in {burst.seconds:.1f} s, {burst.refused} answered 429"
    if burst.refused:
        summary = f"{subject} refuses what exceeds the rate limit."
        return (_finding("security-rate-limit-seen", Severity.OK, subject, summary, evidence),)
    if burst.sent <= limit.at_once + limit.average / limit.period * burst.seconds:
        summary = f"Whether {subject} limits requests is not proved: this machine did not exceed the limit."
        return (_finding("security-rate-limit-unproved", Severity.INFO, subject, summary, evidence),)
    summary = f"{subject} answered {pace:.0f} requests a second, more than the rate limit allows."
    return (_finding("security-rate-limit-absent", Severity.ERROR, subject, summary, evidence, _REDEPLOY),)


def judge_body_size(subject: str, largest: int, seen: Seen) -> tuple[Finding, ...]:
    """Judge the answer to a body that is one byte too large."""
    if seen.status is None or seen.status >= 500:
        # Older versions of Caddy answer 502 when they stop reading.
        summary = (
            f"Whether {subject} refuses large bodies as configured is not proved: it did not take one, nor say why."
        )
        evidence = seen.problem or f"status {seen.status}"
        return (_finding("security-body-size-unproved", Severity.INFO, subject, summary, evidence),)
    if seen.status == 413:
        summary = f"{subject} refuses a body of more than {largest} bytes."
        return (_finding("security-body-size-refused", Severity.OK, subject, summary),)
    summary = f"{subject} took a body of more than {largest} bytes."
    return (_finding("security-body-size-open", Severity.ERROR, subject, summary, f"status {seen.status}", _REDEPLOY),)


def _finding(
    name: str, severity: Severity, subject: str, summary: str, evidence: str = "", remedy: str = ""
) -> Finding:
    return Finding(
        name=name,
        severity=severity,
        subject=subject,
        summary=summary,
        evidence=(evidence,) if evidence else (),
        remedy=remedy,
    )


def _normal(name: str, value: str) -> object:
    """Return a header's value without what means nothing: directives of HSTS have no order and no case."""
    if name.lower() == "strict-transport-security":
        return frozenset(part.strip().lower() for part in value.split(";") if part.strip())
    return re.sub(r"\s+", " ", value.strip())


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip().lower() for word in text.split(","))


def _inside(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network)
    except ValueError:
        return False
