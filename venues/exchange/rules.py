"""What an order must be to be taken: the venue's checks in the venue's words. Pure; a check returns what it found or the refusal.

Order of checks: book exists, id is new, market takes orders, amounts are sane, flags and expiration fit the type, decimals and tick, minimum
size; then, knowing whether it would match at once, post-only and the one-dollar minimum of marketable buys; then the balance.
The minimum size counts for every order type, in shares.
"""

from __future__ import annotations

from typing import NamedTuple

from domain.market import Market
from domain.money import CENT, MICRO, floor_to, format_micros
from domain.order import OrderSide, OrderType
from domain.ticks import SIZE_STEP, TickSize
from venues.exchange.commands import PlaceOrder
from venues.exchange.events import RefusalCode
from venues.exchange.state import SECOND_NS

GTD_MIN_LIFE_S = 180
GTD_TRANSIT_S = 5
"""A client adds the least life of a GTD order to its own clock; this much may pass on the way."""

MARKETABLE_BUY_MIN = MICRO
MAX_AMOUNT = 10**15
MAX_EXPIRATION_S = 10**10
_FOUR_DECIMALS = 100
_ROUNDING_PARTS = 100
"""Amounts that miss a grid price by less than this part of a tick were meant for it."""


class Refusal(NamedTuple):
    code: RefusalCode
    text: str


NO_ORDERBOOK = Refusal(RefusalCode.NO_ORDERBOOK, "No orderbook exists for the requested token id")


def check_order(command: PlaceOrder, market: Market, known: bool, now_ns: int) -> Refusal | int:
    """Return the limit price of a well-formed order, or why it is refused. `known` tells that its id was taken before."""
    if known:
        return Refusal(RefusalCode.DUPLICATED, f"order {command.order_id} is invalid. Duplicated.")
    if not market.accepting_orders:
        return Refusal(RefusalCode.MARKET_NOT_READY, "the market is not yet ready to process new orders")
    amounts_sane = 0 < command.maker_amount <= MAX_AMOUNT and 0 < command.taker_amount <= MAX_AMOUNT
    if not (amounts_sane and command.order_id and command.account):
        return Refusal(RefusalCode.INVALID_PAYLOAD, "Invalid order payload")
    if command.post_only and not command.order_type.rests:
        return Refusal(RefusalCode.POST_ONLY_TYPE, "invalid post-only order: only GTC and GTD order types are allowed")
    if not _expiration_fits(command, now_ns):
        return Refusal(RefusalCode.INVALID_EXPIRATION, "invalid expiration")
    price = _limit_price(command, market.tick_size)
    if isinstance(price, Refusal):
        return price
    shares = command.taker_amount if command.side is OrderSide.BUY else command.maker_amount
    if shares < market.min_size:
        text = f"Size ({format_micros(shares)}) lower than the minimum: {format_micros(market.min_size)}"
        return Refusal(RefusalCode.MIN_SIZE, f"order {command.order_id} is invalid. {text}")
    return price


def check_marketable(command: PlaceOrder, crosses: bool) -> Refusal | None:
    """Check what depends on whether the order would match at once."""
    if command.post_only and crosses:
        return Refusal(RefusalCode.POST_ONLY_WOULD_CROSS, "invalid post-only order: order crosses book")
    marketable = crosses or not command.order_type.rests
    if marketable and command.side is OrderSide.BUY and command.maker_amount < MARKETABLE_BUY_MIN:
        amount = format_micros(command.maker_amount)
        return Refusal(
            RefusalCode.MARKETABLE_MIN, f"invalid amount for a marketable BUY order (${amount}), min size: $1"
        )
    return None


def check_balance(available: int, needed: int) -> Refusal | None:
    """Check that `needed` of the given asset, fees included, is at hand."""
    if needed <= available:
        return None
    return Refusal(
        RefusalCode.NOT_ENOUGH_BALANCE,
        f"not enough balance / allowance: the balance is not enough -> balance: {available}, order amount: {needed}",
    )


def check_filled(order_type: OrderType, matched: bool, complete: bool) -> Refusal | None:
    """Check that a FOK fills whole and a FAK fills at all."""
    if order_type is OrderType.FOK and not complete:
        return Refusal(
            RefusalCode.FOK_NOT_FILLED, "order couldn't be fully filled. FOK orders are fully filled or killed."
        )
    if order_type is OrderType.FAK and not matched:
        return Refusal(
            RefusalCode.FAK_NOT_FILLED,
            "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.",
        )
    return None


def _expiration_fits(command: PlaceOrder, now_ns: int) -> bool:
    if command.order_type is not OrderType.GTD:
        return command.expiration_s == 0
    earliest = now_ns // SECOND_NS + GTD_MIN_LIFE_S - GTD_TRANSIT_S
    return earliest <= command.expiration_s <= MAX_EXPIRATION_S


def _limit_price(command: PlaceOrder, tick: TickSize) -> Refusal | int:
    buys = command.side is OrderSide.BUY
    cash, shares = (
        (command.maker_amount, command.taker_amount) if buys else (command.taker_amount, command.maker_amount)
    )
    spends_cash = buys and not command.order_type.rests
    refusal = _check_decimals(cash, shares, command.side, spends_cash, tick)
    if refusal is not None:
        return refusal
    price, inexact = divmod(cash * MICRO, shares)
    if inexact and spends_cash:
        # The client cut the shares to the allowed decimals, so the ratio lies a hair above the price it meant.
        price = floor_to(price, tick.micros)
        step = 10 ** (6 - min(tick.amount_decimals, 4))
        inexact = int(price <= 0 or shares < floor_to(cash * MICRO // max(price, 1), step))
    if inexact or not tick.contains(price):
        if not spends_cash and (wrong := _misrounded(command, price, cash, shares, tick)):
            return wrong
        text = f"Price ({format_micros(price)}) breaks minimum tick size rule: {format_micros(tick.micros)}"
        return Refusal(RefusalCode.TICK_SIZE, f"order {command.order_id} is invalid. {text}")
    return price


def _misrounded(command: PlaceOrder, price: int, cash: int, shares: int, tick: TickSize) -> Refusal | None:
    """Tell amounts that miss a price on the grid by a rounding error from a price that is off the grid."""
    meant = floor_to(price + tick.micros // 2, tick.micros)
    error = abs(cash * MICRO - meant * shares)
    if not tick.contains(meant) or error * _ROUNDING_PARTS >= tick.micros * shares:
        return None
    buys = command.side is OrderSide.BUY
    should = cash * MICRO // meant if buys else meant * shares // MICRO
    return Refusal(
        RefusalCode.INVALID_AMOUNTS,
        f"invalid amounts, the taker amount for a ${format_micros(meant)} order of size {format_micros(shares)} "
        f"should be '{should}' but the value submited is '{shares if buys else cash}'",
    )


def _check_decimals(cash: int, shares: int, side: OrderSide, spends_cash: bool, tick: TickSize) -> Refusal | None:
    if spends_cash:
        if cash % CENT == 0 and shares % _FOUR_DECIMALS == 0:
            return None
        limits = "the buy orders maker amount supports a max accuracy of 2 decimals, taker amount a max of 4 decimals"
    else:
        if shares % SIZE_STEP == 0:
            return None
        decimals = tick.amount_decimals
        limits = (
            f"the buy orders maker amount supports a max accuracy of {decimals} decimals, taker amount a max of 2 decimals"
            if side is OrderSide.BUY
            else f"the sell orders maker amount supports a max accuracy of 2 decimals, taker amount a max of {decimals} decimals"
        )
    return Refusal(RefusalCode.INVALID_AMOUNTS, f"invalid amounts, {limits}")
