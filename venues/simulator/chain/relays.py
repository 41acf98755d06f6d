"""Transactions the relayer took: what was asked, and how far it has come.

STATE_NEW → STATE_EXECUTED (sent, has a hash) → STATE_MINED → STATE_CONFIRMED, or STATE_FAILED (reverted) or STATE_INVALID (never sent).
The newest `KEPT` that ended are remembered, those under way always.
"""

from __future__ import annotations

import uuid
from enum import StrEnum

import msgspec
from eth_utils.crypto import keccak

KEPT = 2_000


class RelayState(StrEnum):
    NEW = "STATE_NEW"
    EXECUTED = "STATE_EXECUTED"
    MINED = "STATE_MINED"
    CONFIRMED = "STATE_CONFIRMED"
    FAILED = "STATE_FAILED"
    INVALID = "STATE_INVALID"

    @property
    def ended(self) -> bool:
        return self in (RelayState.CONFIRMED, RelayState.FAILED, RelayState.INVALID)

    @property
    def busy(self) -> bool:
        """Tell whether the wallet must wait: the transaction is not in a block yet."""
        return self in (RelayState.NEW, RelayState.EXECUTED)


class RelayCall(msgspec.Struct, frozen=True, array_like=True):
    """One call of a batch; `data` is hexadecimal, `value` wei as text."""

    target: str
    data: str
    value: str = "0"


class RelayRequest(msgspec.Struct, frozen=True, kw_only=True, tag="relay"):
    """A checked request to the relayer: `owner` signed it for `wallet`, `submitter` is the address of the key it came with.

    `kind` is WALLET, SAFE or PROXY for `calls`, WALLET-CREATE or SAFE-CREATE to deploy. `deadline` is Unix seconds (0: none).
    """

    kind: str
    owner: str
    wallet: str
    to: str
    nonce: int
    signature: str
    submitter: str
    data: str = ""
    metadata: str = ""
    value: str = "0"
    deadline: int = 0
    calls: tuple[RelayCall, ...] = ()


class Relay(msgspec.Struct, kw_only=True):
    """A request on its way."""

    id: str
    request: RelayRequest
    state: RelayState
    created_ns: int
    updated_ns: int
    transaction_hash: str = ""
    error: str = ""
    block: int = 0


class Relays:
    """All requests by id, oldest first."""

    def __init__(self, venue_id: str) -> None:
        self.by_id: dict[str, Relay] = {}
        self._venue_id = venue_id
        self._count = 0

    def add(self, request: RelayRequest, now_ns: int) -> Relay:
        """Take a request."""
        self._count += 1
        digest = keccak(text=f"{self._venue_id}/relay/{self._count}")
        relay = Relay(
            id=str(uuid.UUID(bytes=digest[:16], version=4)),
            request=request,
            state=RelayState.NEW,
            created_ns=now_ns,
            updated_ns=now_ns,
        )
        self.by_id[relay.id] = relay
        if len(self.by_id) > KEPT:
            ended = next((key for key, old in self.by_id.items() if old.state.ended), None)
            if ended is not None:
                del self.by_id[ended]
        return relay

    def move(self, relay: Relay, state: RelayState, now_ns: int, error: str = "") -> None:
        """Let a request go on."""
        relay.state, relay.updated_ns, relay.error = state, now_ns, error
        if state is RelayState.EXECUTED:
            relay.transaction_hash = "0x" + keccak(text=f"{self._venue_id}/relayed/{relay.id}").hex()

    def of_state(self, *states: RelayState) -> list[Relay]:
        """Return the requests in one of `states`, oldest first."""
        return [relay for relay in self.by_id.values() if relay.state in states]

    def busy(self, wallet: str) -> Relay | None:
        """Return the request that keeps `wallet` from taking another, None when it is free."""
        return next((one for one in self.by_id.values() if one.request.wallet == wallet and one.state.busy), None)
