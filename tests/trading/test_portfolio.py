"""Evidence in any order, any number of times: the account ends the same, and the books balance."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.fill import FillKey, FillStatus, Liquidity
from domain.ledger import LedgerAccount, LedgerEntry, imbalances
from domain.market import Market
from domain.money import MICRO
from domain.order import OrderSide, OrderStatus, OrderType
from domain.ports import AuditRecord
from tests.trading import factories as f
from trading.change import Change
from trading.portfolio import Portfolio

DEPOSIT = 1000 * MICRO


def portfolio() -> Portfolio:
    account = Portfolio(f.ACCOUNT, lambda condition: f.market() if condition == "0xc1" else None)
    account.transfer(
        journal_id="deposit:1", kind="deposit", debit=LedgerAccount.CASH, credit=LedgerAccount.EQUITY, amount=DEPOSIT, now_ns=f.NOW
    )  # fmt: skip
    return account


def live(account: Portfolio, **draft):
    order = f.order(f.draft(**draft))
    own = account.add(order, f.NOW)
    own.status = OrderStatus.SUBMITTED
    account.acknowledge(own, OrderStatus.LIVE, (), f.NOW)
    return order, own


def held_collateral(account: Portfolio) -> int:
    outside = {LedgerAccount.EQUITY, LedgerAccount.TOKENS, LedgerAccount.COUNTERPARTY}
    return sum(account.ledger.balance(each) for each in LedgerAccount if each not in outside)


def test_a_fill_moves_cash_into_inventory_and_the_fee_aside() -> None:
    account = portfolio()
    order, own = live(account)

    account.apply_trade(
        f.trade(order, 10 * MICRO, liquidity=Liquidity.TAKER, status=FillStatus.CONFIRMED), now_ns=f.NOW
    )

    fee = f.market().fees.taker_fee(500_000, 10 * MICRO)
    assert fee == 100_000
    assert account.ledger.cash == DEPOSIT - 5 * MICRO - fee
    assert account.ledger.balance(LedgerAccount.INVENTORY) == 5 * MICRO
    assert account.ledger.balance(LedgerAccount.FEES) == fee
    assert account.positions.settled(f.YES) == 10 * MICRO
    assert own.status is OrderStatus.MATCHED
    assert account.orders.reserved_cash == 0


def test_the_same_trade_told_twice_counts_once() -> None:
    account = portfolio()
    order, _ = live(account)
    trade = f.trade(order, 4 * MICRO)

    account.apply_trade(trade, now_ns=f.NOW)
    again = account.apply_trade(trade, now_ns=f.NOW)

    assert not again
    assert account.positions.size(f.YES) == 4 * MICRO


def test_a_failed_fill_never_happened() -> None:
    account = portfolio()
    order, _ = live(account)
    trade = f.trade(order, 10 * MICRO, liquidity=Liquidity.TAKER)

    account.apply_trade(trade, now_ns=f.NOW)
    account.apply_trade(replace(trade, status=FillStatus.FAILED), now_ns=f.NOW)

    assert account.positions.size(f.YES) == 0
    assert account.ledger.cash == DEPOSIT
    assert account.ledger.balance(LedgerAccount.FEES) == 0


def test_a_failed_buy_whose_shares_were_sold_leaves_negative_inventory_and_an_alarm() -> None:
    account = portfolio()
    order, _ = live(account)
    bought = f.trade(order, 10 * MICRO, status=FillStatus.CONFIRMED)
    account.apply_trade(bought, now_ns=f.NOW)
    sale, _ = live(account, side=OrderSide.SELL, price=600_000)
    account.apply_trade(f.trade(sale, 10 * MICRO), now_ns=f.NOW)

    change = account.apply_trade(replace(bought, status=FillStatus.FAILED), now_ns=f.NOW)

    assert account.positions.size(f.YES) == -10 * MICRO
    assert [alarm.market_id for alarm in change.alarms] == ["m1"]
    assert held_collateral(account) == DEPOSIT


def test_a_sale_that_was_overfilled_by_dust_converges_without_an_alarm() -> None:
    account = portfolio()
    order, _ = live(account)
    account.apply_trade(f.trade(order, 10 * MICRO, status=FillStatus.CONFIRMED), now_ns=f.NOW)
    sale, _ = live(account, side=OrderSide.SELL, price=600_000)

    change = account.apply_trade(f.trade(sale, 10_009_000, status=FillStatus.CONFIRMED), now_ns=f.NOW)

    assert account.positions.size(f.YES) == -9_000
    assert not change.alarms
    assert held_collateral(account) == DEPOSIT


def test_unsettled_shares_cannot_be_sold_and_unsettled_proceeds_cannot_be_spent() -> None:
    account = portfolio()
    order, _ = live(account)
    bought = f.trade(order, 10 * MICRO)
    account.apply_trade(bought, now_ns=f.NOW)
    assert account.available_tokens(f.YES) == 0

    account.apply_trade(replace(bought, status=FillStatus.CONFIRMED), now_ns=f.NOW)
    assert account.available_tokens(f.YES) == 10 * MICRO

    sale, _ = live(account, side=OrderSide.SELL, price=600_000)
    before = account.available_cash
    account.apply_trade(f.trade(sale, 10 * MICRO), now_ns=f.NOW)
    assert account.available_cash == before
    assert account.ledger.cash == DEPOSIT + MICRO


def test_an_overfill_of_dust_converges_and_a_larger_one_is_quarantined() -> None:
    account = portfolio()
    order, own = live(account)
    account.apply_trade(f.trade(order, 10 * MICRO + 9_000), now_ns=f.NOW)
    assert own.status is OrderStatus.MATCHED

    change = account.apply_trade(f.trade(order, MICRO), now_ns=f.NOW)

    assert "overfill" in change.alarms[0].reason
    assert account.positions.size(f.YES) == 10 * MICRO + 9_000
    assert len(account.quarantine) == 1


def test_a_failed_trade_of_more_than_its_order_is_quarantined_and_the_true_one_is_booked() -> None:
    account = portfolio()
    order, own = live(account)

    change = account.apply_trade(f.trade(order, 30 * MICRO, trade_id="one", status=FillStatus.FAILED), now_ns=f.NOW)

    assert "overfill" in change.alarms[0].reason
    assert own.seen == 0
    assert own.reserved_cash > 0
    account.apply_trade(f.trade(order, 10 * MICRO, trade_id="one"), now_ns=f.NOW)
    assert account.positions.size(f.YES) == 10 * MICRO
    assert not account.quarantine


def test_a_trade_at_a_worse_price_or_of_the_other_side_is_quarantined() -> None:
    for wrong in ({"price": 510_000}, {"side": OrderSide.SELL}, {"token_id": f.NO}, {"size": 0}):
        account = portfolio()
        order, _ = live(account)

        change = account.apply_trade(
            f.trade(order, 5 * MICRO, **({} | wrong)) if "size" not in wrong else f.trade(order, 0), now_ns=f.NOW
        )

        assert change.alarms, wrong
        assert account.ledger.cash == DEPOSIT


def test_a_trade_made_outside_is_adopted_as_external() -> None:
    account = portfolio()
    stranger = f.order()

    account.apply_trade(f.trade(stranger, 3 * MICRO, status=FillStatus.CONFIRMED), now_ns=f.NOW)

    assert account.positions.get(f.YES, "external") is not None
    assert account.positions.size(f.YES) == 3 * MICRO
    assert held_collateral(account) == DEPOSIT


def test_late_evidence_of_an_earlier_state_does_not_reopen_but_a_fresh_read_does() -> None:
    account = portfolio()
    order, own = live(account)
    account.move(own, OrderStatus.CANCELLING, "", f.NOW)
    account.move(own, OrderStatus.CANCELLED, "", f.NOW)

    account.apply_order(f.report(order, OrderStatus.LIVE), now_ns=f.NOW, fresh=False)
    assert own.status is OrderStatus.CANCELLED
    assert own.needs_read
    assert account.orders.reserved_cash > 0

    change = account.apply_order(f.report(order, OrderStatus.LIVE), now_ns=f.NOW, fresh=True)
    assert own.status is OrderStatus.LIVE
    assert any(getattr(row, "event", "") == "order_reopened" for row in change.rows)


def test_a_matched_order_holds_its_cash_until_every_trade_it_named_is_known() -> None:
    account = portfolio()
    order = f.order(f.draft(order_type=OrderType.FAK))
    own = account.add(order, f.NOW)
    own.status = OrderStatus.SUBMITTED

    account.acknowledge(own, OrderStatus.MATCHED, ("t-a", "t-b"), f.NOW)
    held = account.orders.reserved_cash
    account.apply_trade(f.trade(order, 4 * MICRO, trade_id="t-a"), now_ns=f.NOW)
    assert 0 < account.orders.reserved_cash < held
    assert not own.explained

    account.apply_trade(f.trade(order, 6 * MICRO, trade_id="t-b"), now_ns=f.NOW)
    assert own.explained
    assert account.orders.reserved_cash == 0


@pytest.mark.parametrize(
    ("kind", "matched"), [(OrderType.GTC, None), (OrderType.FAK, None), (OrderType.FAK, 4 * MICRO)]
)
def test_an_end_that_does_not_say_how_much_was_filled_frees_nothing_before_a_fresh_read(kind, matched) -> None:
    account = portfolio()
    order = f.order(f.draft(order_type=kind))
    own = account.add(order, f.NOW)
    own.status = OrderStatus.SUBMITTED
    held = account.orders.reserved_cash

    account.apply_order(f.report(order, OrderStatus.CANCELLED, matched=matched), now_ns=f.NOW, fresh=False)
    assert own.status is OrderStatus.CANCELLED
    assert account.orders.reserved_cash == held > 0

    account.apply_trade(f.trade(order, 4 * MICRO), now_ns=f.NOW)
    account.apply_order(f.report(order, OrderStatus.CANCELLED, matched=matched), now_ns=f.NOW, fresh=True)
    assert account.orders.reserved_cash == 0


def test_a_market_order_that_filled_whole_needs_no_further_read() -> None:
    account = portfolio()
    order = f.order(f.draft(order_type=OrderType.FAK))
    own = account.add(order, f.NOW)
    own.status = OrderStatus.SUBMITTED
    account.apply_trade(f.trade(order, order.draft.size), now_ns=f.NOW)

    account.apply_order(f.report(order, OrderStatus.MATCHED, matched=order.draft.size), now_ns=f.NOW, fresh=False)

    assert own.explained


def test_a_resting_order_that_matched_at_once_goes_on_resting_until_it_is_whole() -> None:
    account = portfolio()
    order = f.order(f.draft(size=10 * MICRO))
    own = account.add(order, f.NOW)
    own.status = OrderStatus.SUBMITTED

    account.acknowledge(own, OrderStatus.MATCHED, ("t-a",), f.NOW)
    assert own.status is OrderStatus.PARTIALLY_FILLED

    account.apply_trade(f.trade(order, 10 * MICRO, trade_id="t-a"), now_ns=f.NOW)
    assert own.status is OrderStatus.MATCHED


def test_a_match_that_names_no_trade_is_read() -> None:
    account = portfolio()
    own = account.add(f.order(f.draft(order_type=OrderType.FAK)), f.NOW)
    own.status = OrderStatus.SUBMITTED

    account.acknowledge(own, OrderStatus.MATCHED, (), f.NOW)

    assert own.needs_read


def test_a_market_order_that_fills_in_part_before_its_answer_is_read() -> None:
    account = portfolio()
    order = f.order(f.draft(order_type=OrderType.FAK))
    own = account.add(order, f.NOW)
    own.status = OrderStatus.SUBMITTED

    account.apply_trade(f.trade(order, 4 * MICRO), now_ns=f.NOW)

    assert (own.status, own.needs_read) == (OrderStatus.PARTIALLY_FILLED, True)


def test_an_order_waits_for_every_trade_that_a_report_names() -> None:
    account = portfolio()
    order, own = live(account)
    named = replace(f.report(order, OrderStatus.CANCELLED, matched=0), trade_ids=("t-a",))

    account.apply_order(named, now_ns=f.NOW, fresh=True)
    assert (own.status, own.explained) == (OrderStatus.CANCELLED, False)

    account.apply_trade(f.trade(order, 4 * MICRO, trade_id="t-a"), now_ns=f.NOW)
    assert own.awaited == set()


def test_a_fill_beyond_what_an_order_ended_with_is_read() -> None:
    account = portfolio()
    order, own = live(account)
    account.apply_order(f.report(order, OrderStatus.CANCELLED, matched=2 * MICRO), now_ns=f.NOW, fresh=True)
    account.apply_trade(f.trade(order, 2 * MICRO, trade_id="t-a"), now_ns=f.NOW)
    assert own.explained

    account.apply_trade(f.trade(order, 2 * MICRO, trade_id="t-b"), now_ns=f.NOW)

    assert (own.needs_read, own.explained) == (True, False)


def test_what_the_venue_says_of_an_order_ends_the_denials_before_it() -> None:
    account = portfolio()
    order, own = live(account)
    own.absent_since_ns = f.NOW
    account.apply_order(f.report(order, OrderStatus.LIVE), now_ns=f.NOW, fresh=True)
    assert own.absent_since_ns is None

    own.absent_since_ns = f.NOW
    account.apply_trade(f.trade(order, 2 * MICRO), now_ns=f.NOW)
    assert own.absent_since_ns is None


def test_unknown_and_cancelling_orders_hold_everything_not_filled() -> None:
    account = portfolio()
    order, own = live(account)
    full = account.orders.reserved_cash
    account.move(own, OrderStatus.CANCELLING, "", f.NOW)
    assert account.orders.reserved_cash == full

    account.apply_trade(f.trade(order, 4 * MICRO), now_ns=f.NOW)
    assert account.ledger.cash + account.orders.reserved_cash > DEPOSIT - 2 * MICRO
    assert own.reserved_cash == 3 * MICRO + f.market().fees.worst_buy_fee(500_000, 6 * MICRO)


def test_a_resolution_turns_shares_into_a_receivable() -> None:
    account = portfolio()
    order, _ = live(account)
    account.apply_trade(f.trade(order, 10 * MICRO, status=FillStatus.CONFIRMED), now_ns=f.NOW)

    account.resolve(f.market(), (MICRO, 0), now_ns=f.NOW)

    assert account.ledger.balance(LedgerAccount.RECEIVABLE) == 10 * MICRO
    assert account.ledger.realised == 5 * MICRO
    assert account.positions.size(f.YES) == 0
    assert held_collateral(account) == DEPOSIT


STEPS = st.lists(
    st.tuples(
        st.sampled_from((OrderSide.BUY, OrderSide.SELL)),
        st.integers(min_value=1, max_value=99),
        st.integers(min_value=500, max_value=5_000_00),
        st.sampled_from((Liquidity.MAKER, Liquidity.TAKER)),
        st.lists(st.sampled_from(list(FillStatus)), max_size=4),
    ),
    max_size=25,
)


@settings(max_examples=120, deadline=None)
@given(STEPS)
def test_whatever_happens_to_fills_every_journal_balances_and_nothing_is_made_or_lost(steps) -> None:
    account = portfolio()
    entries: list[LedgerEntry] = []

    def book(change: Change) -> None:
        entries.extend(row for row in change.rows if isinstance(row, LedgerEntry))

    for side, cents, size, liquidity, statuses in steps:
        order, _ = live(account, side=side, price=cents * 10_000, size=size * 100)
        trade = f.trade(order, size * 100, liquidity=liquidity)
        book(account.apply_trade(trade, now_ns=f.NOW))
        for status in statuses:
            book(account.apply_trade(replace(trade, status=status), now_ns=f.NOW))

    assert imbalances(entries) == {}
    assert held_collateral(account) == DEPOSIT
    assert account.ledger.balance(LedgerAccount.INVENTORY) == account.positions.total_cost


def test_dust_that_a_closed_position_keeps_stays_in_the_inventory_at_its_cost() -> None:
    account = portfolio()
    bought, _ = live(account, size=50_100)
    sold, _ = live(account, side=OrderSide.SELL, size=50_000)
    account.apply_trade(f.trade(bought, 50_100, status=FillStatus.CONFIRMED), now_ns=f.NOW)
    account.apply_trade(f.trade(sold, 50_000, status=FillStatus.CONFIRMED), now_ns=f.NOW)

    assert account.positions.get(f.YES, "test") is None
    assert account.positions.size(f.YES) == 100
    assert account.positions.total_cost == account.ledger.balance(LedgerAccount.INVENTORY) == 50


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(6)), st.lists(st.integers(min_value=0, max_value=5), max_size=8))
def test_evidence_in_any_order_and_repeated_ends_in_the_same_account(shuffled, repeats) -> None:
    order = f.order(order_id="0xabc")
    first, second = f.trade(order, 4 * MICRO, trade_id="ta"), f.trade(order, 6 * MICRO, trade_id="tb")
    evidence = [
        lambda a: a.apply_trade(first, now_ns=f.NOW),
        lambda a: a.apply_trade(replace(first, status=FillStatus.CONFIRMED), now_ns=f.NOW),
        lambda a: a.apply_trade(second, now_ns=f.NOW),
        lambda a: a.apply_trade(replace(second, status=FillStatus.MINED), now_ns=f.NOW),
        lambda a: a.apply_trade(replace(second, status=FillStatus.FAILED), now_ns=f.NOW),
        lambda a: a.apply_order(f.report(order, OrderStatus.MATCHED, matched=10 * MICRO), now_ns=f.NOW, fresh=False),
    ]

    def end(sequence) -> tuple:
        account = portfolio()
        own = account.add(order, f.NOW)
        own.status = OrderStatus.SUBMITTED
        for number in sequence:
            evidence[number](account)
        return (
            account.ledger.cash,
            account.positions.size(f.YES),
            account.positions.settled(f.YES),
            own.filled,
            own.status,
        )

    assert end([*shuffled, *repeats]) == end(range(6))


def test_a_trade_that_changes_its_size_later_keeps_what_was_booked_and_raises_one_alarm() -> None:
    account = portfolio()
    order, _ = live(account)
    trade = f.trade(order, 4 * MICRO)
    account.apply_trade(trade, now_ns=f.NOW)

    change = account.apply_trade(replace(trade, size=6 * MICRO, status=FillStatus.CONFIRMED), now_ns=f.NOW)
    again = account.apply_trade(replace(trade, size=6 * MICRO, status=FillStatus.CONFIRMED), now_ns=f.NOW)

    assert "changed a trade" in change.alarms[0].reason
    assert account.positions.settled(f.YES) == 4 * MICRO
    assert not again.alarms


def test_an_older_fill_that_settles_does_not_bring_back_an_older_take_profit() -> None:
    account = portfolio()
    first, _ = live(account, take_profit=600_000)
    second, _ = live(account, take_profit=700_000)
    trade = f.trade(first, 10 * MICRO)
    account.apply_trade(trade, now_ns=f.NOW)
    account.apply_trade(f.trade(second, 10 * MICRO), now_ns=f.NOW)

    account.apply_trade(replace(trade, status=FillStatus.CONFIRMED), now_ns=f.NOW)

    assert account.positions.get(f.YES, "test").take_profit == 700_000


def test_a_resolution_does_not_free_the_proceeds_of_a_sale_that_has_not_settled() -> None:
    account = portfolio()
    order, _ = live(account)
    account.apply_trade(f.trade(order, 10 * MICRO, status=FillStatus.CONFIRMED), now_ns=f.NOW)
    sale, _ = live(account, side=OrderSide.SELL, price=600_000)
    sold = f.trade(sale, 10 * MICRO)
    account.apply_trade(sold, now_ns=f.NOW)
    before = account.available_cash

    account.resolve(f.market(), (0, MICRO), now_ns=f.NOW)
    assert account.available_cash == before
    assert [fill.key for fill in account.positions.with_unsettled()] == [FillKey(sold.trade_id, sale.id)]

    account.apply_trade(replace(sold, status=FillStatus.CONFIRMED), now_ns=f.NOW)
    assert account.available_cash == before + 6 * MICRO
    assert account.positions.get(f.YES, "test") is None


LATER = f.NOW + 1_000_000_000


def test_what_is_final_is_forgotten_and_its_trades_are_no_news_afterwards() -> None:
    account = portfolio()
    order, _ = live(account)
    bought = f.trade(order, 10 * MICRO, status=FillStatus.CONFIRMED)
    account.apply_trade(bought, now_ns=f.NOW)
    sale, _ = live(account, side=OrderSide.SELL, price=600_000)
    sold = f.trade(sale, 10 * MICRO, status=FillStatus.CONFIRMED)
    account.apply_trade(sold, now_ns=f.NOW)
    cash = account.ledger.cash

    account.forget(LATER)

    assert (len(account.orders), len(account.fills)) == (0, 0)
    assert not account.apply_trade(bought, now_ns=LATER)
    assert not account.apply_trade(replace(sold, status=FillStatus.FAILED), now_ns=LATER)
    assert account.ledger.cash == cash


def test_a_closed_position_stays_as_long_as_an_order_of_it_is_remembered() -> None:
    account = portfolio()
    order, own = live(account)
    bought = f.trade(order, 10 * MICRO, status=FillStatus.CONFIRMED)
    account.apply_trade(bought, now_ns=f.NOW)
    sale, _ = live(account, side=OrderSide.SELL, price=600_000)
    account.apply_trade(f.trade(sale, 10 * MICRO, status=FillStatus.CONFIRMED), now_ns=f.NOW)
    own.updated_ns = LATER

    account.forget(LATER)
    change = account.apply_trade(replace(bought, status=FillStatus.FAILED), now_ns=LATER)

    assert [(row.side, row.settled) for row in change.positions] == [("token1", -10 * MICRO)]
    assert "negative inventory" in change.alarms[0].reason


def test_a_trade_in_a_market_that_becomes_known_leaves_quarantine_however_old_it_is() -> None:
    account = portfolio()
    known: dict[str, Market] = {}
    account._market_of = known.get
    outside = f.trade(f.order(), 10 * MICRO, status=FillStatus.CONFIRMED)
    assert account.apply_trade(outside, now_ns=f.NOW).alarms
    account.forget(LATER)
    assert not account.apply_trade(outside, now_ns=LATER)
    assert account.unbooked() == [outside]

    known["0xc1"] = f.market()
    change = account.apply_trade(outside, now_ns=LATER)

    assert account.positions.settled(f.YES) == 10 * MICRO
    assert (account.quarantine, account.unbooked()) == ({}, [])
    assert [row.event for row in change.rows if isinstance(row, AuditRecord)] == [
        "fill_left_quarantine",
        "external_trade_adopted",
    ]


def test_a_trade_that_contradicts_an_order_of_ours_is_never_taken_for_one_made_outside() -> None:
    account = portfolio()
    order, _ = live(account)
    account.apply_trade(f.trade(order, 10 * MICRO, status=FillStatus.CONFIRMED), now_ns=f.NOW)
    more = f.trade(order, MICRO, status=FillStatus.CONFIRMED)
    account.apply_trade(more, now_ns=f.NOW)
    account.forget(LATER)
    assert order.id not in account.orders

    assert not account.apply_trade(more, now_ns=LATER)

    assert account.unbooked() == [more]
    assert account.positions.size(f.YES) == 10 * MICRO


def test_what_may_still_change_is_never_forgotten() -> None:
    account = portfolio()
    resting, _ = live(account, price=400_000)
    held, _ = live(account)
    fill = f.trade(held, 10 * MICRO, status=FillStatus.CONFIRMED)
    account.apply_trade(fill, now_ns=f.NOW)
    unsettled, _ = live(account, token_id=f.NO)
    account.apply_trade(f.trade(unsettled, 10 * MICRO), now_ns=f.NOW)

    account.forget(LATER)

    assert {own.id for own in account.orders.all()} == {resting.id, unsettled.id}
    assert [key.order_id for key in account.fills] == [unsettled.id]
    assert account.positions.size(f.YES) == account.positions.size(f.NO) == 10 * MICRO
    assert not account.apply_trade(fill, now_ns=LATER)


def test_totals_of_what_is_over_do_not_stay_in_memory() -> None:
    account = portfolio()
    for number in range(20):
        other = f.market(id=f"m{number}", condition_id=f"0x{number}", token_ids=(f"{number}1", f"{number}2"))
        _, own = live(account, market=other, token_id=f"{number}1")
        account.move(own, OrderStatus.CANCELLED, "", f.NOW)
        account.orders.refresh(own)
    account.forget(LATER)

    assert [size for size in map(len, (account.orders._tokens, account.orders._open_by_market)) if size] == []
    assert account.orders.reserved_cash == 0
