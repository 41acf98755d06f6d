"""Every domain value survives the way through encoded protobuf and back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.order import OrderSide
from proto import arbitrage_mapping, mapping, market_mapping, status_mapping
from proto.polybot.v1 import order_pb2, orderbook_pb2, trade_pb2
from proto.values import MappingError
from tests.proto import strategies as build

floats = st.floats(0, 1e9)
sides_of_a_book = st.lists(st.tuples(floats, floats), max_size=30).map(
    lambda levels: ([price for price, _ in levels], [size for _, size in levels])
)


def through_bytes(message):
    return type(message).FromString(message.SerializeToString())


@given(build.markets)
def test_a_market_survives(market):
    assert market_mapping.market_from_proto(through_bytes(market_mapping.market_to_proto(market))) == market


@given(build.groups)
def test_a_condition_group_survives(group):
    assert market_mapping.group_from_proto(through_bytes(market_mapping.group_to_proto(group))) == group


@given(build.fills)
def test_a_fill_survives(fill):
    assert mapping.fill_from_proto(through_bytes(mapping.fill_to_proto(fill))) == fill


@given(build.arb_executions, st.lists(build.arb_legs, max_size=15))
def test_an_arbitrage_execution_survives_with_its_legs(execution, legs):
    legs = tuple(replace(leg, execution_id=execution.id, account=execution.account) for leg in legs)
    message = through_bytes(arbitrage_mapping.execution_to_proto(execution, legs))
    assert arbitrage_mapping.execution_from_proto(message) == (execution, legs)


@given(build.positions)
def test_a_position_survives(position):
    assert mapping.position_from_proto(through_bytes(mapping.position_to_proto(position))) == position


@given(build.signals, build.texts)
def test_a_signal_survives_and_carries_its_decision(signal, decision):
    message = through_bytes(mapping.signal_to_proto(signal, decision, "paper:a"))
    assert mapping.signal_from_proto(message, signal.market) == signal
    assert (message.decision, message.account) == (decision, "paper:a")
    assert message.market_id == signal.market.id


@given(build.orders, build.order_states)
def test_an_order_result_carries_the_decision_and_the_state_but_no_signed_bytes(order, state):
    message = through_bytes(mapping.order_result_to_proto(order, state))
    back = mapping.order_state_from_proto(message)
    assert (back.status, back.filled, back.reason, back.updated_ns) == (
        state.status,
        state.filled,
        state.reason,
        state.updated_ns,
    )
    draft = order.draft
    assert back.order_id == message.order.id == order.id
    assert (message.order.account, message.order.market_id, message.order.token_id) == (
        draft.account,
        draft.market.id,
        draft.token_id,
    )
    assert (message.order.price_micros, message.order.size_micros) == (draft.price, draft.size)
    assert mapping.SIDES.from_proto(message.order.side) is draft.side
    assert mapping.ORDER_TYPES.from_proto(message.order.type) is draft.order_type
    assert mapping.EFFECTS.from_proto(message.order.effect) is draft.effect
    assert message.order.HasField("take_profit_micros") == (draft.take_profit is not None)
    assert message.order.HasField("expires_at") == (draft.expires_ns is not None)


@given(build.trader_statuses)
def test_the_status_survives(status):
    assert status_mapping.status_from_proto(through_bytes(status_mapping.status_to_proto(status))) == status


@given(build.strategy_infos)
def test_what_a_strategy_does_survives(info):
    message = through_bytes(status_mapping.strategy_to_proto(info, "paper:a"))
    assert status_mapping.strategy_from_proto(message) == info
    assert message.account == "paper:a"


@given(sides_of_a_book, sides_of_a_book, build.instants)
def test_the_levels_of_a_book_survive(bids, asks, at_ns):
    snapshot = market_mapping.snapshot_to_proto(
        asset_id="1", market_id="m", tick=10_000, bids=bids, asks=asks, version=7, at_ns=at_ns
    )
    change = market_mapping.change_to_proto(asset_id="1", bids=bids, asks=asks, version=8, at_ns=at_ns)
    assert market_mapping.levels_from_proto(through_bytes(snapshot)) == (bids, asks)
    assert market_mapping.levels_from_proto(through_bytes(change)) == (bids, asks)


def test_a_snapshot_names_the_best_prices_and_no_middle_of_a_one_sided_book():
    both = market_mapping.snapshot_to_proto(
        asset_id="1", market_id="m", tick=10_000, bids=([0.5], [1.0]), asks=([0.6], [2.0]), version=1, at_ns=0
    )
    bids_only = market_mapping.snapshot_to_proto(
        asset_id="1", market_id="m", tick=10_000, bids=([0.5], [1.0]), asks=([], []), version=1, at_ns=0
    )
    assert (both.best_bid, both.best_ask, both.mid_price, both.tick_size) == (0.5, 0.6, 0.55, 0.01)
    assert (bids_only.best_bid, bids_only.best_ask, bids_only.mid_price) == (0.5, 0.0, 0.0)


def test_a_public_trade_is_shown_in_dollars_and_shares_with_the_takers_side():
    trade = market_mapping.last_trade_to_proto(
        asset_id="1", price=520_000, size=10_000_000, side=OrderSide.SELL, at_ns=1
    )
    assert (trade.price, trade.size, trade.side) == (0.52, 10.0, order_pb2.ORDER_SIDE_SELL)


def test_a_best_bid_and_offer_has_a_middle_only_with_both_sides():
    sides = {"asset_id": "1", "best_bid": 0.4, "bid_size": 5.0, "ask_size": 0.0, "at_ns": 1}
    assert market_mapping.bbo_to_proto(best_ask=0.0, **sides).mid_price == 0
    assert market_mapping.bbo_to_proto(best_ask=0.6, **sides).mid_price == 0.5


def test_an_unknown_enum_value_is_refused():
    fill = trade_pb2.Fill(side=99)
    with pytest.raises(MappingError, match="OrderSide was number 99"):
        mapping.fill_from_proto(fill)


def test_an_empty_message_is_refused_instead_of_filled_with_defaults():
    with pytest.raises(MappingError):
        mapping.order_state_from_proto(order_pb2.OrderResult())
    with pytest.raises(MappingError, match="0 tokens"):
        market_mapping.market_from_proto(market_mapping.market_pb2.Market())


def test_a_missing_time_is_named():
    message = order_pb2.OrderResult(status=order_pb2.ORDER_STATUS_LIVE)
    with pytest.raises(MappingError, match="without updated_at"):
        mapping.order_state_from_proto(message)


def test_prices_without_their_sizes_are_refused():
    with pytest.raises(MappingError, match="1 prices and 0 sizes"):
        market_mapping.levels_from_proto(orderbook_pb2.PriceChange(bid_prices=[0.5]))
