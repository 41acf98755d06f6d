"""Django's storage in a bucket of an S3 server: AWS, or any other that checks signatures of version 4.

A blob is never overwritten: a write is refused with `FileExistsError` when the name is taken, by the server itself (If-None-Match), so two writers
cannot both win. No access rights are sent with a blob: it is as private as its bucket, which is private unless its owner opened it.

A request that gets no answer is sent three times, each time with a timeout. `explained` turns every refusal into a `BlobStorageError` that says
what to set; it never shows a key. The import takes the better part of a second: only `polybot_site.storage` imports this, when S3 is configured.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config as ClientConfig
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - that of botocore
    HTTPClientError,
    SSLError,
)
from django.core.files.base import File
from storages.backends.s3 import S3Storage

from polybot_site.config_servers import S3
from polybot_site.storage import BlobStorageError

_CONNECT_SECONDS = 2
_ANSWER_SECONDS = 4
_ATTEMPTS = 3
_CLOCKS_DIFFER_SECONDS = 300
"""Servers refuse signatures that are a quarter of an hour old; a clock that is off by this much is the likely reason for a refusal."""

_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}
_FIXES = {
    "InvalidAccessKeyId": "it does not know the access key: check S3_ACCESS_KEY",
    "SignatureDoesNotMatch": "the secret key is wrong: check S3_SECRET_KEY",
    "AccessDenied": "this access key may not do that: let it list the bucket, and read, write and delete in it",
    "403": "this access key may not do that: let it list the bucket, and read, write and delete in it",
    "NoSuchBucket": "there is no bucket of that name: make it, or check S3_BUCKET",
    "AuthorizationHeaderMalformed": "the bucket is in another region: check S3_REGION",
    "PermanentRedirect": "the bucket is in another region: check S3_REGION and S3_ENDPOINT",
    "301": "the bucket is in another region: check S3_REGION and S3_ENDPOINT",
    "NotImplemented": "it knows no writes that overwrite nothing (If-None-Match): take another server",
}


class S3Blobs(S3Storage):  # type: ignore[misc]
    """The configured bucket. `attempts` is how often a request is sent before it counts as unanswered."""

    def __init__(self, s3: S3, attempts: int = _ATTEMPTS) -> None:
        if s3.access_key is None or s3.secret_key is None:
            raise ValueError("s3.access_key and s3.secret_key are needed")
        super().__init__(
            access_key=s3.access_key.get_secret_value(),
            secret_key=s3.secret_key.get_secret_value(),
            # What the environment says to other programs that speak to AWS is not meant for this one.
            security_token=None,
            session_profile=None,
            bucket_name=s3.bucket,
            region_name=s3.region,
            endpoint_url=s3.url(),
            use_ssl=s3.use_ssl,
            default_acl=None,
            # A name is never changed: `_save` refuses one that is taken.
            file_overwrite=True,
            transfer_config=TransferConfig(use_threads=False),
            client_config=ClientConfig(
                signature_version="s3v4",
                s3={"addressing_style": "path" if s3.force_path_style else "auto"},
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_ANSWER_SECONDS,
                retries={"mode": "standard", "total_max_attempts": attempts},
                ignore_configured_endpoint_urls=True,
                # Checksums in trailers are unknown to many servers; what must be right is read back or authenticates itself.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def check(self) -> None:
        """Ask for one name in the bucket: unlike HEAD, the answer says what is wrong."""
        self.connection.meta.client.list_objects_v2(Bucket=self.bucket_name, MaxKeys=1)

    def _save(self, name: str, content: File[Any]) -> str:
        try:
            self.bucket.Object(self._normalize_name(name)).put(Body=content.read(), IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] in _TAKEN:
                raise FileExistsError(f"{name} lies in the bucket already") from None
            raise
        return name


@contextmanager
def explained(s3: S3) -> Iterator[None]:
    """Turn what the S3 server or the way to it refuses into a `BlobStorageError`."""
    try:
        yield
    except ClientError as error:
        raise BlobStorageError(f"{s3.place()} refused: {_fix(error)}") from None
    except SSLError as error:
        raise BlobStorageError(
            f"{s3.place()} shows no certificate that holds: check S3_ENDPOINT, and S3_USE_SSL ({error})"
        ) from None
    except (HTTPClientError, ConnectionError):
        raise BlobStorageError(
            f"{s3.place()} cannot be reached: check S3_ENDPOINT, S3_USE_SSL and the network"
        ) from None
    except BotoCoreError as error:
        raise BlobStorageError(f"{s3.place()} cannot be used: {error}") from None


def _fix(error: ClientError) -> str:
    said, met = error.response["Error"], error.response["ResponseMetadata"]
    skew = _clock_skew(met.get("HTTPHeaders", {}))
    if said["Code"] == "RequestTimeTooSkewed" or (met["HTTPStatusCode"] == 403 and abs(skew) > _CLOCKS_DIFFER_SECONDS):
        return f"this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server's: set it (NTP)"
    return _FIXES.get(said["Code"], f"{said['Code']} {said.get('Message', '')}".rstrip())


def _clock_skew(headers: dict[str, str]) -> float:
    """Return by how many seconds this machine's clock is ahead of the answer's, 0 for an answer without a date."""
    try:
        return (datetime.now(UTC) - parsedate_to_datetime(headers["date"])).total_seconds()
    except (KeyError, ValueError, TypeError):
        return 0.0
