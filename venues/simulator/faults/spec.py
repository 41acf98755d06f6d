"""Faults as text: the argument of `--faults` read, and what is armed told in lines for a person."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from venues.simulator.faults.mixes import MIXES
from venues.simulator.faults.model import FaultError, Plan
from venues.simulator.faults.plans import read_plan


def load_plan(text: str) -> Plan:
    """Return the plan that `text` is or names: a mix, JSON, or a file of JSON. Raises `FaultError`."""
    if text in MIXES:
        return Plan(mix=text)
    if text.lstrip().startswith("{"):
        return read_plan(text.encode())
    try:
        return read_plan(Path(text).read_bytes())
    except OSError as error:
        raise FaultError(
            f"{text!r} is no file that can be read ({error.strerror}), no JSON object and no mix ({', '.join(MIXES)})"
        ) from None


def lines(armed: Iterable[dict[str, Any]]) -> list[str]:
    """Return one line for each armed fault of a view: its name, what, where and when, and how often it struck."""
    return [_line(view) for view in msgspec.to_builtins(list(armed))]


def _line(view: dict[str, Any]) -> str:
    fault = view["fault"]
    where, when = _said(fault.get("where", {})) or "anywhere", _said(fault.get("when", {})) or "once"
    state = "over" if view["over"] else "armed"
    return f"{view['name']}: {_said(fault['do'])}, {where}, {when} · {state}, struck {view['struck']} of {view['seen']} seen"


def _said(part: dict[str, Any]) -> str:
    return " ".join(str(value) if key == "kind" else f"{key}={value}" for key, value in part.items())
