"""A transaction as the chain keeps it, and what makes its logs: stored for calls, derived from the trade for settlements."""

from __future__ import annotations

import msgspec

from venues.exchange.events import TradeView
from venues.simulator.chain.events import Log


class Transaction(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One transaction of a block. `data` is hexadecimal, `value` and `gas_price` wei (as text: they may need more than 64 bits).

    A settlement carries its `trade` and the market's `token_ids` instead of `logs`.
    """

    hash: str
    sender: str
    to: str
    data: str = "0x"
    nonce: int = 0
    value: str = "0"
    gas: int = 500_000
    gas_price: str = "30000000000"
    gas_used: int = 210_000
    ok: bool = True
    logs: tuple[Log, ...] = ()
    trade: TradeView | None = None
    token_ids: tuple[str, str] | None = None


encode_transaction = msgspec.msgpack.Encoder().encode
decode_transaction = msgspec.msgpack.Decoder(Transaction).decode
