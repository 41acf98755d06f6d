"""Markets, books and public prices as protobuf. Books travel as packed parallel arrays, best level first (docs/adr/ explains why).

Market and group are exact both ways; book messages carry display values. Reading a malformed message raises `MappingError`.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.fees import FeeSchedule
from domain.market import ConditionGroup, Market, MarketStatus
from domain.money import to_float
from domain.order import OrderSide
from proto.mapping import SIDES
from proto.polybot.v1 import market_pb2, orderbook_pb2
from proto.values import EnumPair, MappingError, nanoseconds, timestamp

MARKET_STATUSES = EnumPair(MarketStatus, market_pb2.MarketStatus, "MARKET_STATUS")

Levels = tuple[Sequence[float], Sequence[float]]
"""Prices and, at the same index, sizes; the best level first."""


def market_to_proto(market: Market) -> market_pb2.Market:
    return market_pb2.Market(
        id=market.id,
        venue=market.venue,
        question=market.question,
        slug=market.slug,
        condition_id=market.condition_id,
        tokens=[
            market_pb2.TokenPair(token_id=token, outcome=outcome)
            for token, outcome in zip(market.token_ids, market.outcomes, strict=True)
        ],
        tick_micros=market.tick,
        min_size_micros=market.min_size,
        neg_risk=market.neg_risk,
        status=MARKET_STATUSES.to_proto(market.status),
        accepting_orders=market.accepting_orders,
        fees=market_pb2.FeeSchedule(
            rate_micros=market.fees.rate,
            exponent=market.fees.exponent,
            taker_only=market.fees.taker_only,
            rebate_micros=market.fees.rebate,
        ),
        category=market.category,
        group_id=market.group_id,
        volume_micros=market.volume,
        volume_24h_micros=market.volume_24h,
        taker_delay_ms=market.taker_delay_ms,
        rules_hash=market.rules_hash,
        end_at=timestamp(market.end_ns),
        created_at=timestamp(market.created_ns),
        closed_at=timestamp(market.closed_ns),
        winner=market.winner,
    )


def market_from_proto(message: market_pb2.Market) -> Market:
    if len(message.tokens) != 2:
        raise MappingError(f"market {message.id} came with {len(message.tokens)} tokens, expected 2")
    first, second = message.tokens
    return Market(
        id=message.id,
        venue=message.venue,
        question=message.question,
        slug=message.slug,
        condition_id=message.condition_id,
        token_ids=(first.token_id, second.token_id),
        outcomes=(first.outcome, second.outcome),
        tick=message.tick_micros,
        min_size=message.min_size_micros,
        neg_risk=message.neg_risk,
        status=MARKET_STATUSES.from_proto(message.status),
        accepting_orders=message.accepting_orders,
        fees=FeeSchedule(
            rate=message.fees.rate_micros,
            exponent=message.fees.exponent,
            taker_only=message.fees.taker_only,
            rebate=message.fees.rebate_micros,
        ),
        category=message.category,
        group_id=message.group_id if message.HasField("group_id") else None,
        volume=message.volume_micros,
        volume_24h=message.volume_24h_micros,
        taker_delay_ms=message.taker_delay_ms,
        rules_hash=message.rules_hash,
        end_ns=nanoseconds(message, "end_at") if message.HasField("end_at") else None,
        created_ns=nanoseconds(message, "created_at") if message.HasField("created_at") else None,
        closed_ns=nanoseconds(message, "closed_at") if message.HasField("closed_at") else None,
        winner=message.winner if message.HasField("winner") else None,
    )


def group_to_proto(group: ConditionGroup) -> market_pb2.ConditionGroup:
    return market_pb2.ConditionGroup(
        id=group.id,
        title=group.title,
        market_ids=group.market_ids,
        status=MARKET_STATUSES.to_proto(group.status),
        exclusive=group.exclusive,
        augmented=group.augmented,
        category=group.category,
    )


def group_from_proto(message: market_pb2.ConditionGroup) -> ConditionGroup:
    return ConditionGroup(
        id=message.id,
        title=message.title,
        market_ids=tuple(message.market_ids),
        status=MARKET_STATUSES.from_proto(message.status),
        exclusive=message.exclusive,
        augmented=message.augmented,
        category=message.category,
    )


def snapshot_to_proto(
    *, asset_id: str, market_id: str, tick: int, bids: Levels, asks: Levels, version: int, at_ns: int
) -> orderbook_pb2.OrderbookSnapshot:
    """Return a whole book. `tick` is micro-units, prices are dollars, sizes shares; see the .proto file for `version`."""
    best_bid = bids[0][0] if bids[0] else 0.0
    best_ask = asks[0][0] if asks[0] else 0.0
    return orderbook_pb2.OrderbookSnapshot(
        asset_id=asset_id,
        market_id=market_id,
        tick_size=to_float(tick),
        bid_prices=bids[0],
        bid_sizes=bids[1],
        ask_prices=asks[0],
        ask_sizes=asks[1],
        best_bid=best_bid,
        best_ask=best_ask,
        mid_price=_mid(best_bid, best_ask),
        version=version,
        timestamp=timestamp(at_ns),
    )


def change_to_proto(
    *, asset_id: str, bids: Levels, asks: Levels, version: int, at_ns: int
) -> orderbook_pb2.PriceChange:
    """Return the levels of one book that changed together, with their new absolute sizes (0 removes)."""
    return orderbook_pb2.PriceChange(
        asset_id=asset_id,
        bid_prices=bids[0],
        bid_sizes=bids[1],
        ask_prices=asks[0],
        ask_sizes=asks[1],
        version=version,
        timestamp=timestamp(at_ns),
    )


def levels_from_proto(message: orderbook_pb2.OrderbookSnapshot | orderbook_pb2.PriceChange) -> tuple[Levels, Levels]:
    """Return (bids, asks) of a book message as written here; `MappingError` when prices and sizes do not pair up."""
    pairs = (message.bid_prices, message.bid_sizes), (message.ask_prices, message.ask_sizes)
    for prices, sizes in pairs:
        if len(prices) != len(sizes):
            raise MappingError(f"book {message.asset_id} came with {len(prices)} prices and {len(sizes)} sizes")
    (bid_prices, bid_sizes), (ask_prices, ask_sizes) = pairs
    return (list(bid_prices), list(bid_sizes)), (list(ask_prices), list(ask_sizes))


def bbo_to_proto(
    *, asset_id: str, best_bid: float, bid_size: float, best_ask: float, ask_size: float, at_ns: int
) -> orderbook_pb2.BBO:
    """Return the best bid and offer; price and size of an empty side are 0."""
    return orderbook_pb2.BBO(
        asset_id=asset_id,
        best_bid=best_bid,
        bid_size=bid_size,
        best_ask=best_ask,
        ask_size=ask_size,
        mid_price=_mid(best_bid, best_ask),
        timestamp=timestamp(at_ns),
    )


def last_trade_to_proto(
    *, asset_id: str, price: int, size: int, side: OrderSide, at_ns: int
) -> orderbook_pb2.LastTradePrice:
    """Return a public trade; `price` and `size` are micro-units, `side` is the taker's."""
    return orderbook_pb2.LastTradePrice(
        asset_id=asset_id,
        price=to_float(price),
        size=to_float(size),
        side=SIDES.to_proto(side),
        timestamp=timestamp(at_ns),
    )


def _mid(bid: float, ask: float) -> float:
    return (bid + ask) / 2 if bid and ask else 0.0
