"""A world as bytes and back: a pickle that may name nothing but the simulator's own classes.

The exchange core brings its own dump. `layout` fingerprints the fields of every class that can occur, so that a state written by another
version of polybot is refused by name instead of being read askew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import pickle
import sys
from typing import Any

import msgspec

from venues.exchange import Exchange
from venues.simulator.state_log import ANEW, StateLogError
from venues.simulator.world.world import World

_ROOMS = {
    "agents": "cast informed market_makers rival_makers takers",
    "chain": "accounts approvals blocks chain events pool relays scratch transactions",
    "rewards": "liquidity rebates terms",
    "world": "fair_value floor heartbeats history indexer ledger lifecycle listings misfortunes mode_changes modes notice_board notices "
    "order_entry positions price_history schedule settlement universe wallets world",
}
_STATE_MODULES = frozenset(
    {
        "domain.fees",
        "domain.fill",
        "domain.market",
        "domain.order",
        "venues.exchange.events",
        *(f"venues.simulator.{room}.{name}" for room, names in _ROOMS.items() for name in names.split()),
    }
)
"""Where the classes of a state live; thawing knows no others of ours."""

_FOREIGN = frozenset(
    {
        ("builtins", "getattr"),
        ("builtins", "set"),
        ("collections", "Counter"),
        ("collections", "deque"),
        # how keyword-only structs come back
        ("msgspec._utils", "rebuild"),
        ("random", "Random"),
    }
)


_UNREADABLE = (
    pickle.UnpicklingError,
    msgspec.MsgspecError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    TypeError,
    ValueError,
)


def freeze(world: World) -> bytes:
    """Return the whole state of `world`."""
    stream = io.BytesIO()
    _Pickler(stream, protocol=pickle.HIGHEST_PROTOCOL).dump(world)
    return stream.getvalue()


def thaw(state: bytes) -> World:
    """Return the world that `freeze` saw. Raises `StateLogError` when the bytes are anything else."""
    try:
        world = _Unpickler(io.BytesIO(state)).load()
    except _UNREADABLE as error:
        raise StateLogError(f"the venue's snapshot cannot be read ({error}); {ANEW}") from error
    if not isinstance(world, World):
        raise StateLogError(f"the venue's snapshot holds no venue; {ANEW}")
    return world


def layout() -> str:
    """Return a fingerprint of the classes a state is made of."""
    shapes = sorted(
        f"{name}.{kind.__qualname__}:{','.join(_fields(kind))}"
        for name in (*_STATE_MODULES, *(name for name in list(sys.modules) if name.startswith("venues.exchange.")))
        for kind in vars(sys.modules[name]).values()
        if isinstance(kind, type) and kind.__module__ == name
    )
    return hashlib.sha256("\n".join(shapes).encode()).hexdigest()


def _fields(kind: type) -> list[str]:
    if dataclasses.is_dataclass(kind):
        return [field.name for field in dataclasses.fields(kind)]
    if issubclass(kind, msgspec.Struct):
        return list(kind.__struct_fields__)
    # A plain class has the attributes that its `__init__` sets; every name that it uses stands for them.
    made = getattr(kind.__init__, "__code__", None)
    return sorted({*getattr(kind, "__slots__", ()), *(made.co_names if made is not None else ())})


class _Pickler(pickle.Pickler):
    _dump: bytes | None = None

    def persistent_id(self, obj: Any) -> bytes | None:
        # One world has one exchange, named by several of its parts.
        if isinstance(obj, Exchange):
            self._dump = self._dump or obj.dump()
            return self._dump
        return None


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self._exchange: Exchange | None = None

    def persistent_load(self, pid: Any) -> Exchange:
        if self._exchange is None:
            self._exchange = Exchange.load(pid)
        return self._exchange

    def find_class(self, module_name: str, global_name: str) -> Any:
        if module_name in _STATE_MODULES or (module_name, global_name) in _FOREIGN:
            return super().find_class(module_name, global_name)
        raise pickle.UnpicklingError(f"it names {module_name}.{global_name}")
