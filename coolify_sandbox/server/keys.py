"""Private keys (reference 1.4)."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from coolify_sandbox.server.http import Call, present, refuse, route
from coolify_sandbox.server.state import Row, new_uuid
from coolify_sandbox.server.validation import REQUIRED, refuse_invalid, text, validate

__all__: list[str] = []


@route("GET", "/security/keys", "read")
async def list_keys(call: Call) -> tuple[int, Any]:
    rows = call.state.all("key", team_id=call.team_id)
    return 200, [_show(row, call) for row in rows]


@route("GET", "/security/keys/{uuid}", "read")
async def get_key(call: Call) -> tuple[int, Any]:
    row = call.find("key", call.path["uuid"], "Private Key")
    return 200, _show(row, call)


@route("POST", "/security/keys", "write", body=True)
async def create_key(call: Call) -> tuple[int, Any]:
    rules = {"name": (text,), "description": (text,), "private_key": (text,)}
    # Unknown fields are let through here.
    errors = validate({name: value for name, value in call.body.items() if name in rules}, rules)
    if call.body.get("private_key") is None:
        errors["private_key"] = [REQUIRED]
    refuse_invalid(errors)
    private, public = _read_key(call.body["private_key"])
    fingerprint = _fingerprint(public)
    if call.state.first("key", fingerprint=fingerprint):
        refuse(422, "Private key already exists.")
    fields = {
        "name": call.body.get("name") or f"key-{new_uuid()[:8]}",
        "description": call.body.get("description") or "Created by Coolify via API",
        "team_id": call.team_id,
        "fingerprint": fingerprint,
        "is_git_related": False,
        "private_key": private,
        "public_key": public,
    }
    return 201, {"uuid": call.state.insert("key", fields, uuid=new_uuid()).uuid}


@route("PATCH", "/security/keys/{uuid}", "write", body=True)
async def patch_key(call: Call) -> tuple[int, Any]:
    errors = validate(call.body, {"name": (text,), "description": (text,), "private_key": (text,)})
    if call.body.get("private_key") is None:
        errors["private_key"] = [REQUIRED]
    refuse_invalid(errors)
    row = call.find("key", call.path["uuid"], "Private Key")
    private, public = _read_key(call.body["private_key"])
    changes = {name: call.body[name] for name in ("name", "description") if name in call.body}
    call.state.update(row, **changes, private_key=private, public_key=public, fingerprint=_fingerprint(public))
    return 201, {"uuid": row.uuid}


@route("DELETE", "/security/keys/{uuid}", "write")
async def delete_key(call: Call) -> tuple[int, Any]:
    row = call.find("key", call.path["uuid"], "Private Key")
    used = call.state.first("application", private_key_id=row.id) or call.state.first("server", private_key_id=row.id)
    if used:
        details = "This private key is currently being used by servers, applications, or Git integrations."
        refuse(422, "Private Key is in use and cannot be deleted.", details=details)
    call.state.delete(row)
    return 200, {"message": "Private Key deleted."}


def _fingerprint(public_key: str) -> str:
    return base64.b64encode(hashlib.sha256(base64.b64decode(public_key.split()[1])).digest()).decode().rstrip("=")


def _show(row: Row, call: Call) -> dict[str, Any]:
    return present(row, call, id=row.id, uuid=row.uuid, team_id=row["team_id"])


def _read_key(private_key: str) -> tuple[str, str]:
    """Return PEM and OpenSSH public key; base64 of PEM is accepted too."""
    pem = private_key
    if not pem.startswith("-----"):
        try:
            pem = base64.b64decode(pem, validate=True).decode()
        except ValueError:
            refuse(422, "Invalid private key.")
    raw = (pem.strip() + "\n").encode()
    try:
        key = load_ssh_private_key(raw, None) if b"OPENSSH" in raw else load_pem_private_key(raw, None)
        public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        refuse(422, "Invalid private key.")
    return pem, public.decode()
