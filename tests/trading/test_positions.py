"""A position is what its fills make of it, however they move on; what has long been final is kept as a sum."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.fill import Fill, FillKey, FillStatus, Liquidity
from domain.money import MICRO
from domain.order import OrderSide
from tests.trading import factories as f
from trading import positions as module
from trading.holding import Holding, fold
from trading.positions import Positions

_LATER = f.NOW + 1_000_000_000


def fill(number: int, size: int = MICRO, **changes: object) -> Fill:
    values = {
        "key": FillKey(f"t{number}", f"o{number}"),
        "account": f.ACCOUNT,
        "market_id": "m1",
        "token_id": f.YES,
        "side": OrderSide.BUY,
        "price": 500_000,
        "size": size,
        "fee": 0,
        "fee_rate": 0,
        "liquidity": Liquidity.MAKER,
        "status": FillStatus.CONFIRMED,
        "strategy": "test",
        "matched_ns": f.NOW + number,
    }
    return Fill(**(values | changes))  # type: ignore[arg-type]


def put(positions: Positions, each: Fill):
    position = positions.for_fill(each, "token1")
    positions.put(position, replace(each, position_id=position.id))
    return position


moves = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.sampled_from(list(FillStatus)),
        st.booleans(),
        st.integers(1, 90),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(moves, st.sets(st.integers(0, 7)))
def test_the_holding_is_the_fold_of_all_fills_in_the_order_they_came(steps, still_wanted) -> None:
    positions, told = Positions(f.ACCOUNT), dict[FillKey, Fill]()
    base = fill(99, 1_000 * MICRO)
    position = put(positions, base)
    told[base.key] = base

    for number, status, sold, size in steps:
        new = fill(number, size * MICRO, status=status, side=OrderSide.SELL if sold else OrderSide.BUY)
        known = told.get(new.key)
        told[new.key] = new = new if known is None else replace(known, status=status)
        assert put(positions, new) is position
        position.forget(f.NOW, {f"o{each}" for each in still_wanted})

        assert position.holding == fold(told.values(), Holding())
        unsettled = [each.key for each in told.values() if not each.status.terminal]
        assert sorted(each.key for each in positions.with_unsettled()) == sorted(unsettled)


def test_a_fill_that_moves_on_folds_only_what_is_not_final_yet(monkeypatch) -> None:
    folded: list[int] = []

    def counted(fills, base):
        given_fills = list(fills)
        folded.append(len(given_fills))
        return fold(given_fills, base)

    monkeypatch.setattr(module, "fold", counted)
    positions = Positions(f.ACCOUNT)
    for number in range(500):
        put(positions, fill(number, status=FillStatus.MATCHED))
        position = put(positions, fill(number))

    assert position.holding.size == 500 * MICRO
    assert max(folded) == 1
    assert len(position.final) == 500


def test_an_open_position_forgets_its_old_fills_but_not_what_they_made() -> None:
    positions = Positions(f.ACCOUNT)
    for number in range(100):
        position = put(positions, fill(number))
    sale = put(positions, fill(100, 40 * MICRO, side=OrderSide.SELL, price=600_000))
    assert sale is position
    before = position.position()

    positions.forget_fills(_LATER, {"o90"})

    assert len(position.final) == 11
    assert position.position() == before
    put(positions, fill(101, 60 * MICRO, side=OrderSide.SELL, price=700_000))
    assert position.closed_ns is not None
    assert (position.holding.size, position.holding.cost, position.exit_price) == (0, 0, 700_000)
    assert position.holding.realised == (24 + 42 - 50) * MICRO


def test_a_final_fill_that_fails_after_all_is_folded_out_again() -> None:
    positions = Positions(f.ACCOUNT)
    for number in range(10):
        position = put(positions, fill(number))
    positions.forget_fills(f.NOW + 4, set())
    assert len(position.final) == 6

    put(positions, fill(7, status=FillStatus.FAILED))

    assert position.holding.size == 9 * MICRO
    assert position.holding.cost == 9 * MICRO // 2
