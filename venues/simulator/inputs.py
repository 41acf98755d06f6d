"""Everything that can happen to a simulated venue from outside, as the lines of its command log.

A venue's state is its seed plus these, in order: agents, settlements and resolutions follow from the ticks. Addresses are checksummed,
amounts base units (micro), `order_id` is the EIP-712 digest; what was signed has been verified before an input is made.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from venues.simulator.chain.pool import Signed
from venues.simulator.chain.relays import RelayRequest


class Tick(msgspec.Struct, frozen=True, tag="tick"):
    """Time has come so far: agents act, settlements and resolutions that are due happen. `mark` is the state's fingerprint before it."""

    mark: int


class CreateKey(msgspec.Struct, frozen=True, tag="key"):
    """A wallet makes the API key of one nonce."""

    address: str
    nonce: int


class IssueKey(msgspec.Struct, frozen=True, tag="issue"):
    """An address gets another key that is not for trading."""

    address: str
    kind: Literal["readonly", "builder"]


class DeleteKey(msgspec.Struct, frozen=True, tag="unkey"):
    """A key of any kind ends."""

    api_key: str


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """A valid beat of the dead man's switch of an API key."""

    api_key: str


class DropNotices(msgspec.Struct, frozen=True, tag="drop"):
    """The owner of `accounts` drops notifications by number, all of them when none is named."""

    accounts: tuple[str, ...]
    numbers: tuple[int, ...]


class Fund(msgspec.Struct, frozen=True, tag="fund"):
    """The faucet gives `amount` of an asset to `wallet`, which `owner`'s key controls under `signature_type`; `approved`: with all approvals."""

    wallet: str
    owner: str
    signature_type: int
    amount: int
    approved: bool = True
    asset: Literal["pusd", "usdce"] = "pusd"


class Place(msgspec.Struct, frozen=True, tag="place"):
    """A signed order arrives. `side` is "buy" or "sell", `expiration` Unix seconds (0: none), `api_key` the envelope's owner,
    `builder` the builder code it names ("" for none)."""

    order_id: str
    account: str
    api_key: str
    token_id: str
    side: str
    maker_amount: int
    taker_amount: int
    order_type: str
    post_only: bool
    expiration: int
    builder: str = ""


class Reread(msgspec.Struct, frozen=True, tag="reread"):
    """The order gateway reads a wallet's approvals from the chain again."""

    wallet: str


class Reorg(msgspec.Struct, frozen=True, tag="reorg"):
    """The last `depth` blocks of the chain are replaced."""

    depth: int


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """The owner of `accounts` cancels orders by id."""

    accounts: tuple[str, ...]
    order_ids: tuple[str, ...]


class CancelMarket(msgspec.Struct, frozen=True, tag="cancel_market"):
    """The owner of `accounts` cancels all orders, or those of one market ("" for any) and token ("" for any)."""

    accounts: tuple[str, ...]
    condition_id: str
    token_id: str


class SetEngine(msgspec.Struct, frozen=True, tag="engine"):
    """The matching engine goes into another mode, for `milliseconds` (0: until changed again)."""

    mode: Literal["open", "post_only", "cancel_only", "disabled", "down"]
    milliseconds: int = 0


class RestartEngine(msgspec.Struct, frozen=True, tag="restart"):
    """The matching engine restarts: down, then post-only. Resting orders are kept, cancelled, or lost without a word to anyone."""

    down_ms: int = 90_000
    post_only_ms: int = 120_000
    orders: Literal["kept", "cancelled", "lost"] = "kept"


class SetAccount(msgspec.Struct, frozen=True, tag="account"):
    """An address (of a wallet or its owner, checksummed) gets another standing."""

    address: str
    standing: Literal["normal", "allow_listed", "closed_only", "banned"]


class SetSwitch(msgspec.Struct, frozen=True, tag="switch"):
    """A venue-wide switch is turned; see `modes.Switch`."""

    name: Literal["geoblock", "listed_plain_wallets", "refusals_in_200"]
    on: bool


class SetMarket(msgspec.Struct, frozen=True, tag="market"):
    """A market takes orders, does not take them, or has no book any more (reads answer 404; it may come back as "ready").

    Without a book its resting orders stay, unseen, and can be cancelled; with `clear` they are cancelled.
    """

    condition_id: str
    state: Literal["ready", "not_ready", "no_book"]
    clear: bool = False


class EndEvent(msgspec.Struct, frozen=True, tag="end"):
    """An event's outcome is known before its time: all its markets resolve now."""

    event_id: str


ModeChange = SetEngine | RestartEngine | SetAccount | SetSwitch | SetMarket
"""What makes the venue behave in one of the ways a client must survive."""


class ChangeTick(msgspec.Struct, frozen=True, tag="tick_size"):
    """A market gets another tick, in micro-dollars; resting orders keep their prices."""

    condition_id: str
    tick: int


class HoldOrders(msgspec.Struct, frozen=True, tag="hold"):
    """Orders that match at once in a market are delayed by `milliseconds` from now on (0: no more)."""

    condition_id: str
    milliseconds: int


class Divert(msgspec.Struct, frozen=True, tag="divert"):
    """An unsettled trade settles by these steps and no others: seconds from now, and the status it then gets ("FAILED"). None: never."""

    trade_id: str
    steps: tuple[tuple[float, str], ...]


Misfortune = ChangeTick | HoldOrders | Divert
"""What befalls a market or a trade when a fault strikes it."""

ChainInput = RelayRequest | Signed | Reread | Reorg
"""What happens to the chain from outside."""

Input = (
    Tick
    | CreateKey
    | IssueKey
    | DeleteKey
    | Heartbeat
    | DropNotices
    | Fund
    | Place
    | Cancel
    | CancelMarket
    | EndEvent
    | ChainInput
    | ModeChange
    | Misfortune
)
