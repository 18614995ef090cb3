"""What a TLS handshake shows: the certificate that visitors get, whatever anybody reports."""

from coolify.tls.check import check_certificate
from coolify.tls.handshake import Certificate, Handshake, inspect_certificate
from coolify.tls.verdict import TlsPolicy, judge_certificate, judge_sameness

__all__ = [
    "Certificate",
    "Handshake",
    "TlsPolicy",
    "check_certificate",
    "inspect_certificate",
    "judge_certificate",
    "judge_sameness",
]
