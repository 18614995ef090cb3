"""A real S3 endpoint on loopback, spoken by moto's server."""

import uuid
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer


@dataclass(frozen=True)
class TestBucket:
    """A bucket, and the section `backups.storages` that names it."""

    __test__ = False
    url: str
    name: str
    client: Any

    def storage(self) -> dict[str, str]:
        return {
            "endpoint": self.url,
            "bucket": self.name,
            "region": "eu-central-1",
            "key": "${S3_KEY}",
            "secret": "${S3_SECRET}",
        }

    def keys(self) -> list[str]:
        listed = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [one["Key"] for one in sorted(listed, key=lambda one: one["LastModified"])]

    def read(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def remove(self) -> None:
        for key in self.keys():
            self.client.delete_object(Bucket=self.name, Key=key)
        self.client.delete_bucket(Bucket=self.name)

    def write(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=content)


@pytest.fixture(scope="session")
def s3_server():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server, monkeypatch):
    """An empty bucket; its keys are in the environment."""
    monkeypatch.setenv("S3_KEY", "bucket-key")
    monkeypatch.setenv("S3_SECRET", "bucket-secret")
    client = boto3.client(
        "s3",
        endpoint_url=s3_server,
        aws_access_key_id="bucket-key",
        aws_secret_access_key="bucket-secret",
        region_name="eu-central-1",
    )
    name = f"backups-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return TestBucket(s3_server, name, client)
