"""Commands to the trader: an operator's wish becomes a durable row, and PostgreSQL wakes the trader when it is committed.

The trader alone acts (`trading.inbox`). A command expires (10 s for orders), by PostgreSQL's clock, because the site's and the trader's may differ.
It carries an optional idempotency key: issuing the same key again returns the first command. Every command belongs to one account and is audited with
the name of who issued it. Kinds and payloads:

    place       {market_id, token_id, side, price, size, order_type, post_only, effect}   decimal texts
    cancel      {order_id}
    cancel_all  {}
    halt        {scope, target, reason}
    flatten     {scope, target, reason, max_slippage}   halts, then sells what the scope holds
    resume      {scope, target}
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from domain.halt import HaltScope
from infra.clock import SystemClock
from infra.ids import RandomIds
from trading.halt_targets import missing
from trading.inbox import CHANNEL
from trading.models import AuditLog, Command, CommandStatus, Halt, Lease
from trading.quarantine import said
from trading.store import quarantine

KINDS = frozenset({"place", "cancel", "cancel_all", "halt", "flatten", "resume"})
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
            expires_at=Now() + timedelta(seconds=ttl_seconds),
        )
        AuditLog.objects.create(
            event=f"command_{kind}", account=account, detail={"command": str(command.id), "by": issued_by, **payload}
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(command.id)])
    command.refresh_from_db()
    return command


def wait(command: Command, *, timeout: float) -> Command:
    """Return the command once the trader has answered, or as it is after `timeout` seconds."""
    deadline = _clock.monotonic() + timeout
    while command.status == CommandStatus.PENDING and _clock.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
        command.refresh_from_db()
    return command


def stand_in(command: Command) -> Command:
    """Set or lift a halt in the name of a trader that does not run, so that its next start begins that way; otherwise change nothing.

    A trader runs while its lease does. Taking the lease's epoch forward keeps one that only slept from going on without having read the halt.
    A flattening stays pending: the positions are sold when the trader starts, unless its halt is lifted before.
    """
    if command.kind not in ("halt", "flatten", "resume"):
        return command
    with transaction.atomic():
        lease = Lease.objects.select_for_update().filter(account=command.account, expires_at__lt=Now()).first()
        if lease is None or not Command.objects.filter(pk=command.pk, status=CommandStatus.PENDING).exists():
            return command
        lease.epoch += 1
        lease.save(update_fields=["epoch"])
        done = _lift(command) if command.kind == "resume" else _set(command)
        if command.kind == "flatten" and "halted" in done:
            Command.objects.filter(pk=command.pk).update(result=done)
        else:
            status = CommandStatus.DONE if "halted" in done else CommandStatus.REFUSED
            Command.objects.filter(pk=command.pk).update(status=status, result=done, finished_at=Now())
    command.refresh_from_db()
    return command


_NO_TRADER = "no trader runs; the next start begins this way"


def _set(command: Command) -> dict[str, Any]:
    scope, target, reason = (str(command.payload.get(name) or "") for name in ("scope", "target", "reason"))
    if wrong := missing(command.account, scope, target):
        return {"detail": wrong}
    _, news = Halt.objects.get_or_create(
        account=command.account,
        scope=scope or HaltScope.ALL.value,
        target=target,
        lifted_at=None,
        defaults={"reason": reason or "ordered", "set_by": command.issued_by, "set_at": _now()},
    )
    _audit_halt("halt_set", command)
    return {"halted": True, "news": news, "detail": _NO_TRADER}


def _lift(command: Command) -> dict[str, Any]:
    scope, target = str(command.payload.get("scope") or HaltScope.ALL.value), str(command.payload.get("target") or "")
    active = Halt.objects.filter(account=command.account, scope=scope, target=target, lifted_at=None)
    held = [each.trade for each in quarantine(command.account) if each.trade.market_id == target]
    left_out = (
        [f"{said(trade)}; the next start looks at it again" for trade in held] if scope == HaltScope.MARKET else []
    )
    if not active.update(lifted_by=command.issued_by, lifted_at=_now()):
        return {"detail": f"nothing is halted for {scope} {target}".rstrip()}
    flattenings = Command.objects.filter(account=command.account, kind="flatten", status=CommandStatus.PENDING)
    called_off = {"detail": f"its halt was lifted by {command.issued_by} before the trader started"}
    flattenings.filter(payload__scope=scope, payload__target=target).update(
        status=CommandStatus.REFUSED, result=called_off, finished_at=Now()
    )
    _audit_halt("halt_lifted", command)
    result = {"halted": False, "detail": _NO_TRADER}
    return result | {"left_out": left_out} if left_out else result


def _audit_halt(event: str, command: Command) -> None:
    detail = {"by": command.issued_by, "command": str(command.id), "trader": "not running", **command.payload}
    AuditLog.objects.create(event=event, account=command.account, detail=detail)


def _now() -> datetime:
    return datetime.fromtimestamp(_clock.now_ns() // 1000 / 1e6, UTC)
