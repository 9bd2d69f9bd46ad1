"""A bucket that speaks S3, as the place of a fleet's files. It is loaded where one is named.

Who may read and write it, and encryption at rest, is the bucket's own affair; keys come from where
boto3 looks for them (its manual: "Credentials"), never from toolsync.toml.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from toolsync.model.errors import SetupError, TryAgain

try:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError as error:
    raise SetupError(
        f"[store] url names a bucket, and boto3 cannot be loaded: {error}",
        resolution="Install it: apt install python3-boto3, or pip install 'toolsync[fleet]'.",
    ) from error

PART = 64 * 1024 * 1024
"""Bytes above which a file is sent in parts, and of each part."""
_CHUNK = 1024 * 1024
_ABSENT = ("404", "NoSuchKey", "NotFound")
_THERE = ("412", "PreconditionFailed", "409", "ConditionalRequestConflict")
_REFUSED = ("403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket")


class Bucket:
    """Files by digest in a bucket."""

    def __init__(self, name: str, prefix: str, endpoint: str = "", part: int = PART) -> None:
        """Ask nothing yet; without ``endpoint`` it is Amazon's."""
        self._name, self._prefix, self._part = name, prefix, part
        self._client = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint or None,
            config=Config(
                connect_timeout=10,
                read_timeout=60,
                retries={"max_attempts": 4, "mode": "standard"},
                # Servers but Amazon's may have no names of buckets in their own name.
                s3={"addressing_style": "path"} if endpoint else {},
            ),
        )
        for call in ("PutObject", "CompleteMultipartUpload"):
            self._client.meta.events.register(f"before-call.s3.{call}", _only_once)

    def put(self, digest: str, path: Path) -> None:
        """Keep a file; see `Remote.put`. What is there already is known by its size."""
        size = path.stat().st_size
        if self.size(digest) == size:
            return
        with self._told(), path.open("rb") as source:
            try:
                if size > self._part:
                    self._put_parts(digest, source)
                else:
                    data = source.read()
                    self._client.put_object(**self._key(digest), Body=data, ContentMD5=_md5(data))
            except ClientError as error:
                if _code(error) not in _THERE:
                    raise
        if (found := self.size(digest)) != size:
            raise SetupError(
                f"the bucket {self._name} has {found} bytes as {digest}, wanted {size}",
                resolution="Remove that object, and find out who else writes there.",
            )

    def _put_parts(self, digest: str, source: BinaryIO) -> None:
        key = self._key(digest)
        upload = {**key, "UploadId": self._client.create_multipart_upload(**key)["UploadId"]}
        try:
            parts: list[dict[str, object]] = []
            while data := source.read(self._part):
                number = len(parts) + 1
                sent = self._client.upload_part(
                    **upload, PartNumber=number, Body=data, ContentMD5=_md5(data)
                )
                parts.append({"ETag": sent["ETag"], "PartNumber": number})
            self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
        except BaseException:
            self._client.abort_multipart_upload(**upload)
            raise

    def get(self, digest: str, out: BinaryIO, limit: int) -> bool:
        """Write a file's bytes; see `Remote.get`."""
        with self._told():
            try:
                body = self._client.get_object(**self._key(digest))["Body"]
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return False
                raise
            with body:
                while limit > 0 and (chunk := body.read(min(limit, _CHUNK))):
                    out.write(chunk)
                    limit -= len(chunk)
        return True

    def size(self, digest: str) -> int | None:
        """Return a file's size in bytes, None where it is not there."""
        head = self._head(digest)
        return head[0] if head else None

    def modified(self, digest: str) -> float | None:
        """Return when a file was put there; see `Remote.modified`."""
        head = self._head(digest)
        return head[1] if head else None

    def _head(self, digest: str) -> tuple[int, float] | None:
        """Return a file's size and when it was put there."""
        with self._told():
            try:
                found = self._client.head_object(**self._key(digest))
            except ClientError as error:
                if _code(error) in _ABSENT:
                    return None
                raise
            return int(found["ContentLength"]), float(found["LastModified"].timestamp())

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield digest and size in bytes of every file."""
        pages = self._client.get_paginator("list_objects_v2")
        with self._told():
            for page in pages.paginate(Bucket=self._name, Prefix=f"{self._prefix}sha256/"):
                for entry in page.get("Contents", ()):
                    yield entry["Key"].rpartition("/")[2], int(entry["Size"])

    def drop(self, digest: str) -> None:
        """Remove a file; one that is gone already is no error."""
        with self._told():
            self._client.delete_object(**self._key(digest))

    def _key(self, digest: str) -> dict[str, str]:
        return {"Bucket": self._name, "Key": f"{self._prefix}sha256/{digest[:2]}/{digest}"}

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell what the bucket, or the way to it, complains of."""
        try:
            yield
        except ClientError as error:
            if _code(error) in _REFUSED:
                raise SetupError(
                    f"the bucket {self._name} refuses us: {error}",
                    resolution="See that it is there, and what boto3's credentials may do.",
                ) from error
            raise TryAgain(
                f"the bucket {self._name} failed: {error}", resolution="Run again later."
            ) from error
        except (BotoCoreError, OSError) as error:
            if "credentials" in type(error).__name__.lower():
                raise SetupError(
                    f"there are no keys for the bucket {self._name}: {error}",
                    resolution="Put them where boto3 looks: ~/.aws/credentials, the environment,"
                    " or the machine's own role.",
                ) from error
            raise TryAgain(
                f"the bucket {self._name} cannot be reached: {error}",
                resolution="See that [store] endpoint is right and answers; run again.",
            ) from error


def _only_once(params: dict[str, dict[str, str]], **_: object) -> None:
    """Let an object that is there stay as it is; older boto3 have no word for it."""
    params["headers"]["If-None-Match"] = "*"


def _md5(data: bytes) -> str:
    """Return what a server compares the bytes with that arrived (RFC 1864)."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
