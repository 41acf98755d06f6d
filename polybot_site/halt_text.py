"""What became of a halt, a flattening or a resumption, as sentences for the terminal; `--json` has the figures."""

from __future__ import annotations

from typing import Any

from domain.halt import HaltScope
from trading.models import CommandStatus

_FLATTENED = {
    "flat": "everything in it that can be sold is sold",
    "given up": "not everything could be sold",
    "resumed": "selling ended when the halt was lifted",
}


def halt_lines(kind: str, scope: HaltScope, target: str, status: str, result: dict[str, Any]) -> list[str]:
    """Return the lines for a command that was not refused."""
    what = (target or "everything") if scope is HaltScope.ALL else f"{scope.value} {target}".rstrip()
    if status == CommandStatus.PENDING and "halted" not in result:
        return [f"{what}: the trader has not answered yet; it carries out the {kind} as soon as it can"]
    if kind == "resume":
        lifted = [f"the halt of {what} is lifted"] if not result.get("halted") else []
        booked = [f"{result['booked']} trades have left quarantine and are booked"] if result.get("booked") else []
        return [
            *lifted,
            *booked,
            *(f"not in the books: {each}" for each in result.get("left_out", [])),
            *_detail(result),
        ]
    lines = [f"{what} {'is' if result.get('news', True) else 'was already'} halted: nothing opens new risk there"]
    if "open_after" in result:
        lines.append(_orders(int(result["open_after"]), confirmed=bool(result.get("confirmed"))))
    if not result.get("durable", True):
        lines.append("it is not stored yet, because the database takes nothing now: see `manage.py services status`")
    if kind == "flatten" and "slices" in result:
        lines.append(
            f"{result['slices']} sales; {_FLATTENED.get(result.get('flatten', ''), 'the trader goes on selling')}"
        )
        lines += [f"kept: {position}: {why}" for position, why in result.get("waiting", {}).items()]
    return [*lines, *_detail(result)]


def _orders(left: int, *, confirmed: bool) -> str:
    if confirmed and not left:
        return "no order of it is open"
    if confirmed:
        return f"the venue lists none of its orders; how {left} of them ended is still being read"
    return "the venue has not confirmed yet that no order of it is open; the trader goes on cancelling"


def _detail(result: dict[str, Any]) -> list[str]:
    return [str(result["detail"])] if "detail" in result else []
