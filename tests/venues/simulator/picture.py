"""A world as plain data, so that two of them can be compared part by part."""

from __future__ import annotations

import dataclasses
import random
from collections import deque
from enum import Enum
from typing import Any

import msgspec

from venues.exchange import Exchange

_PLAIN = (int, float, str, bytes, bytearray, bool, type(None))


def picture(thing: Any, _seen: set[int] | None = None) -> Any:
    """Return everything that `thing` holds, in order. Services are shown once and then named, records wherever they occur."""
    seen = set[int]() if _seen is None else _seen
    if isinstance(thing, (*_PLAIN, Enum)):
        return thing
    if isinstance(thing, dict):
        return [(picture(key, seen), picture(value, seen)) for key, value in thing.items()]
    if isinstance(thing, set | frozenset):
        return sorted(map(repr, thing))
    if isinstance(thing, list | tuple | deque):
        return [picture(one, seen) for one in thing]
    if isinstance(thing, msgspec.Struct):
        names = list(thing.__struct_fields__)
    elif dataclasses.is_dataclass(thing):
        names = [field.name for field in dataclasses.fields(thing)]
    elif isinstance(thing, Exchange):
        return thing.state_hash()
    elif isinstance(thing, random.Random):
        return thing.getstate()
    elif callable(thing) or id(thing) in seen:
        return type(thing).__name__
    else:
        seen.add(id(thing))
        names = list(vars(thing))
    return (type(thing).__name__, [(name, picture(getattr(thing, name), seen)) for name in names])
