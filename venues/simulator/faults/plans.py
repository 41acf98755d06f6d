"""Reads plans of faults and checks that their parts fit each other. What does not is a `FaultError` that says where, and the remedy."""

from __future__ import annotations

from typing import Any

import msgspec

from domain.fill import FILL_TRANSITIONS, FillStatus
from venues.simulator.faults.answers import ANSWERS
from venues.simulator.faults.model import (
    Answer,
    Edit,
    Fault,
    FaultError,
    FrameKind,
    Inject,
    Kind,
    Plan,
    RequestKind,
    Settle,
    VenueKind,
    When,
    Where,
)
from venues.simulator.http import UNREADABLE


def read_plan(data: bytes) -> Plan:
    """Decode a plan. Raises `FaultError`."""
    try:
        plan = msgspec.json.decode(data, type=Plan)
    except UNREADABLE as error:
        raise FaultError(
            f'{error}; expected {{"faults": [{{"do": {{"kind": …}}, "where": {{…}}, "when": {{…}}}}]}}, '
            "as GET /admin/faults/schema describes it"
        ) from None
    for fault in plan.faults:
        check(fault)
    return plan


def schema() -> dict[str, Any]:
    """Return the JSON schema of a plan."""
    return msgspec.json.schema(Plan)


def check(fault: Fault) -> None:
    """Check that the parts of a fault fit each other. Raises `FaultError`."""
    do, where, when = fault.do, fault.where, fault.when
    if where.path and not where.path.startswith("/"):
        raise FaultError(f'where.path was {where.path!r}; begin it with /, as in "/order" or "/data/*"')
    if isinstance(do, Settle):
        _only(fault, "wallet", "market")
    elif isinstance(do, VenueKind):
        if not where.method and not where.path and when != When(after=when.after):
            raise FaultError(
                f"{fault.kind} happens once, when.after seconds from now; name where.path to let requests bring it about"
            )
        if where.event:
            raise FaultError(f"{fault.kind} strikes no frames; leave out where.event")
    elif where.channel:
        if not isinstance(do, FrameKind):
            raise FaultError(f"{fault.kind} strikes requests; leave out where.channel")
        _only(fault, "channel", "event", "wallet", "market")
    else:
        if not isinstance(do, RequestKind):
            raise FaultError(f'{fault.kind} strikes frames; set where.channel to "market" or "user"')
        _only(fault, "method", "path", "wallet", "market")
    _check_kind(do)


def _only(fault: Fault, *fields: str) -> None:
    odd = [name for name in Where.__struct_fields__ if name not in fields and getattr(fault.where, name)]
    if odd:
        raise FaultError(f"{fault.kind} is not chosen by where.{odd[0]}; it knows {', '.join(fields)}")


def _check_kind(do: Kind) -> None:
    if isinstance(do, Answer):
        if do.name and do.name not in ANSWERS:
            raise FaultError(f"no answer is named {do.name!r}; there are {', '.join(ANSWERS)}")
        if not do.name and do.status is None:
            raise FaultError(f"an answer needs a status, or one of these names: {', '.join(ANSWERS)}")
    elif isinstance(do, Edit) and not do.values:
        raise FaultError('an edit needs values, as in {"values": {"size": "-5"}}')
    elif isinstance(do, Settle):
        _check_steps(do)
    elif isinstance(do, Inject) and (do.frame is None) is (do.text is None):
        raise FaultError("inject needs either a frame or a text")


def _check_steps(do: Settle) -> None:
    """Check that a trade can take these steps in this order."""
    status, before = FillStatus.MATCHED, 0.0
    for seconds, name in do.steps:
        wanted = FillStatus[name]
        if status.terminal or wanted not in FILL_TRANSITIONS[status]:
            raise FaultError(f"a {status.name} trade cannot become {name}; leave that step out")
        if seconds < before:
            raise FaultError(f"the step to {name} must come later than the one before it")
        status, before = wanted, seconds
