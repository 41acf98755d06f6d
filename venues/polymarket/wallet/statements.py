"""What the owner of a wallet signs to move its money: a deposit wallet's batch, a Safe's or a proxy's transaction, a plain wallet's own.

Each holds the calls themselves and makes the signed bytes from them, so that whoever signs can judge every call. Sums of money besides the calls' own
are always 0. The encoders are imported when they are needed: a trader that only names these types must start fast.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

from venues.polymarket.eip712 import address_bytes, keccak
from venues.polymarket.wallet.contracts import PROXY_FACTORY, SAFE_MULTISEND
from venues.polymarket.wallet.relay_signing import RawCall, batch_digest, personal_digest, proxy_digest, safe_digest

_CALL, _DELEGATE_CALL = 0, 1

Number = Annotated[int, Meta(ge=0)]


class SignedCall(NamedTuple):
    """What is signed of a contract call."""

    target: str
    data: bytes


def signed_calls(calls: Iterable[RawCall]) -> tuple[SignedCall, ...]:
    """Return what is signed of `calls`."""
    return tuple(SignedCall(call.target, call.data) for call in calls)


class DepositBatch(Struct, frozen=True, dict=True, tag="deposit_batch", forbid_unknown_fields=True):
    """A batch of a deposit wallet; `deadline` is Unix seconds."""

    wallet: str
    nonce: Number
    deadline: Number
    calls: tuple[SignedCall, ...]
    chain_id: int

    @cached_property
    def digest(self) -> bytes:
        return batch_digest(self.wallet, self.nonce, self.deadline, self.calls, self.chain_id)


class SafeBatch(Struct, frozen=True, dict=True, tag="safe_batch", forbid_unknown_fields=True):
    """A Safe's transaction: one call as it is, several through MultiSend."""

    wallet: str
    nonce: Number
    calls: tuple[SignedCall, ...]
    chain_id: int

    @property
    def to(self) -> str:
        return self.calls[0].target if len(self.calls) == 1 else SAFE_MULTISEND.address

    @cached_property
    def data(self) -> bytes:
        if len(self.calls) == 1:
            return self.calls[0].data
        from venues.polymarket.wallet.calls import safe_batch

        return safe_batch(self.calls)

    @property
    def operation(self) -> int:
        return _CALL if len(self.calls) == 1 else _DELEGATE_CALL

    @cached_property
    def digest(self) -> bytes:
        return personal_digest(safe_digest(self.wallet, self.to, self.data, self.operation, self.nonce, self.chain_id))


class ProxyBatch(Struct, frozen=True, dict=True, tag="proxy_batch", forbid_unknown_fields=True):
    """Calls that the relay hub makes an owner's proxy carry out. The hub exists on one chain only: none is named."""

    owner: str
    nonce: Number
    calls: tuple[SignedCall, ...]
    gas_limit: Number
    relay: str

    @cached_property
    def data(self) -> bytes:
        from venues.polymarket.wallet.calls import proxy_batch

        return proxy_batch(self.calls)

    @cached_property
    def digest(self) -> bytes:
        return personal_digest(
            proxy_digest(
                self.owner, PROXY_FACTORY, self.data, gas_limit=self.gas_limit, nonce=self.nonce, relay=self.relay
            )
        )


class PlainTransaction(Struct, frozen=True, dict=True, tag="plain_transaction", forbid_unknown_fields=True):
    """A transaction of the key's own address, for one chain only (EIP-155). `gas_price` is wei."""

    nonce: Number
    gas_price: Number
    gas: Number
    call: SignedCall
    chain_id: int

    @cached_property
    def digest(self) -> bytes:
        return keccak(self._encoded(self.chain_id, 0, 0))

    def signed(self, signature: bytes) -> bytes:
        """Return the bytes that leave."""
        r, s = (int.from_bytes(signature[start : start + 32], "big") for start in (0, 32))
        return self._encoded(signature[64] - 27 + 35 + 2 * self.chain_id, r, s)

    def _encoded(self, v: int, r: int, s: int) -> bytes:
        import rlp

        fields = [self.nonce, self.gas_price, self.gas, address_bytes(self.call.target), 0, self.call.data]
        encoded: bytes = rlp.encode([*fields, v, r, s])
        return encoded
