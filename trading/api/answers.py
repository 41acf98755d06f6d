"""How a command becomes an answer: wait for the trader, then say what it said.

done → 200, still pending → 202 (ask again at /api/commands/<id>), refused or expired → 409 with the trader's reason.
"""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from infra.clock import SystemClock
from trading.api.account import account_to_command
from trading.api.serializers import CommandSerializer
from trading.commands import issue, stand_in, wait
from trading.models import Command, CommandStatus
from trading.row_write import to_ns

WAIT_SECONDS = 3.0
ORDER_TTL = 10.0
PROTECTION_TTL = 86_400.0
"""A halt or a cancellation of everything is carried out even if the trader only comes back tomorrow."""

_clock = SystemClock()


class KeyUsedError(APIException):
    status_code = 409
    default_code = "idempotency_key_used"
    fix = "Use a new Idempotency-Key for a new command."


def carry_out(request: Request, kind: str, payload: dict[str, Any], *, ttl: float = ORDER_TTL) -> Response:
    """Issue a command to the account asked for in the name of the user, wait for its end, and answer."""
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > 80:
        raise ValidationError({"Idempotency-Key": ["Expected at most 80 characters."]})
    try:
        command = issue(
            account=account_to_command(request),
            kind=kind,
            payload=payload,
            issued_by=request.user.get_username(),
            idempotency_key=f"{request.user.pk}:{key}" if key else "",
            ttl_seconds=ttl,
        )
    except ValueError as error:
        raise KeyUsedError(str(error)) from None
    return answer(wait(stand_in(command), timeout=WAIT_SECONDS))


def answer(command: Command) -> Response:
    """Answer with a command as it stands."""
    data = dict(CommandSerializer(command).data)
    if command.status == CommandStatus.DONE:
        return Response(data)
    if command.status == CommandStatus.PENDING and _clock.now_ns() < to_ns(command.expires_at):
        return Response(data, status=202)
    if command.status == CommandStatus.PENDING:
        data["status"] = CommandStatus.EXPIRED.value
    detail = str(command.result.get("detail", "no trader carried it out in time"))
    fix = command.result.get("fix") or "Correct the command and issue it again."
    return Response({"error": data["status"], "detail": detail, "fix": fix, "command": data}, status=409)
