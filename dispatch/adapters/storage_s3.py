"""Photo bytes on S3-compatible storage: the BlobStore for more than one host."""

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dispatch.adapters.storage import (
    BlobMismatch,
    BlobMissing,
    StorageFull,
    StorageUnavailable,
    Variant,
    check_key,
)

_MISSING = {"404", "NoSuchKey", "NotFound"}
_FULL = {"507", "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"}


def s3_client(
    *, endpoint_url: str | None, region: str, access_key: str | None, secret_key: str | None
) -> BaseClient:
    """A client whose every wait has an end: 3 s to connect, 20 s to read, 3 tries.

    Without keys the usual places of the AWS client are searched (environment, host role).
    """
    return cast(
        BaseClient,
        boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=region,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(
                connect_timeout=3, read_timeout=20, retries={"total_max_attempts": 3, "mode": "standard"}
            ),
        ),
    )


class S3Store:
    """Blobs as objects tenant/hash.variant of one bucket. S3 answers a put when it is durable."""

    def __init__(self, bucket: str, client: BaseClient) -> None:
        self.bucket = bucket
        # The client's methods are made at run time from the service's description: no type knows them.
        self._client: Any = client

    def put(self, tenant_id: uuid.UUID, sha256: str, content: bytes | Path, variant: Variant) -> None:
        """See BlobStore."""
        key = self._key(tenant_id, sha256, variant)
        if variant == "original":
            digest = _sha256(content)
            if digest != sha256:
                raise BlobMismatch(announced=sha256, found=digest)
            if self.exists(tenant_id, sha256, variant):
                return
        with _translated(sha256, variant):
            if isinstance(content, bytes):
                self._client.put_object(Bucket=self.bucket, Key=key, Body=content)
            else:
                with content.open("rb") as source:
                    self._client.put_object(Bucket=self.bucket, Key=key, Body=source)

    def read(self, tenant_id: uuid.UUID, sha256: str, variant: Variant) -> bytes:
        with _translated(sha256, variant), self.open(tenant_id, sha256, variant) as source:
            return source.read()

    def open(self, tenant_id: uuid.UUID, sha256: str, variant: Variant) -> IO[bytes]:
        with _translated(sha256, variant):
            answer = self._client.get_object(Bucket=self.bucket, Key=self._key(tenant_id, sha256, variant))
            return cast(IO[bytes], answer["Body"])

    def exists(self, tenant_id: uuid.UUID, sha256: str, variant: Variant) -> bool:
        try:
            with _translated(sha256, variant):
                self._client.head_object(Bucket=self.bucket, Key=self._key(tenant_id, sha256, variant))
        except BlobMissing:
            return False
        return True

    def variants(self, tenant_id: uuid.UUID, sha256: str) -> list[Variant]:
        prefix = self._key(tenant_id, sha256, "original").removesuffix("original")
        with _translated(sha256, "original"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
        return sorted(key.removeprefix(prefix) for key in keys)

    def delete(self, tenant_id: uuid.UUID, sha256: str, variant: Variant) -> None:
        with _translated(sha256, variant):
            self._client.delete_object(Bucket=self.bucket, Key=self._key(tenant_id, sha256, variant))

    def _key(self, tenant_id: uuid.UUID, sha256: str, variant: Variant) -> str:
        check_key(tenant_id, sha256, variant)
        return f"{tenant_id}/{sha256}.{variant}"


def _sha256(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


@contextmanager
def _translated(sha256: str, variant: Variant) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
        if code in _MISSING:
            raise BlobMissing(sha256=sha256, variant=variant) from None
        if code in _FULL or status in _FULL:
            raise StorageFull() from error
        raise StorageUnavailable(reason=code) from error
    except BotoCoreError as error:
        raise StorageUnavailable(reason=type(error).__name__) from error
