"""A key pair with which Coolify reads one private repository."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import SecretStr

__all__ = ["DeployKey", "generate_deploy_key"]


@dataclass(frozen=True, slots=True)
class DeployKey:
    """Both halves; the private one goes to Coolify and nowhere else."""

    private: SecretStr
    public: str
    """One line as in `authorized_keys`, for the Git host."""


def generate_deploy_key(comment: str) -> DeployKey:
    """Return a new Ed25519 pair (RFC 8032) in OpenSSH's formats."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return DeployKey(SecretStr(private), f"{public} {comment}")
