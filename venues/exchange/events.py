"""Everything the exchange says: frozen messages that carry all a wire needs, so that it keeps no state of its own.

One step returns events in the order in which they happened: first what time brought about (released and expired orders), then the
command's effects, the book changes, and **last the answer to the command**: `OrderAccepted` or `OrderRefused`, `CancelAnswer`,
`CommandRefused`. Sizes, prices and cash are micro-units, times UTC nanoseconds. Views are snapshots and never change afterwards.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from domain.fill import FillStatus
from domain.market import Market
from domain.order import OrderSide, OrderType


class VenueStatus(StrEnum):
    """Order states in the venue's own words. LIVE covers partly filled orders; only LIVE and DELAYED are open.

    MATCHED is an order that is done because it matched: filled whole, but for a remainder below 0.01 share, or a FAK that took what there was.
    UNMATCHED is a FOK or FAK that found too little; only orders delayed before can be remembered in it.
    """

    LIVE = "LIVE"
    DELAYED = "DELAYED"
    MATCHED = "MATCHED"
    UNMATCHED = "UNMATCHED"
    CANCELED = "CANCELED"
    CANCELED_EXPIRED_ORDER = "CANCELED_EXPIRED_ORDER"
    CANCELED_MARKET_RESOLVED = "CANCELED_MARKET_RESOLVED"
    CANCELED_MARKET_NOT_FOUND = "CANCELED_MARKET_NOT_FOUND"
    CANCELED_NOT_ENOUGH_BALANCE = "CANCELED_NOT_ENOUGH_BALANCE"
    CANCELED_GAME_STARTED = "CANCELED_GAME_STARTED"
    CANCELED_ENGINE_RESTART = "CANCELED_ENGINE_RESTART"

    @property
    def open(self) -> bool:
        return self is VenueStatus.LIVE or self is VenueStatus.DELAYED


class MatchKind(StrEnum):
    """How two orders met: one token changed hands, a new pair was minted for two buyers, or a pair of two sellers was merged."""

    COMPLEMENTARY = "complementary"
    MINT = "mint"
    MERGE = "merge"


class OrderView(msgspec.Struct, frozen=True, gc=False):
    """An order as it stood. `size` is shares, but the cash to spend for a FOK/FAK BUY; `size_matched` is always shares.

    `size_matched` never falls: a trade that failed to settle does not come back to its orders. `cash_matched` is what was given (BUY) or got
    (SELL) for it before fees. `trade_ids` are all trades of the order, failed ones too.
    """

    id: str
    account: str
    condition_id: str
    token_id: str
    side: OrderSide
    price: int
    size: int
    size_matched: int
    cash_matched: int
    order_type: OrderType
    post_only: bool
    status: VenueStatus
    reason: str
    maker_amount: int
    taker_amount: int
    expiration_s: int
    created_ns: int
    updated_ns: int
    trade_ids: tuple[str, ...]


class MakerFill(msgspec.Struct, frozen=True, gc=False):
    """A resting order's part of a trade, in its own terms: its token, side and price. Makers pay no fee."""

    order_id: str
    account: str
    token_id: str
    side: OrderSide
    price: int
    size: int
    cash: int
    kind: MatchKind


class TradeView(msgspec.Struct, frozen=True, gc=False):
    """One taker order at one price level, seen from the taker: its token, side, exact price.

    `cash` is what the taker paid (BUY) or got (SELL) before `fee`. `transaction_hash` is empty until the trade was mined.
    """

    id: str
    taker_order_id: str
    account: str
    condition_id: str
    token_id: str
    side: OrderSide
    price: int
    size: int
    cash: int
    fee: int
    fee_rate: int
    status: FillStatus
    matched_ns: int
    updated_ns: int
    transaction_hash: str
    makers: tuple[MakerFill, ...]


class RefusalCode(StrEnum):
    """Why an order was refused, short and stable; the event's `text` is what the venue says."""

    INVALID_PAYLOAD = "invalid_payload"
    NO_ORDERBOOK = "no_orderbook"
    MARKET_NOT_READY = "market_not_ready"
    DUPLICATED = "duplicated"
    POST_ONLY_TYPE = "post_only_type"
    INVALID_EXPIRATION = "invalid_expiration"
    TICK_SIZE = "tick_size"
    INVALID_AMOUNTS = "invalid_amounts"
    MIN_SIZE = "min_size"
    MARKETABLE_MIN = "marketable_min"
    NOT_ENOUGH_BALANCE = "not_enough_balance"
    POST_ONLY_WOULD_CROSS = "post_only_would_cross"
    FOK_NOT_FILLED = "fok_not_filled"
    FAK_NOT_FILLED = "fak_not_filled"


class OrderAccepted(msgspec.Struct, frozen=True, gc=False):
    """Answer to `PlaceOrder`: the order rests (LIVE), matched at once, fully or in part (MATCHED), or waits (DELAYED).

    `making` is what the order gave so far, `taking` what it got (before fees), both 0 when nothing matched.
    """

    order_id: str
    account: str
    status: VenueStatus
    making: int
    taking: int
    trade_ids: tuple[str, ...]


class OrderRefused(msgspec.Struct, frozen=True, gc=False):
    """Answer to `PlaceOrder`: the order was not taken and is not remembered."""

    order_id: str
    account: str
    code: RefusalCode
    text: str


class CancelAnswer(msgspec.Struct, frozen=True, gc=False):
    """Answer to the three cancel commands: ids that were cancelled, and the venue's reason for each that was not."""

    account: str
    canceled: tuple[str, ...]
    not_canceled: dict[str, str]


class CommandRefused(msgspec.Struct, frozen=True, gc=False):
    """Answer to any other command that could not be carried out; nothing changed. `command` is its type's name."""

    command: str
    text: str


class OrderPlaced(msgspec.Struct, frozen=True, gc=False):
    """An order was taken (user channel PLACEMENT); nothing of it has matched yet, `status` is LIVE or DELAYED."""

    order: OrderView


class OrderUpdated(msgspec.Struct, frozen=True, gc=False):
    """An order matched, or was released from its delay into the book (user channel UPDATE)."""

    order: OrderView


class OrderCanceled(msgspec.Struct, frozen=True, gc=False):
    """An order ended otherwise than by matching (user channel CANCELLATION). Also sent for a FOK or FAK that was killed."""

    order: OrderView


class TradeMatched(msgspec.Struct, frozen=True, gc=False):
    """A new trade, status MATCHED: the givers' funds are in flight, nobody has received anything yet."""

    trade: TradeView


class TradeMoved(msgspec.Struct, frozen=True, gc=False):
    """A trade's settlement went on: CONFIRMED delivered both sides, FAILED gave both back."""

    trade: TradeView


class LevelChange(msgspec.Struct, frozen=True, gc=False):
    """The new absolute size at one price of one token's book, 0 when the level is gone.

    `best_bid` and `best_ask` are the token's after the whole step; an empty side reads 0 and 1_000_000.
    """

    token_id: str
    side: OrderSide
    price: int
    size: int
    best_bid: int
    best_ask: int


class BookChanged(msgspec.Struct, frozen=True, gc=False):
    """All levels of one market that a step changed. Every level appears twice: for its token, then mirrored for the other one."""

    condition_id: str
    levels: tuple[LevelChange, ...]


class RestingOrder(msgspec.Struct, frozen=True, gc=False):
    """What remains of an order in the book, in terms of the market's first token: buying the second at p is selling the first at 1 − p."""

    order_id: str
    account: str
    is_bid: bool
    price: int
    size: int
    created_ns: int


class MarketListed(msgspec.Struct, frozen=True, gc=False):
    market: Market


class TickChanged(msgspec.Struct, frozen=True, gc=False):
    condition_id: str
    token_ids: tuple[str, str]
    old_tick: int
    new_tick: int


class AcceptingChanged(msgspec.Struct, frozen=True, gc=False):
    condition_id: str
    accepting: bool


class BookSwitched(msgspec.Struct, frozen=True, gc=False):
    """A market lost its book, with all levels at once and no `BookChanged`, or got it back with the levels its resting orders make."""

    condition_id: str
    open: bool


class OrdersLost(msgspec.Struct, frozen=True, gc=False):
    """These open orders are gone without having ended: nobody is told, and they are not remembered."""

    order_ids: tuple[str, ...]


class MarketResolved(msgspec.Struct, frozen=True, gc=False):
    """A market ended. `payouts` are micro-dollars a share of each token; `winner` is None when both pay half."""

    condition_id: str
    token_ids: tuple[str, str]
    winner: int | None
    payouts: tuple[int, int]


class FundsReason(StrEnum):
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    SPLIT = "split"
    MERGE = "merge"
    REDEMPTION = "redemption"
    CONVERSION = "conversion"
    TRANSFER = "transfer"
    REWARD = "reward"
    MAKER_REBATE = "maker_rebate"


class FundsMoved(msgspec.Struct, frozen=True, gc=False):
    """Settled funds changed outside trading: `cash` and `tokens` (by token id) are signed changes."""

    account: str
    reason: FundsReason
    condition_id: str
    cash: int
    tokens: dict[str, int]


class Pruned(msgspec.Struct, frozen=True, gc=False):
    """These ended orders and trades, and these resolved markets, are forgotten."""

    order_ids: tuple[str, ...]
    trade_ids: tuple[str, ...]
    condition_ids: tuple[str, ...]


Event = (
    OrderAccepted
    | OrderRefused
    | CancelAnswer
    | CommandRefused
    | OrderPlaced
    | OrderUpdated
    | OrderCanceled
    | TradeMatched
    | TradeMoved
    | BookChanged
    | MarketListed
    | TickChanged
    | AcceptingChanged
    | BookSwitched
    | OrdersLost
    | MarketResolved
    | FundsMoved
    | Pruned
)


class Balance(msgspec.Struct, frozen=True, gc=False):
    """An account's holding of one asset. `settled` is what the chain, and therefore the balance API, shows.

    `reserved` is bound by open orders, `outgoing` and `incoming` belong to trades that have not settled; `incoming` cannot be spent yet.
    """

    settled: int = 0
    reserved: int = 0
    outgoing: int = 0
    incoming: int = 0

    @property
    def available(self) -> int:
        """What a new order, withdrawal, split or merge may use."""
        return self.settled - self.reserved - self.outgoing


class BookView(msgspec.Struct, frozen=True, gc=False):
    """One token's book: (price, size) levels, bids ascending and asks descending, so the best level is the last."""

    token_id: str
    condition_id: str
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    tick: int
    last_trade_price: int | None
