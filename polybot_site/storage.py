"""Where blobs (backups of keys) lie: in a bucket of an S3 server when one is configured (`s3.bucket`), else in `var/blobs`.

Nothing of S3 is imported before it is configured and used. Whatever the storage cannot do is a `BlobStorageError` that names the fix and no secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.core.files.storage import Storage, default_storage

from domain.errors import PolybotError
from infra.paths import var_dir
from polybot_site.config_servers import S3


class BlobStorageError(PolybotError):
    """The blob storage cannot be used; the message names the fix."""


def storage_settings(s3: S3) -> dict[str, Any]:
    """Return Django's description of the storage, an entry of STORAGES. Secrets in it are masked when it is printed."""
    if s3.bucket:
        return {"BACKEND": "polybot_site.storage_s3.S3Blobs", "OPTIONS": {"s3": s3}}
    modes = {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": var_dir() / "blobs", **modes},
    }


@contextmanager
def blobs(s3: S3) -> Iterator[Storage]:
    """Yield the storage, an S3 server once it has answered; what it cannot do inside the block raises `BlobStorageError`."""
    try:
        if not s3.bucket:
            yield default_storage
            return
        from polybot_site.storage_s3 import S3Blobs, explained

        with explained(s3):
            cast(S3Blobs, default_storage).check()
            yield default_storage
    except OSError as error:
        raise BlobStorageError(f"the blob storage cannot be used: {error}") from None


def reach(s3: S3) -> None:
    """Ask the configured S3 server once whether the bucket is there, a few seconds at most; raises `BlobStorageError` when it is not."""
    from polybot_site.storage_s3 import S3Blobs, explained

    with explained(s3):
        S3Blobs(s3, attempts=1).check()


def storage_status(s3: S3) -> dict[str, str]:
    """Return where blobs lie ("place") and why they cannot be reached now ("trouble", "" when nothing is wrong)."""
    if not s3.bucket:
        return {"place": str(var_dir() / "blobs"), "trouble": ""}
    try:
        reach(s3)
    except BlobStorageError as error:
        return {"place": s3.place(), "trouble": str(error)}
    return {"place": s3.place(), "trouble": ""}
