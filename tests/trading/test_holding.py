"""The arithmetic of positions: figures worked out by hand to the micro-unit, and what holds for any run of fills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fill import Fill, FillKey, FillStatus, Liquidity
from domain.ledger import LedgerAccount, imbalances
from domain.money import MICRO
from domain.order import OrderSide
from tests.trading import factories as f
from trading.holding import Holding, apply, resolve
from trading.ledger import Ledger
from trading.positions import OpenPosition, Positions

BUY, SELL = OrderSide.BUY, OrderSide.SELL
HALF = MICRO // 2


def fill(side: OrderSide, price: int, size: int, *, fee: int = 0, number: int = 1, **changes) -> Fill:
    facts = {
        "key": FillKey(f"t{number}", "0x1"),
        "account": f.ACCOUNT,
        "market_id": "m1",
        "token_id": f.YES,
        "side": side,
        "price": price,
        "size": size,
        "fee": fee,
        "fee_rate": 40_000,
        "liquidity": Liquidity.TAKER if fee else Liquidity.MAKER,
        "status": FillStatus.CONFIRMED,
        "strategy": "test",
        "matched_ns": f.NOW + number,
    }
    return Fill(**(facts | changes))


def fold(fills: Iterable[Fill]) -> Holding:
    return reduce(apply, fills, Holding())


def test_average_cost_to_the_micro_dollar() -> None:
    held = fold([fill(BUY, 333_333, 3_000_001), fill(BUY, 410_000, 2 * MICRO, fee=96_750)])
    # 0.333333 x 3.000001 = 0.999999333333, a buyer pays 1.000000; 0.41 x 2 = 0.82.
    assert (held.settled, held.cost, held.cash, held.fees) == (5_000_001, 1_820_000, -1_916_750, 96_750)

    sold = apply(held, fill(SELL, 500_000, 1_666_667, fee=41_667))
    # Proceeds 0.8333335, floored; their cost 1.82 x 1666667 / 5000001 = 0.6066667, floored.
    assert (sold.settled, sold.cost) == (3_333_334, 1_820_000 - 606_666)
    assert (sold.cash, sold.realised, sold.fees) == (-1_916_750 + 833_333 - 41_667, 833_333 - 606_666, 138_417)


def test_the_last_share_takes_all_of_the_cost_that_is_left() -> None:
    held = fold([fill(BUY, 333_333, 3_000_001), *[fill(SELL, 333_333, 1_000_000)] * 3])
    assert (held.settled, held.cost) == (1, 1)
    assert apply(held, fill(SELL, 990_000, 1)) == replace(held, settled=0, cost=0, realised=held.realised - 1)


@pytest.mark.parametrize(("payout", "paid"), [(0, 0), (HALF, 1_500_000), (MICRO, 3_000_001)])
def test_a_resolution_pays_a_share_and_realises_what_it_is_beyond_its_cost(payout: int, paid: int) -> None:
    held = fold([fill(BUY, 400_000, 3_000_001)])
    over = resolve(held, payout)
    assert (over.size, over.cost, over.receivable) == (0, 0, paid)
    assert over.realised == paid - 1_200_001
    assert (over.cash, over.fees) == (held.cash, held.fees)


def test_shares_sold_that_were_never_there_are_bought_back_at_a_loss() -> None:
    short = fold([fill(SELL, 600_000, 10 * MICRO)])
    assert (short.size, short.cost, short.realised, short.cash) == (-10 * MICRO, 0, 6 * MICRO, 6 * MICRO)
    covered = apply(short, fill(BUY, 700_000, 15 * MICRO))
    assert (covered.size, covered.cost, covered.realised) == (5 * MICRO, 3_500_000, -MICRO)


SIDES = st.sampled_from((BUY, SELL))
PRICES = st.integers(min_value=1, max_value=999).map(lambda mills: mills * 1_000)
FILLS = st.lists(
    st.builds(
        lambda side, price, size, fee, status: fill(side, price, size, fee=fee, status=status),
        SIDES, PRICES, st.integers(1, 10**9), st.integers(0, 10**6), st.sampled_from(FillStatus),
    ),
    max_size=12,
).map(lambda fills: [replace(each, key=FillKey(f"t{number}", "0x1")) for number, each in enumerate(fills)])  # fmt: skip


def worth(held: Holding) -> int:
    """What went out is what is held at cost, what is owed, and what was lost: 0 for any holding."""
    return held.cash + held.cost + held.receivable - held.realised + held.fees


@given(FILLS, st.sampled_from((0, HALF, MICRO)))
def test_after_every_fill_and_at_the_end_no_money_is_made_or_lost(fills: list[Fill], payout: int) -> None:
    held = Holding()
    for each in fills:
        held = apply(held, each)
        assert worth(held) == 0
        assert held.cost == 0 if held.size <= 0 else held.cost >= 0
    assert worth(resolve(held, payout)) == 0


@given(FILLS, st.randoms(use_true_random=False), st.sampled_from((0, HALF, MICRO)))
def test_the_order_of_fills_decides_when_profit_is_realised_and_not_how_much(fills, rng, payout) -> None:
    shuffled = rng.sample(fills, len(fills))
    one, other = fold(fills), fold(shuffled)
    assert (one.settled, one.unsettled, one.cash, one.fees, one.unsettled_proceeds) == (
        other.settled, other.unsettled, other.cash, other.fees, other.unsettled_proceeds,
    )  # fmt: skip
    assert resolve(one, payout) == resolve(other, payout)


@given(FILLS, st.data())
def test_a_fill_that_fails_leaves_no_trace_in_position_and_ledger(fills: list[Fill], data: st.DataObject) -> None:
    fills = [replace(each, status=FillStatus.MATCHED) for each in fills]
    failing = data.draw(st.sets(st.sampled_from(range(len(fills)))) if fills else st.just(set()))
    positions, ledger = Positions(f.ACCOUNT), Ledger(f.ACCOUNT)
    found: dict[str, OpenPosition] = {}

    def put(each: Fill) -> None:
        position = positions.for_fill(each, "token1")
        before = position.holding
        found[position.id] = position
        positions.put(position, replace(each, position_id=position.id))
        entries = ledger.difference(
            before, position.holding, journal_id="j", kind="test", strategy="test", market_id="m1", token_id=f.YES, at_ns=1
        )  # fmt: skip
        assert not imbalances(entries)
        ledger.post(entries)

    for each in fills:
        put(each)
    for number in data.draw(st.permutations(sorted(failing))):
        (position_id,) = found
        put(replace(fills[number], status=FillStatus.FAILED, position_id=position_id))

    without = fold([each for number, each in enumerate(fills) if number not in failing])
    left = next((position.holding for position in found.values()), Holding())
    assert left == without
    balances = [ledger.balance(LedgerAccount.CASH), ledger.balance(LedgerAccount.INVENTORY), ledger.realised]
    assert balances == [without.cash, without.cost, without.realised]
    assert ledger.balance(LedgerAccount.FEES) == without.fees
    assert ledger.balance(LedgerAccount.TOKENS, f.YES) == without.size
