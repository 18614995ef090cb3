"""The bucket itself: whether an object is there, and its content on disk. Any S3 endpoint, through boto3.

Everything here blocks and belongs into a thread; memory stays flat whatever the size of a dump.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from pydantic import SecretStr

from coolify.backup.truth import BucketUnreadable, ObjectMissing, ObjectSeen, Sighting
from coolify.errors import OperatorError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

__all__ = ["Bucket", "BucketError", "Fetched", "ObjectReader"]

_CHUNK: Final = 1024 * 1024
_RESUMES: Final = 5
_ROOM: Final = 64 * 1024 * 1024
"""Bytes to leave free on the disk."""


class BucketError(OperatorError):
    """The bucket cannot be used."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object on disk."""

    path: Path
    size: int
    sha256: str
    seconds: float
    checksum: str
    """What the content was compared with, as evidence."""


class Bucket:
    """One bucket at one endpoint.

    Args:
        endpoint: URL of the S3 endpoint.
        name: The bucket.
        region: Its region.
        key: Access key.
        secret: Secret key.
        path_style: Whether the bucket stands in the path of URLs.
        ca_file: PEM file of a private certificate authority.

    Raises:
        BucketError: boto3 is not installed.
    """

    def __init__(
        self,
        endpoint: str,
        name: str,
        region: str,
        key: SecretStr,
        secret: SecretStr,
        *,
        path_style: bool = True,
        ca_file: Path | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.name = name
        try:
            import boto3
            from botocore.config import Config
        except ImportError:
            raise BucketError(
                "Reading buckets needs boto3, which is not installed: run `pip install 'coolify-flows[backup]'`."
            ) from None
        self._client: S3Client = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint,
            region_name=region,
            aws_access_key_id=key.get_secret_value(),
            aws_secret_access_key=secret.get_secret_value(),
            verify=str(ca_file) if ca_file else None,
            config=Config(
                connect_timeout=10,
                read_timeout=60,
                retries={"mode": "standard", "max_attempts": 4},
                s3={"addressing_style": "path" if path_style else "virtual"},
                # Many endpoints know no checksums but their own.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def look(self, key: str) -> Sighting:
        """Return what is there under a key; never raises for what the bucket answers."""
        try:
            with self._told():
                answer = self._client.head_object(Bucket=self.name, Key=key)
        except _NotThereError:
            return ObjectMissing(key)
        except BucketError as error:
            return BucketUnreadable(str(error))
        return _seen(key, answer)

    def list(self, prefix: str = "") -> tuple[ObjectSeen, ...]:
        """Return the objects below a prefix, the one that was written last first.

        Raises:
            BucketError: The bucket cannot be read.
        """
        found: list[ObjectSeen] = []
        with self._told():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
                found += [
                    ObjectSeen(one["Key"], one["Size"], one["ETag"].strip('"'), one["LastModified"])
                    for one in page.get("Contents", [])
                ]
        # Times are whole seconds; names as a rule hold a time too.
        return tuple(sorted(found, key=lambda one: (one.modified, one.key), reverse=True))

    def fetch(self, key: str, path: Path, *, deadline: float, stop: threading.Event | None = None) -> Fetched:
        """Write an object to a file, block by block, and compare it with what the bucket says of it.

        A connection that breaks is taken up where it broke, as long as the object has not changed.

        Args:
            key: The object.
            path: File to write; its folder must exist.
            deadline: Value of `time.monotonic()` at which to give up.
            stop: Ends the transfer when it is set.

        Raises:
            BucketError: The object is missing, changed meanwhile, does not fit on the disk, or is not what was stored.
        """
        started = time.monotonic()
        seen = self._seen(key)
        free = shutil.disk_usage(path.parent).free
        if seen.size + _ROOM > free:
            raise BucketError(
                f"The dump has {seen.size} bytes and only {free} are free in {path.parent}: free some, or set TMPDIR "
                "to a larger disk."
            )
        digests = _Digests()
        with path.open("wb") as file:
            for block in self._whole(seen, deadline, stop):
                _write(file, block)
                digests.update(block)
        checksum = digests.compare(seen)
        return Fetched(path, digests.size, digests.sha256.hexdigest(), time.monotonic() - started, checksum)

    def read(self, key: str, *, deadline: float, stop: threading.Event | None = None) -> ObjectReader:
        """Return an object as a file that is read once, from its beginning, and never lies on the disk.

        Args:
            key: The object.
            deadline: Value of `time.monotonic()` at which to give up.
            stop: Ends the transfer when it is set.

        Raises:
            BucketError: The object is missing, or the bucket cannot be read.
        """
        seen = self._seen(key)
        return ObjectReader(seen, self._whole(seen, deadline, stop))

    def _seen(self, key: str) -> ObjectSeen:
        seen = self.look(key)
        if isinstance(seen, ObjectMissing):
            raise BucketError(f"The bucket {self.name} has no object {key}.")
        if isinstance(seen, BucketUnreadable):
            raise BucketError(seen.reason)
        return seen

    def _whole(self, seen: ObjectSeen, deadline: float, stop: threading.Event | None) -> Iterator[bytes]:
        """Yield an object block by block, taken up where a connection breaks."""
        size, resumes = 0, 0
        while size < seen.size:
            try:
                for block in self._blocks(seen, size):
                    if time.monotonic() > deadline or (stop is not None and stop.is_set()):
                        raise BucketError(f"Fetching {seen.key} was given up after {size} of {seen.size} bytes.")
                    size += len(block)
                    yield block
            except _BrokenOffError as broken:
                resumes += 1
                if resumes > _RESUMES:
                    raise BucketError(f"Fetching {seen.key} broke off {resumes} times: {broken}") from None
        if size != seen.size:
            raise BucketError(f"The object {seen.key} has {seen.size} bytes, but {size} were received.")

    def _blocks(self, seen: ObjectSeen, offset: int) -> Iterator[bytes]:
        from botocore.exceptions import HTTPClientError, IncompleteReadError, ResponseStreamingError

        with self._told():
            answer = self._client.get_object(
                Bucket=self.name, Key=seen.key, IfMatch=seen.etag, Range=f"bytes={offset}-"
            )
        try:
            yield from answer["Body"].iter_chunks(_CHUNK)
        except (HTTPClientError, IncompleteReadError, ResponseStreamingError, OSError) as error:
            raise _BrokenOffError(type(error).__name__) from None
        finally:
            answer["Body"].close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what boto3 raises into one sentence without keys."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in {"NoSuchKey", "404", "NotFound"}:
                raise _NotThereError(f"The bucket {self.name} has no such object.") from None
            raise BucketError(self._sentence(code, status)) from None
        except BotoCoreError as error:
            raise BucketError(f"The S3 endpoint {self.endpoint} cannot be used: {type(error).__name__}.") from None

    def _sentence(self, code: str, status: object) -> str:
        where = f"the bucket {self.name} at {self.endpoint}"
        if code == "NoSuchBucket":
            return f"There is no bucket {self.name} at {self.endpoint}."
        if code in {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken"}:
            return f"The keys for {where} are refused ({code}): check the variables that `backups.storages` names."
        if code in {"AccessDenied", "403", "Forbidden"}:
            return f"The keys may not read {where}: they need s3:GetObject and s3:ListBucket."
        if code == "PreconditionFailed":
            return f"The object changed in {where} while it was read: run it again."
        return f"{where[0].upper()}{where[1:]} answers {code or status}."


class ObjectReader(io.RawIOBase):
    """An object of a bucket, read once from its beginning; its digests count what was read."""

    def __init__(self, seen: ObjectSeen, blocks: Iterator[bytes]) -> None:
        self.seen = seen
        self._blocks = blocks
        self._block = memoryview(b"")
        self._digests = _Digests()

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - whatever can be written to
        """Fill a buffer as far as the next block goes; return 0 at the end."""
        if not self._block:
            block = next(self._blocks, b"")
            self._digests.update(block)
            self._block = memoryview(block)
        length = min(len(buffer), len(self._block))
        buffer[:length] = self._block[:length]
        self._block = self._block[length:]
        return length

    def finish(self) -> tuple[str, str]:
        """Read what is left and return the SHA-256 of all, and what it was compared with, as evidence.

        Raises:
            BucketError: It is not what was stored.
        """
        for block in self._blocks:
            self._digests.update(block)
        return self._digests.sha256.hexdigest(), self._digests.compare(self.seen)


class _Digests:
    """What is known of content that passes by."""

    def __init__(self) -> None:
        self.sha256, self._md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        self.size = 0

    def update(self, block: bytes) -> None:
        self.sha256.update(block)
        self._md5.update(block)
        self.size += len(block)

    def compare(self, seen: ObjectSeen) -> str:
        """Compare with the ETag where it is the MD5 of the content: of objects that were uploaded in one piece."""
        if not seen.etag:
            return f"size {seen.size}"
        if not seen.etag_is_md5 or len(seen.etag) != 32:
            return f"size {seen.size} (uploaded in parts or encrypted: the ETag is no digest)"
        if seen.etag.lower() != self._md5.hexdigest():
            raise BucketError(f"The object {seen.key} is damaged: MD5 {self._md5.hexdigest()}, stored as {seen.etag}.")
        return f"MD5 {self._md5.hexdigest()} as stored"


def _write(file: BinaryIO, block: bytes) -> None:
    try:
        file.write(block)
    except OSError as error:
        raise BucketError(f"The dump cannot be written to {file.name}: {error.strerror}.") from None


class _NotThereError(BucketError):
    """The object is missing."""


class _BrokenOffError(Exception):
    """The connection broke within the body."""


def _seen(key: str, answer: Any) -> ObjectSeen:  # noqa: ANN401 - what boto3 answers
    encrypted = answer.get("ServerSideEncryption") == "aws:kms" or bool(answer.get("SSECustomerAlgorithm"))
    etag = str(answer["ETag"]).strip('"')
    return ObjectSeen(key, int(answer["ContentLength"]), etag, answer["LastModified"], etag_is_md5=not encrypted)
