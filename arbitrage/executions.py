"""Arbitrage executions: every leg group that is an arbitrage, from its first fill on, with what it was expected to bring and what it brought.

Rows are computed anew from each report of the trading floor; what says nothing new is neither written nor told. What counts as realised is what is
certain: whole sets at their least payoff and bought-out legs at a dollar a pair, less everything paid for them and every fee. What residual
inventory cost is told beside it, not hidden in it. The session's figures begin at zero with the session (`trading.session`). A kernel that starts
again within it goes on with them, as far as groups are remembered (a day); until it begins nothing is told, only written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from domain.arbitrage import ArbExecution, ArbLeg, ArbStatus, ArbType
from domain.legs import GroupState, Leg, LegAccount, LegGroup, LegGroupReport, residual_of, sets_of
from domain.money import MICRO, multiply_ceil
from domain.order import OrderSide
from domain.ports import JournalRow

_STATUS = {
    GroupState.PLACING: ArbStatus.PENDING,
    GroupState.UNWINDING: ArbStatus.PARTIAL,
    GroupState.FILLED: ArbStatus.FILLED,
    GroupState.PARTIAL: ArbStatus.PARTIAL,
    GroupState.CANCELLED: ArbStatus.CANCELLED,
    GroupState.FAILED: ArbStatus.FAILED,
}


class ArbSink(Protocol):
    """Where executions and the session's figures go. Never blocks, never raises."""

    def arb_execution(self, execution: ArbExecution, legs: Sequence[ArbLeg]) -> None: ...

    def arb_session(self, pnl: int, by_type: dict[str, int], count: int, wins: int, losses: int) -> None:
        """`pnl` and `by_type` are micro-dollars; every type is named."""


class _Known(NamedTuple):
    """An execution that may still change, as it was told last. `counts`: it is the session's."""

    execution: ArbExecution
    legs: list[ArbLeg]
    counts: bool


class Executions:
    """The executions of one kernel.

    Args:
        write: journals rows.
        sink: is told each execution whenever it changed, and the session's figures with it.
        session_ns: when the session began; what was decided before and over by then is not the session's.
    """

    def __init__(self, write: Callable[[list[JournalRow]], None], sink: ArbSink, *, session_ns: int) -> None:
        self._write = write
        self._sink = sink
        self._session_ns = session_ns
        self._begun = False
        self._pnl = dict.fromkeys(ArbType, 0)
        self._count = self._wins = self._losses = 0
        self._known: dict[str, _Known] = {}

    def begin(self) -> None:
        """Tell the session's figures, and from now on everything that changes."""
        self._begun = True
        self._tell_session()

    def on_report(self, report: LegGroupReport) -> None:
        """Take what is known of a group now."""
        if not report.group.arb_type:
            return
        over = report.state.state.over
        execution, legs = execution_of(report), legs_of(report)
        before = self._known.get(execution.id)
        if before is None or (before.execution, before.legs) != (execution, legs):
            counts = before.counts if before else not over or report.group.created_ns >= self._session_ns
            self._known[execution.id] = _Known(execution, legs, counts)
            self._take(before, self._known[execution.id])
        if over and all(leg.final for leg in report.legs):
            del self._known[execution.id]

    def _take(self, before: _Known | None, now: _Known) -> None:
        rows: list[JournalRow] = [now.execution, *now.legs]
        told = {before.execution, *before.legs} if before is not None else set()
        self._write([row for row in rows if row not in told])
        if now.counts:
            if before is not None:
                self._add(before.execution, -1)
            self._add(now.execution, 1)
        if self._begun:
            self._sink.arb_execution(now.execution, now.legs)
            self._tell_session()

    def _add(self, execution: ArbExecution, times: int) -> None:
        """Add an execution to the figures, or take it out; the profit counts with each fill, the execution itself when it is over."""
        self._pnl[execution.arb_type] += times * execution.net_pnl
        if execution.completed_ns is not None:
            self._count += times
            self._wins += times * (execution.net_pnl > 0)
            self._losses += times * (execution.net_pnl < 0)

    def _tell_session(self) -> None:
        by_type = {each.value: pnl for each, pnl in self._pnl.items()}
        self._sink.arb_session(sum(self._pnl.values()), by_type, self._count, self._wins, self._losses)


def execution_of(report: LegGroupReport) -> ArbExecution:
    """Return the row of an execution."""
    group, state, accounts = report.group, report.state, report.legs
    residual = residual_of(accounts)
    return ArbExecution(
        id=group.id,
        account=group.account,
        opportunity_id=group.opportunity_id,
        arb_type=ArbType(group.arb_type),
        leg_group_id=group.name,
        strategy=group.strategy,
        gross_edge_bps=_edge_bps(group),
        expected=expected(group),
        fees=sum(account.fees + account.unwind_fees for account in accounts),
        slippage=sum(map(_slippage, group.legs, accounts)),
        net_pnl=realised(group, accounts),
        residual=sum(map(abs, residual)),
        residual_cost=sum(
            _residual_cost(leg, each, left) for leg, each, left in zip(group.legs, accounts, residual, strict=True)
        ),
        status=_STATUS[state.state],
        started_ns=min(account.first_fill_ns for account in accounts if account.first_fill_ns is not None),
        completed_ns=state.updated_ns if state.state.over else None,
    )


def legs_of(report: LegGroupReport) -> list[ArbLeg]:
    """Return the rows of an execution's legs."""
    residual = residual_of(report.legs)
    return [
        ArbLeg(
            execution_id=report.group.id,
            account=report.group.account,
            number=number,
            order_id=account.order_id,
            market_id=leg.market.id,
            token_id=leg.token_id,
            side=leg.side,
            expected_price=leg.price,
            filled_price=_average(account),
            size=report.group.size,
            filled=account.received,
            unwound=account.unwound,
            residual=residual[number],
            fee=account.fees + account.unwind_fees,
            slippage_bps=_slippage_bps(leg, account),
            status=account.status.value if account.status is not None else "not placed",
        )
        for number, (leg, account) in enumerate(zip(report.group.legs, report.legs, strict=True))
    ]


def _set_edge(group: LegGroup) -> int:
    """Return what a whole set brings at the plan's prices before fees, micro-dollars."""
    return group.payoff + sum(leg.price if leg.side is OrderSide.SELL else -leg.price for leg in group.legs)


def _edge_bps(group: LegGroup) -> int:
    """Gross edge = (exit − entry) · 10,000, of a dollar."""
    return group.edge_bps if group.edge_bps is not None else _set_edge(group) * 10_000 // MICRO


def expected(group: LegGroup) -> int:
    """Return what the plan brings at its prices, after taker fees there."""
    fees = sum(leg.market.fees.worst_buy_fee(leg.price, group.size) for leg in group.legs)
    return _set_edge(group) * group.size // MICRO - fees


def realised(group: LegGroup, accounts: Sequence[LegAccount]) -> int:
    """Return what is certain of a group: whole sets and bought-out pairs, less what was paid for them and all fees."""
    sets = sets_of(accounts)
    result = sets * group.payoff // MICRO
    for leg, account in zip(group.legs, accounts, strict=True):
        out = _paired(account, sets)
        cash = _share_of_cash(leg, account, sets + out)
        result += cash if leg.side is OrderSide.SELL else -cash
        if leg.side is OrderSide.BUY:
            result += out
        result -= account.fees + _share_of_exits(account, out) + account.unwind_fees
    return result


def _paired(account: LegAccount, sets: int) -> int:
    """Return the shares of a leg that belong to no whole set and were bought out of; what was bought beyond them pairs with nothing."""
    return min(account.unwound, account.received - sets)


def _share_of_exits(account: LegAccount, shares: int) -> int:
    """Return what `shares` of those bought to be out of a leg cost at their average price, rounded up."""
    return -(-account.unwind_cost * shares // account.unwound) if account.unwound else 0


def _residual_cost(leg: Leg, account: LegAccount, residual: int) -> int:
    """Return what the shares cost that nothing hedges; negative where their sale brought money."""
    if residual < 0:
        return account.unwind_cost - _share_of_exits(account, account.unwound + residual)
    cash = _share_of_cash(leg, account, residual)
    return -cash if leg.side is OrderSide.SELL else cash


def _share_of_cash(leg: Leg, account: LegAccount, shares: int) -> int:
    """Return what `shares` of a leg cost or brought at its average price; a purchase is rounded up, a sale down."""
    if not account.received or shares <= 0:
        return 0
    part = account.cash * min(shares, account.received)
    return part // account.received if leg.side is OrderSide.SELL else -(-part // account.received)


def _average(account: LegAccount) -> int | None:
    return (account.cash * MICRO + account.received // 2) // account.received if account.received else None


def _slippage(leg: Leg, account: LegAccount) -> int:
    """Return what the fills cost beyond the plan's price, in micro-dollars."""
    planned = multiply_ceil(leg.price, account.received)
    return planned - account.cash if leg.side is OrderSide.SELL else account.cash - planned


def _slippage_bps(leg: Leg, account: LegAccount) -> int:
    """(filled − expected) / expected · 10,000, as the specification has it."""
    average = _average(account)
    return 0 if average is None else (average - leg.price) * 10_000 // leg.price
