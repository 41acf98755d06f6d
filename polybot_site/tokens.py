"""Making, checking and revoking API tokens. A token is 256 random bits, so a plain SHA-256 digest cannot be searched backwards."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from polybot_site.models import ApiToken

PREFIX = "polybot_"
_NOTE_USE_EVERY = timedelta(minutes=1)


def issue(*, user: User, name: str) -> tuple[str, ApiToken]:
    """Make a token for `user`; return its text, which cannot be read again later, and its row."""
    text = PREFIX + secrets.token_urlsafe(32)
    return text, ApiToken.objects.create(user=user, name=name, digest=_digest(text))


def verify(text: str) -> ApiToken | None:
    """Return the token whose text this is, None when it is unknown, revoked, or its user may not log in."""
    token = (
        ApiToken.objects.select_related("user")
        .filter(digest=_digest(text), revoked_at=None, user__is_active=True)
        .first()
    )
    if token is not None:
        now = timezone.now()
        unnoted = Q(last_used_at=None) | Q(last_used_at__lt=now - _NOTE_USE_EVERY)
        ApiToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=now)
    return token


def revoke(*, user: User, name: str) -> None:
    """End all tokens of `user` with this name."""
    ApiToken.objects.filter(user=user, name=name, revoked_at=None).update(revoked_at=timezone.now())


def bearer_token(header: bytes) -> str | None:
    """Return the token of an Authorization header, None when the header is of another kind."""
    keyword, _, text = header.partition(b" ")
    return text.strip().decode("latin-1") if keyword.lower() == b"bearer" else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
