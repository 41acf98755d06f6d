"""Rows of the trading tables, written as the journal writes them, for tests of those who read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.db import connection

from domain.arbitrage import ArbExecution, ArbLeg, ArbStatus, ArbType
from domain.fill import Fill, FillKey, FillStatus, Liquidity
from domain.halt import Halt, HaltScope
from domain.ledger import COLLATERAL, LedgerAccount, LedgerEntry
from domain.legs import GroupState, Leg, LegGroup, LegGroupState, LegPolicy
from domain.money import MICRO
from domain.order import Order, OrderSide, OrderStatus
from domain.ports import EquityRecord, OrderState
from domain.position import Position, PositionStatus
from markets.store import save_markets
from tests.trading import factories as f
from trading import models
from trading.row_codec import encode
from trading.row_write import Verb


def write(*rows) -> None:
    with connection.cursor() as cursor:
        for row in rows:
            statement = encode(row)
            columns = statement.columns
            if statement.verb is Verb.UPDATE:
                assignments = ", ".join(f'"{name}" = %s' for name in columns)
                cursor.execute(
                    f'UPDATE "{statement.table}" SET {assignments} WHERE "{statement.key[0]}" = %s',
                    [*columns.values(), columns[statement.key[0]]],
                )
            else:
                names, places = ", ".join(f'"{name}"' for name in columns), ", ".join(["%s"] * len(columns))
                cursor.execute(f'INSERT INTO "{statement.table}" ({names}) VALUES ({places})', list(columns.values()))


def trading_account(account: str = f.ACCOUNT) -> None:
    """Make `account` the one that is traded now, on one known market."""
    save_markets([f.market()], [])
    lease(account, seconds=10)


def lease(account: str, *, seconds: int) -> None:
    """Let the lease of an account end in `seconds`, or have ended so long ago."""
    ends = datetime.now(UTC) + timedelta(seconds=seconds)
    models.Lease.objects.create(account=account, holder="test", epoch=1, expires_at=ends)


def order(status: OrderStatus = OrderStatus.LIVE, *, filled: int = 0, age: int = 0, **changes) -> Order:
    """Write an order, `age` seconds older than others."""
    made = replace(f.order(f.draft(**changes)), created_ns=f.NOW - age * 1_000_000_000)
    write(made, OrderState(order_id=made.id, status=status, filled=filled, reason="because", updated_ns=f.NOW))
    return made


def position(token_id: str = f.YES, *, size: int = 10 * MICRO, price: int = 400_000, **changes) -> Position:
    facts = {
        "id": f.CountingIds().uuid(),
        "account": f.ACCOUNT,
        "market_id": "m1",
        "token_id": token_id,
        "side": "token1" if token_id == f.YES else "token2",
        "strategy": "test",
        "settled": size,
        "unsettled": 0,
        "cost": size * price // MICRO,
        "realised": 0,
        "fees": 0,
        "take_profit": 600_000,
        "stop_loss": None,
        "opened_ns": f.NOW,
        "closed_ns": None,
        "exit_price": None,
        "status": PositionStatus.OPEN,
    }
    made = Position(**(facts | changes))
    write(made)
    return made


def fill(of: Order, number: int = 1, **changes) -> Fill:
    facts = {
        "key": FillKey(f"t{number}", of.id),
        "account": of.draft.account,
        "market_id": of.draft.market.id,
        "token_id": of.draft.token_id,
        "side": OrderSide.BUY,
        "price": 500_000,
        "size": 4 * MICRO,
        "fee": 12_340,
        "fee_rate": 40_000,
        "liquidity": Liquidity.TAKER,
        "status": FillStatus.CONFIRMED,
        "strategy": "test",
        "matched_ns": f.NOW + number,
        "transaction_hash": "0xabc",
        "position_id": f.CountingIds().uuid(),
    }
    made = Fill(**(facts | changes))
    write(made)
    return made


def ledger(
    journal_id: str,
    *,
    account: str = f.ACCOUNT,
    kind: str = "test",
    at_ns: int = f.NOW,
    strategy: str = "",
    market_id: str = "",
    **amounts: int,
) -> None:
    """Write one journal: `ledger("j1", cash=-5, inventory=5)`."""
    write(
        *(
            LedgerEntry(
                journal_id=journal_id,
                account=account,
                ledger_account=LedgerAccount(name),
                asset=COLLATERAL,
                amount=amount,
                kind=kind,
                strategy=strategy,
                market_id=market_id,
                at_ns=at_ns,
            )
            for name, amount in amounts.items()
        )
    )


def equity(number: int, *, cash: int, cost: int = 0, value: int = 0, account: str = f.ACCOUNT, **more: int) -> None:
    write(
        EquityRecord(
            account=account,
            cash=cash,
            inventory_cost=cost,
            inventory_value=value,
            realised=number,
            fees=0,
            at_ns=f.NOW + number * 1_000_000_000,
            **more,
        )
    )


def halt(scope: HaltScope = HaltScope.ALL, target: str = "", account: str = f.ACCOUNT) -> None:
    write(Halt(account=account, scope=scope, target=target, reason="look first", set_by="somebody", set_ns=f.NOW))


GROUP = "00000000-0000-4000-8000-00000000aaaa"


def leg_group() -> None:
    """Write a leg group with its execution."""
    leg = Leg(intent_id="i-1", market=f.market(), token_id=f.YES, side=OrderSide.BUY, price=400_000)
    write(
        LegGroup(
            id=GROUP, account=f.ACCOUNT, name="g", strategy="arb", policy=LegPolicy.ALL_OR_NONE, legs=(leg, leg), size=10 * MICRO,
            payoff=MICRO, created_ns=f.NOW, arb_type="rebalancing",
        ),
        LegGroupState(group_id=GROUP, state=GroupState.FAILED, reason="", residual=(10 * MICRO, 0), updated_ns=f.NOW),
        ArbExecution(
            id=GROUP, account=f.ACCOUNT, opportunity_id="", arb_type=ArbType.REBALANCING, leg_group_id="g", strategy="arb",
            gross_edge_bps=100, expected=1_250_000, fees=0, slippage=0, net_pnl=0, residual=10 * MICRO, residual_cost=4 * MICRO,
            status=ArbStatus.FAILED, started_ns=f.NOW, completed_ns=f.NOW,
        ),
        ArbLeg(
            execution_id=GROUP, account=f.ACCOUNT, number=0, order_id="0x1", market_id=f.market().id, token_id=f.YES,
            side=OrderSide.BUY, expected_price=400_000, filled_price=404_000, size=10 * MICRO, filled=10 * MICRO, unwound=0,
            residual=10 * MICRO, fee=0, slippage_bps=100, status="matched",
        ),
    )  # fmt: skip
