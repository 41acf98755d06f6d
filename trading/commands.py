"""Commands to the trader: an operator's wish becomes a durable row, and PostgreSQL wakes the trader when it is committed.

The trader alone acts (`trading.inbox`). A command expires (10 s for orders) and carries an optional idempotency key: issuing the same key again
returns the first command. Every command belongs to one account and is audited with the name of who issued it. Kinds and payloads:

    place       {market_id, token_id, side, price, size, order_type, post_only, effect}   decimal texts
    cancel      {order_id}
    cancel_all  {}
    halt        {scope, target, reason}
    resume      {scope, target}
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction

from infra.clock import SystemClock
from infra.ids import RandomIds
from trading.inbox import CHANNEL
from trading.models import AuditLog, Command, CommandStatus

KINDS = frozenset({"place", "cancel", "cancel_all", "halt", "resume"})
_POLL_SECONDS = 0.05

_clock = SystemClock()
_ids = RandomIds()


def issue(
    *,
    account: str,
    kind: str,
    payload: dict[str, Any],
    issued_by: str,
    idempotency_key: str = "",
    ttl_seconds: float = 10.0,
) -> Command:
    """Write a command to the trader of `account` and wake it on commit; returns the row (an earlier one for a repeated key).

    Raises:
        ValueError: `kind` is unknown, or the key was used for another command before.
    """
    if kind not in KINDS:
        raise ValueError(f"command was {kind!r}, expected one of {', '.join(sorted(KINDS))}")
    try:
        earlier = _earlier(account, kind, payload, idempotency_key)
        return earlier or _create(account, kind, payload, issued_by, idempotency_key, ttl_seconds)
    except IntegrityError:
        # Somebody else issued the same key in the same moment.
        earlier = _earlier(account, kind, payload, idempotency_key)
        if earlier is None:
            raise
        return earlier


def _earlier(account: str, kind: str, payload: dict[str, Any], idempotency_key: str) -> Command | None:
    """Return the command that was issued with the same key before."""
    earlier = Command.objects.filter(idempotency_key=idempotency_key).first() if idempotency_key else None
    if earlier is not None and (earlier.account, earlier.kind, earlier.payload) != (account, kind, payload):
        raise ValueError(f"idempotency key {idempotency_key!r} was used for another command before")
    return earlier


def _create(
    account: str, kind: str, payload: dict[str, Any], issued_by: str, idempotency_key: str, ttl_seconds: float
) -> Command:
    with transaction.atomic():
        command = Command.objects.create(
            id=_ids.uuid(),
            account=account,
            kind=kind,
            payload=payload,
            issued_by=issued_by,
            idempotency_key=idempotency_key,
            expires_at=datetime.fromtimestamp(_clock.now_ns() / 1e9, UTC) + timedelta(seconds=ttl_seconds),
        )
        AuditLog.objects.create(
            event=f"command_{kind}", account=account, detail={"command": str(command.id), "by": issued_by, **payload}
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(command.id)])
    return command


def wait(command: Command, *, timeout: float) -> Command:
    """Return the command once the trader has answered, or as it is after `timeout` seconds."""
    deadline = _clock.monotonic() + timeout
    while command.status == CommandStatus.PENDING and _clock.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        command.refresh_from_db()
    return command
