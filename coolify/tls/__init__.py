"""What a TLS handshake shows: the certificate that visitors get, whatever anybody reports.

Measuring (`handshake`, `web`, `renewal`) and judging (`verdict`, `surroundings`, `issuance`) are apart; `check` joins
them.
"""

from coolify.tls.application import UnknownHostError, hosts_of, inspect_hosts
from coolify.tls.certificate import Certificate, Link
from coolify.tls.check import Detail, HostCertificates, check_certificate, inspect_host, judge_host
from coolify.tls.due import is_renewed, is_served, why_due, why_hopeless
from coolify.tls.handshake import Handshake, inspect_certificate, offered_protocols
from coolify.tls.issuance import ask_port_80, judge_port_80, judge_proxy, rate_limit_hint
from coolify.tls.outcome import HostRenewal, Renewal, Renewals, host_renewal, undue_renewal
from coolify.tls.overview import CertificateRow, HostStatus, host_status
from coolify.tls.renewal import RenewalWindow, ask_renewal
from coolify.tls.verdict import TlsPolicy, judge_certificate, judge_sameness
from coolify.tls.web import WebAnswer, WebAnswers, ask_http, ask_web

__all__ = [
    "Certificate",
    "CertificateRow",
    "Detail",
    "Handshake",
    "HostCertificates",
    "HostRenewal",
    "HostStatus",
    "Link",
    "Renewal",
    "RenewalWindow",
    "Renewals",
    "TlsPolicy",
    "UnknownHostError",
    "WebAnswer",
    "WebAnswers",
    "ask_http",
    "ask_port_80",
    "ask_renewal",
    "ask_web",
    "check_certificate",
    "host_renewal",
    "host_status",
    "hosts_of",
    "inspect_certificate",
    "inspect_host",
    "inspect_hosts",
    "is_renewed",
    "is_served",
    "judge_certificate",
    "judge_host",
    "judge_port_80",
    "judge_proxy",
    "judge_sameness",
    "offered_protocols",
    "rate_limit_hint",
    "undue_renewal",
    "why_due",
    "why_hopeless",
]
