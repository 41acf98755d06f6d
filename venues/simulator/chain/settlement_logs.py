"""The logs of a settled trade, in the order in which the exchange contract writes them.

One trade is one `matchOrders`: the taker's assets go to the exchange, each resting order is settled against it (token for pUSD, or a pair
minted or merged), then the taker is paid. Per order one `OrderFilled`; the taker's names the exchange as its counterpart.
"""

from __future__ import annotations

from collections.abc import Callable

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from domain.order import OrderSide
from venues.exchange.events import MakerFill, MatchKind, TradeView
from venues.simulator.chain import events
from venues.simulator.chain.abi import EventType
from venues.simulator.chain.events import Log, log
from venues.simulator.contracts import (
    CONDITIONAL_TOKENS,
    NEG_RISK_EXCHANGE,
    PUSD,
    USDC_E,
    WRAPPED_COLLATERAL,
    ZERO_ADDRESS,
    token_contract,
)

FEE_RECEIVER = to_checksum_address(keccak(text="simulated fee receiver")[-20:])
_NO_PARENT = bytes(32)
_PAIR = [1, 2]


BuilderOf = Callable[[str], bytes]
"""Order id → the builder code it was signed with (32 bytes)."""


def settlement_logs(
    trade: TradeView, exchange: str, token_ids: tuple[str, str], builder_of: BuilderOf
) -> tuple[Log, ...]:
    """Return what `matchOrders` on `exchange` writes for `trade` of the market with `token_ids`. Amounts are micro-units."""
    return tuple(_Settlement(trade, exchange, token_ids, builder_of).logs())


class _Settlement:
    def __init__(self, trade: TradeView, exchange: str, token_ids: tuple[str, str], builder_of: BuilderOf) -> None:
        self._trade = trade
        self._builder_of = builder_of
        self._exchange = exchange
        self._numbers = [int(token_id) for token_id in token_ids]
        self._tokens = token_contract(token_ids[0])
        self._backing = WRAPPED_COLLATERAL if exchange == NEG_RISK_EXCHANGE else USDC_E
        self._condition = bytes.fromhex(trade.condition_id[2:])
        self._logs: list[Log] = []

    def logs(self) -> list[Log]:
        trade, exchange = self._trade, self._exchange
        buys = trade.side is OrderSide.BUY
        if buys:
            self._cash(trade.account, exchange, trade.cash + trade.fee)
        else:
            self._token(trade.account, exchange, trade.token_id, trade.size)
        for maker in trade.makers:
            self._settle(maker)
        if trade.fee:
            self._emit(exchange, events.FEE_CHARGED, FEE_RECEIVER, trade.fee)
        if buys:
            self._token(exchange, trade.account, trade.token_id, trade.size)
        else:
            self._cash(exchange, trade.account, trade.cash - trade.fee)
        given, gotten = (trade.cash, trade.size) if buys else (trade.size, trade.cash)
        order, side, number = bytes.fromhex(trade.taker_order_id[2:]), int(not buys), int(trade.token_id)
        filled = (order, trade.account, exchange, side, number, given, gotten, trade.fee)
        self._emit(exchange, events.ORDER_FILLED, *filled, self._builder_of(trade.taker_order_id), bytes(32))
        self._emit(exchange, events.ORDERS_MATCHED, order, trade.account, side, number, given, gotten)
        if trade.fee:
            self._cash(exchange, FEE_RECEIVER, trade.fee)
        return self._logs

    def _settle(self, maker: MakerFill) -> None:
        exchange = self._exchange
        buys = maker.side is OrderSide.BUY
        if buys:
            self._cash(maker.account, exchange, maker.cash)
        else:
            self._token(maker.account, exchange, maker.token_id, maker.size)
        if maker.kind is MatchKind.MINT:
            self._cash(exchange, ZERO_ADDRESS, maker.size)
            self._pair(ZERO_ADDRESS, exchange, maker.size, events.POSITION_SPLIT)
        elif maker.kind is MatchKind.MERGE:
            self._pair(exchange, ZERO_ADDRESS, maker.size, events.POSITIONS_MERGE)
            self._cash(ZERO_ADDRESS, exchange, maker.size)
        if buys:
            self._token(exchange, maker.account, maker.token_id, maker.size)
        else:
            self._cash(exchange, maker.account, maker.cash)
        given, gotten = (maker.cash, maker.size) if buys else (maker.size, maker.cash)
        order, taker = bytes.fromhex(maker.order_id[2:]), self._trade.account
        filled = (order, maker.account, taker, int(not buys), int(maker.token_id), given, gotten, 0)
        self._emit(exchange, events.ORDER_FILLED, *filled, self._builder_of(maker.order_id), bytes(32))

    def _cash(self, source: str, target: str, amount: int) -> None:
        if amount:
            self._emit(PUSD, events.TRANSFER, source, target, amount)

    def _token(self, source: str, target: str, token_id: str, amount: int) -> None:
        values = (self._exchange, source, target, int(token_id), amount)
        self._emit(self._tokens, events.TRANSFER_SINGLE, *values)

    def _pair(self, source: str, target: str, amount: int, kind: EventType) -> None:
        values = (self._exchange, source, target, self._numbers, [amount, amount])
        self._emit(self._tokens, events.TRANSFER_BATCH, *values)
        if self._tokens != CONDITIONAL_TOKENS:
            return
        framework = (self._exchange, self._backing, _NO_PARENT, self._condition, _PAIR, amount)
        self._emit(CONDITIONAL_TOKENS, kind, *framework)

    def _emit(self, address: str, kind: EventType, *values: object) -> None:
        self._logs.append(log(address, kind, *values))
