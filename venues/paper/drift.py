"""How far a paper twin and the account it follows are apart: fills, prices and profit, order by order and in sum. Pure.

Money is micro-dollars, sizes micro-shares. Only the orders of this session are compared, the newest `MOST_PAIRS` of them. Profit is what was got for
what was bought and sold, after fees, with what is still held at the best bid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from domain.fill import FillStatus, Liquidity
from domain.money import MICRO
from domain.order import OrderDraft, OrderSide
from domain.reports import TradeReport

MOST_PAIRS = 5_000


@dataclass(slots=True)
class Side:
    """What one of two orders came to. `refused` says why it was not taken, "" when it was."""

    filled: int = 0
    cash: int = 0
    fees: int = 0
    refused: str = ""

    @property
    def average(self) -> int:
        """Average price in micro-dollars, 0 before the first fill."""
        return self.cash * MICRO // self.filled if self.filled else 0


@dataclass(slots=True)
class Pair:
    """One decided order, as it went live and as it went on paper. `trades` are the live ones by id."""

    draft: OrderDraft
    live: Side = field(default_factory=Side)
    twin: Side = field(default_factory=Side)
    twin_id: str = ""
    trades: dict[str, TradeReport] = field(default_factory=dict)

    def live_trade(self, report: TradeReport) -> None:
        """Take over the venue's word on one of the live trades; a failed one never happened."""
        self.trades[report.trade_id] = report
        counted = [each for each in self.trades.values() if each.status is not FillStatus.FAILED]
        fees = self.draft.market.fees
        self.live.filled = sum(each.size for each in counted)
        self.live.cash = sum(each.price * each.size // MICRO for each in counted)
        self.live.fees = sum(
            fees.taker_fee(each.price, each.size) for each in counted if each.liquidity is Liquidity.TAKER
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The difference now. `slippage` is what the live account paid beyond its twin for the shares that both got (negative: less).

    `refused_live` and `refused_twin` count orders that only one of the two took. `failures` of the twin influence nothing but these figures.
    """

    account: str
    twin: str
    since_ns: int
    orders: int
    refused_live: int
    refused_twin: int
    filled_live: int
    filled_twin: int
    filled_only_live: int
    filled_only_twin: int
    slippage: int
    fees_live: int
    fees_twin: int
    profit_live: int
    profit_twin: int
    failures: int


def drift(
    pairs: Iterable[Pair], mark: Callable[[str], int], *, account: str, twin: str, since_ns: int, failures: int
) -> Drift:
    """Sum up `pairs`. `mark` is what a share of a token is worth now."""
    all_pairs = list(pairs)
    return Drift(
        account=account,
        twin=twin,
        since_ns=since_ns,
        orders=len(all_pairs),
        refused_live=sum(1 for each in all_pairs if each.live.refused and not each.twin.refused),
        refused_twin=sum(1 for each in all_pairs if each.twin.refused and not each.live.refused),
        filled_live=sum(each.live.filled for each in all_pairs),
        filled_twin=sum(each.twin.filled for each in all_pairs),
        filled_only_live=sum(max(0, each.live.filled - each.twin.filled) for each in all_pairs),
        filled_only_twin=sum(max(0, each.twin.filled - each.live.filled) for each in all_pairs),
        slippage=sum(_slippage(each) for each in all_pairs),
        fees_live=sum(each.live.fees for each in all_pairs),
        fees_twin=sum(each.twin.fees for each in all_pairs),
        profit_live=sum(_profit(each.draft, each.live, mark) for each in all_pairs),
        profit_twin=sum(_profit(each.draft, each.twin, mark) for each in all_pairs),
        failures=failures,
    )


def _slippage(pair: Pair) -> int:
    both = min(pair.live.filled, pair.twin.filled)
    worse = pair.live.average - pair.twin.average
    return both * (worse if pair.draft.side is OrderSide.BUY else -worse) // MICRO


def _profit(draft: OrderDraft, side: Side, mark: Callable[[str], int]) -> int:
    """A sale counts against the worth of what it gave away, so that profit does not depend on how shares were come by."""
    worth = side.filled * mark(draft.token_id) // MICRO if side.filled else 0
    gained = worth - side.cash if draft.side is OrderSide.BUY else side.cash - worth
    return gained - side.fees
