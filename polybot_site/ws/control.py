"""Low-rate messages between web processes through the channel layer: a logout closes the session's sockets, wherever they are."""

from __future__ import annotations

import hashlib
from typing import Any

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.http import HttpRequest
from redis.exceptions import RedisError

from polybot_site.ws.access import Visitor

_log = structlog.get_logger(__name__)


def group_of(visitor: Visitor) -> str:
    """Return the group of all sockets that were opened by the same session or token."""
    if visitor.token_id is not None:
        return f"token-{visitor.token_id}"
    return "session-" + hashlib.sha256(visitor.session_key.encode()).hexdigest()[:32]


def close_sockets(visitor: Visitor) -> None:
    """Close the sockets of a session or token. While Redis is away they close at their next check, a minute later at most."""
    try:
        async_to_sync(get_channel_layer().group_send)(group_of(visitor), {"type": "access.ended"})
    except (RedisError, OSError) as error:
        _log.warning("logout_not_announced", error=str(error))


def close_sockets_on_logout(*, request: HttpRequest, user: Any, **_: object) -> None:
    """Receive Django's `user_logged_out`, which is sent while the session still has its key."""
    if user is not None and request.session.session_key:
        close_sockets(Visitor(user.pk, session_key=request.session.session_key))
