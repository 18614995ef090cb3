"""Uploads to the real S3 endpoint of a storage, as Coolify's jobs make them after a dump or an archive."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from coolify_sandbox.runtime.postgres import ToolError
from coolify_sandbox.server.state import Row, State

__all__ = ["upload"]


async def upload(state: State, backup: Row, path: Path, filename: str) -> dict[str, Any]:
    """Upload a file under the path that it has on the server; return what the execution tells of it."""
    storage = state.by_id("s3", backup["s3_storage_id"]) if backup["s3_storage_id"] is not None else None
    if storage is None:
        # What Coolify does with a schedule that has lost its storage: success, and nothing is said.
        return {}
    try:
        await asyncio.to_thread(_put, storage, path, filename.lstrip("/"))
    except Exception as error:  # noqa: BLE001 - whatever it was, the file itself is fine
        return {"s3_uploaded": False, "message": f"S3 upload failed: {error}"}
    return {"s3_uploaded": True}


def _put(storage: Row, path: Path, key: str) -> None:
    try:
        import boto3
        from botocore.config import Config
    except ImportError:
        raise ToolError("boto3 is not installed: `pip install 'coolify-flows[backup]'` brings it.") from None
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=storage["endpoint"],
        region_name=storage["region"],
        aws_access_key_id=storage["key"],
        aws_secret_access_key=storage["secret"],
        config=Config(
            connect_timeout=5,
            retries={"total_max_attempts": 1},
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
        ),
    )
    client.upload_file(str(path), storage["bucket"], key)
