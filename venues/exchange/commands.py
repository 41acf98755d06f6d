"""Everything that can be asked of the exchange: frozen messages, each tagged with its type, so that a log of them can be decoded again.

`msgspec.json.Decoder(Command)` reads what `msgspec.json.Encoder` wrote. Accounts are plain names chosen by the caller (a wallet address, an
agent's name); an account exists from its first deposit. Amounts are micro-units, times UTC nanoseconds unless a name says otherwise.
A command that cannot be carried out changes nothing and is answered by `OrderRefused` or `CommandRefused`, never by an exception.
"""

from __future__ import annotations

import msgspec

from domain.fill import FillStatus
from domain.market import Market
from domain.order import OrderSide, OrderType
from venues.exchange.events import FundsReason, VenueStatus


class ListMarket(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Open a market for trading. `market` says everything: tokens, tick, minimum size, fees, taker delay."""

    market: Market


class SetTick(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Change a market's tick size. Resting orders keep their prices; new orders must lie on the new grid."""

    condition_id: str
    tick: int


class SetDelay(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Hold orders that match at once for `delay_ms` from now on, 0 for not at all. Orders already held keep their time."""

    condition_id: str
    delay_ms: int


class SetAccepting(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Stop or resume taking new orders. Resting orders stay and can be cancelled; delayed ones are cancelled on release."""

    condition_id: str
    accepting: bool


class SetBook(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Take a market's book away, or give it back. Without one there are no reads, orders are refused and delayed ones cancelled; resting
    orders stay, keep what they reserve, and can be cancelled."""

    condition_id: str
    open: bool


class EndOrders(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The venue cancels every open order of a market, or of all with "", as `status`; with `delayed_only` those that still wait."""

    condition_id: str
    status: VenueStatus
    reason: str = ""
    delayed_only: bool = False


class LoseOrders(msgspec.Struct, frozen=True, gc=False, tag=True):
    """The venue forgets every open order, as if it had never been taken: its id may be used again. Trades stay."""


class Resolve(msgspec.Struct, frozen=True, gc=False, tag=True):
    """End a market: `winner` is the index of the token that pays one dollar, None when both pay fifty cents.

    Open orders are cancelled (`CANCELED_MARKET_RESOLVED`). Trades in flight may still settle.
    """

    condition_id: str
    winner: int | None


class Deposit(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Bring `amount` of collateral into the exchange; `reason` says what it is (a deposit, or a payment of the venue's own)."""

    account: str
    amount: int
    reason: FundsReason = FundsReason.DEPOSIT


class Withdraw(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Take `amount` of available collateral out of the exchange."""

    account: str
    amount: int


class Split(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Turn `amount` of collateral into `amount` shares of each token of a market."""

    account: str
    condition_id: str
    amount: int


class Merge(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Turn `amount` shares of each token of a market back into collateral."""

    account: str
    condition_id: str
    amount: int


class Redeem(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Pay out one account's tokens of a resolved market: `amount` of one token when it is named, all of both otherwise.

    What is still in flight stays for a later call.
    """

    account: str
    condition_id: str
    token_id: str = ""
    amount: int = 0


class RedeemAll(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Pay out every account's tokens of a resolved market (the venue's auto-redeem), except those of accounts that `keep` theirs."""

    condition_id: str
    keep: tuple[str, ...] = ()


class Transfer(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Move `amount` of collateral ("") or of one token from `account` to `to`."""

    account: str
    to: str
    token_id: str
    amount: int


class Convert(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Turn `amount` second tokens (NO) of some markets of an exclusive set into first tokens (YES) of all the others and collateral.

    `condition_ids` is the whole set, `given` the indexes whose NO is given; n of them bring (n - 1) times the amount in collateral. Of all
    that is brought `fee` a unit of `amount` stays with `pool`, which also keeps the NO tokens and answers for the set: exactly one YES pays.
    """

    account: str
    pool: str
    condition_ids: tuple[str, ...]
    given: tuple[int, ...]
    amount: int
    fee: int = 0


class PlaceOrder(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Place an order with the amounts its maker signed.

    BUY gives `maker_amount` of collateral for `taker_amount` shares, SELL the reverse; their ratio is the limit price and must lie exactly on
    the market's grid (the share amount of a FOK/FAK BUY may be cut to the allowed decimals). `expiration_s` is in Unix seconds, for
    GTD only, 0 otherwise; the venue stops the order 60 s earlier.
    """

    order_id: str
    account: str
    token_id: str
    side: OrderSide
    order_type: OrderType
    maker_amount: int
    taker_amount: int
    expiration_s: int = 0
    post_only: bool = False


class Quote(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Let what somebody bids at another venue rest here: `size` shares of a token at `price`, which may be of any size but must not match at once.

    Who offers a token at p bids for its complement at 1 - p.
    """

    order_id: str
    account: str
    token_id: str
    price: int
    size: int


class Hit(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Let `account` take `size` shares of the resting order `target`, as trades at another venue say: at its price, past all others.

    `account` pays with collateral: it buys what the target sells, or the complement of what it buys. `order_id` is the new order's.
    """

    order_id: str
    account: str
    target: str
    size: int


class SetTerms(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Take over tick, minimum size, fees, taker delay, and whether orders are accepted, from `market`. Resting orders stay."""

    market: Market


class CancelOrders(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Cancel the named orders of `account`."""

    account: str
    order_ids: tuple[str, ...]


class CancelAll(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Cancel every open order of `account`."""

    account: str


class CancelMarketOrders(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Cancel every open order of `account` in a market, on a token, or both; "" matches any, at least one must be given."""

    account: str
    condition_id: str = ""
    token_id: str = ""


class Settle(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Move a trade along its settlement: mined, confirmed, retrying or failed. The driver decides when and what."""

    trade_id: str
    status: FillStatus


class Advance(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Only let time pass: delayed orders are released and GTD orders stopped, as before every other command."""


class Prune(msgspec.Struct, frozen=True, gc=False, tag=True):
    """Forget orders and trades that ended before `before_ns`, and markets resolved before it that have no trace left: no order, no trade, no
    token held, no collateral (the dust of an even split keeps its market). What is forgotten would be taken for new."""

    before_ns: int


Command = (
    ListMarket
    | SetTick
    | SetDelay
    | SetAccepting
    | SetBook
    | EndOrders
    | LoseOrders
    | Resolve
    | Deposit
    | Withdraw
    | Split
    | Merge
    | Redeem
    | RedeemAll
    | Transfer
    | Convert
    | PlaceOrder
    | Quote
    | Hit
    | SetTerms
    | CancelOrders
    | CancelAll
    | CancelMarketOrders
    | Settle
    | Advance
    | Prune
)
