"""Who opens a socket: the session's cookie, or `Authorization: Bearer <api token>`.

A browser sends cookies with any site's request, so a socket opened with a cookie must come from one of our own pages (its Origin). Programs with a
token send no Origin and need none.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User

from polybot_site.models import ApiToken
from polybot_site.roles import role_of
from polybot_site.tokens import bearer_token, verify

UNKNOWN = 4401
FORBIDDEN = 4403
Scope = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is at the other end, by what: a session or a token."""

    user_id: int
    session_key: str = ""
    token_id: int | None = None


class RefusedError(Exception):
    """The socket may not be opened; `code` is its close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def admit(scope: Scope) -> Visitor:
    """Return who opens the socket of `scope` (as Channels' session middleware leaves it). Reads the database.

    Raises:
        RefusedError: nobody known, without a role, or from a foreign page.
    """
    headers: dict[bytes, bytes] = dict(scope["headers"])
    text = bearer_token(headers.get(b"authorization", b""))
    if text is not None:
        token = verify(text)
        if token is None:
            raise RefusedError(UNKNOWN, "the API token is unknown or revoked")
        user, visitor = token.user, Visitor(token.user_id, token_id=token.pk)
    else:
        user = scope["user"]
        if not isinstance(user, User):
            raise RefusedError(UNKNOWN, "not logged in")
        if not _from_our_pages(headers):
            raise RefusedError(FORBIDDEN, "opened by a page of another site")
        visitor = Visitor(user.pk, session_key=scope["session"].session_key)
    if role_of(user) is None:
        raise RefusedError(FORBIDDEN, "the user has no role")
    return visitor


def still_admitted(visitor: Visitor) -> bool:
    """Tell whether `visitor` would be admitted again: not logged out, revoked, deactivated or stripped of the role."""
    user = User.objects.filter(pk=visitor.user_id).first()
    if user is None or role_of(user) is None:
        return False
    if visitor.token_id is not None:
        return ApiToken.objects.filter(pk=visitor.token_id, revoked_at=None).exists()
    store = import_module(settings.SESSION_ENGINE).SessionStore
    return bool(store().exists(visitor.session_key))


def _from_our_pages(headers: dict[bytes, bytes]) -> bool:
    origin = headers.get(b"origin", b"").decode("latin-1")
    host = headers.get(b"host", b"").decode("latin-1")
    return origin in settings.CSRF_TRUSTED_ORIGINS or (host != "" and urlsplit(origin).netloc == host)
