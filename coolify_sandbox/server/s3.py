"""S3 storages of a team (reference 5; 4.3.0 and later)."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from coolify_sandbox.server.http import Call, present, route
from coolify_sandbox.server.state import Row, new_uuid
from coolify_sandbox.server.validation import Rule, boolean, refuse_invalid, required, text, validate

__all__: list[str] = []

_SECONDS: Final = 5.0
_BUCKET: Final = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)(?!.*(\.\.|\.-|-\.))[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_BUCKET_MESSAGE: Final = (
    "The bucket must be a valid S3 bucket name: 3-63 lowercase letters, numbers, dots, or hyphens; start and end with "
    "a letter or number; no consecutive dots, dot-hyphen pairs, or IP address format."
)


def _url(name: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    parts = urlsplit(str(value))
    fine = value is None or (parts.scheme in {"http", "https"} and parts.hostname)
    return None if fine else f"The {name} must be a valid URL."


def _bucket(_: str, value: Any) -> str | None:  # noqa: ANN401 - JSON
    return None if value is None or _BUCKET.fullmatch(str(value)) else _BUCKET_MESSAGE


_UPDATE: Final[dict[str, tuple[Rule, ...]]] = {
    "name": (text,),
    "description": (text,),
    "endpoint": (text, _url),
    "bucket": (text, _bucket),
    "region": (text,),
    "key": (text,),
    "secret": (text,),
    "is_usable": (boolean,),
}
_NEEDED: Final = ("name", "endpoint", "bucket", "region", "key", "secret")
_CREATE: Final = _UPDATE | {name: (required, *_UPDATE[name]) for name in _NEEDED}


@route("GET", "/s3-storages", "read", since="4.3.0")
async def list_storages(call: Call) -> tuple[int, Any]:
    rows = sorted(call.state.all("s3", team_id=call.team_id), key=lambda row: str(row["name"]))
    return 200, [_show(row, call) for row in rows]


@route("POST", "/s3-storages", "write", body=True, since="4.3.0")
async def create_storage(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _CREATE))
    defaults = {"description": None, "is_usable": False, "unusable_email_sent": False, "team_id": call.team_id}
    return 201, {"uuid": call.state.insert("s3", defaults | call.body, uuid=new_uuid()).uuid}


@route("GET", "/s3-storages/{uuid}", "read", since="4.3.0")
async def get_storage(call: Call) -> tuple[int, Any]:
    return 200, _show(_find(call), call)


@route("PATCH", "/s3-storages/{uuid}", "write", body=True, since="4.3.0")
async def patch_storage(call: Call) -> tuple[int, Any]:
    refuse_invalid(validate(call.body, _UPDATE))
    return 200, {"uuid": call.state.update(_find(call), **call.body).uuid}


@route("DELETE", "/s3-storages/{uuid}", "write", since="4.3.0")
async def delete_storage(call: Call) -> tuple[int, Any]:
    call.state.delete(_find(call))
    return 200, {"message": "S3 storage deleted."}


@route("POST", "/s3-storages/{uuid}/validate", "write", since="4.3.0")
async def validate_storage(call: Call) -> tuple[int, Any]:
    row = _find(call)
    problem = await _problem(str(row["endpoint"]), str(row["bucket"]))
    call.state.update(row, is_usable=problem is None)
    # Whatever came of it, the answer is 200 (reference 5.4).
    return 200, {"valid": problem is None, "message": problem or "S3 storage is valid."}


async def _problem(endpoint: str, bucket: str) -> str | None:
    """Ask for the bucket; the signature is not checked here."""
    try:
        async with httpx.AsyncClient(timeout=_SECONDS, trust_env=False) as client:
            answer = await client.get(f"{endpoint.rstrip('/')}/{bucket}/")
    except httpx.HTTPError as error:
        return f"Error executing ListObjectsV2 on {endpoint}: {type(error).__name__}"
    return f"The bucket {bucket} does not exist." if answer.status_code == 404 else None


def _find(call: Call) -> Row:
    return call.find("s3", call.path["uuid"], "S3 storage")


def _show(row: Row, call: Call) -> dict[str, Any]:
    more = {"uuid": row.uuid, "team_id": row["team_id"], "description": row["description"] or ""}
    return present(row, call, **more)
