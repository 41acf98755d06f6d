"""Values put into JSON by path: "orderID", "maker_orders.*.size", "0.price" (`*` is every element, of an array or an object).

A path through something that is not there changes nothing, but its last part is set also where the object had no such key.
"""

from __future__ import annotations

from typing import Any


def edit(body: Any, values: dict[str, Any]) -> Any:
    """Set `values` in `body`, in place, and return it; the path "" replaces it as a whole."""
    for path, value in values.items():
        if not path:
            body = value
        else:
            _set(body, path.split("."), value)
    return body


def _set(inside: Any, parts: list[str], value: Any) -> None:
    first, rest = parts[0], parts[1:]
    for key in _keys(inside, first, existing=bool(rest)):
        if rest:
            _set(inside[key], rest, value)
        else:
            inside[key] = value


def _keys(inside: Any, part: str, *, existing: bool) -> list[Any]:
    """Return the keys that `part` names; one that is not there yet only when it may be made."""
    if isinstance(inside, dict):
        if part == "*":
            return list(inside)
        return [part] if part in inside or not existing else []
    if isinstance(inside, list):
        if part == "*":
            return list(range(len(inside)))
        return [int(part)] if part.isdecimal() and int(part) < len(inside) else []
    return []
