"""The market and user channels through `polymarket-client`'s asynchronous clients, while the account trades."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from polymarket.streams import MarketSpec, UserSpec

from conversation import Conversation, MismatchError, equal, expect
from setting import Market

SECONDS = 60.0


async def market_channel(talk: Conversation, client: Any, name: str, market: Market) -> None:
    """Books on subscribing, then what trading does to them."""
    with talk.call(f"{name}.subscribe", "market: books first"):
        stream = await client.subscribe(MarketSpec(asset_ids=[market.yes, market.no], custom_feature_enabled=True))
        tokens: set[str] = set()
        while tokens != {market.yes, market.no}:
            event = await _next(stream, lambda one: one.type == "book")
            equal(event.payload.condition_id, market.condition_id, "the market")
            expect(event.payload.bids and event.payload.asks, "both sides")
            tokens.add(event.payload.asset_id)
    with talk.call(f"{name}.subscribe", "market: a change", follows=True):
        event = await _next(stream, lambda one: one.type == "price_change")
        expect({change.asset_id for change in event.payload.price_changes} == tokens, "both tokens' levels")
    with talk.call(f"{name}.subscribe", "market: the best prices", follows=True):
        event = await _next(stream, lambda one: one.type == "best_bid_ask")
        expect(event.payload.best_bid < event.payload.best_ask, "a bid below the ask")
    with talk.call(f"{name}.subscribe", "market: the handle closes", follows=True):
        await stream.close()
        equal([event async for event in stream], [], "events after the close")


async def own_events(talk: Conversation, client: Any, name: str, market: Market) -> None:
    """One's own orders and trades, and the same trade on the market channel."""
    with talk.call(f"{name}.subscribe", "user and market together"):
        stream = await client.subscribe([
            MarketSpec(asset_ids=[market.yes]), UserSpec(markets=[market.condition_id]),
        ])  # fmt: skip
        await _next(stream, lambda one: one.type == "book")
    with talk.call(f"{name}.subscribe", "user: placement", follows=True):
        resting = await client.place_limit_order(asset_id=market.yes, price="0.02", size=10, side="BUY")
        event = await _next(stream, lambda one: one.topic == "user" and one.payload.id == resting.order_id)
        shown = (
            event.payload.order_event_type,
            event.payload.price,
            event.payload.original_size,
            event.payload.size_matched,
        )
        equal(shown, ("PLACEMENT", Decimal("0.02"), Decimal(10), Decimal(0)), "the event")
    with talk.call(f"{name}.subscribe", "user: cancellation", follows=True):
        await client.cancel_order(order_id=resting.order_id)
        event = await _next(stream, lambda one: one.topic == "user" and one.payload.id == resting.order_id)
        equal(event.payload.order_event_type, "CANCELLATION", "the event")
    with talk.call(f"{name}.subscribe", "user and market: a trade", follows=True):
        worst = await client.get_price(asset_id=market.yes, side="SELL") + Decimal("0.05")
        bought = await client.place_market_order(asset_id=market.yes, side="BUY", amount=5, max_price=worst)
        trade_id = bought.trade_ids[0]
        # Some frames of a trade lack their event type, at the venue too; the SDK drops those, so only the first is sure.
        seen: list[str] = []
        printed = False
        while not (seen and printed):
            event = await _next(stream, lambda _: True)
            if event.type == "last_trade_price":
                printed = True
            elif event.topic == "user" and event.payload.id == trade_id:
                equal((event.payload.trader_side, event.payload.taker_order_id), ("TAKER", bought.order_id), "whose")
                seen.append(event.payload.status)
        equal(seen[0], "MATCHED", "the first status")
    with talk.call(f"{name}.subscribe", "the handle closes", follows=True):
        await stream.close()


async def _next(stream: Any, fits: Callable[[Any], bool]) -> Any:
    """Return the next event that fits."""

    async def search() -> Any:
        async for event in stream:
            if fits(event):
                return event
        raise MismatchError("the stream ended")

    try:
        return await asyncio.wait_for(search(), SECONDS)
    except TimeoutError:
        raise MismatchError(f"no such event within {SECONDS:g} s") from None
