"""Everything that can happen to a simulated venue from outside, as the lines of its command log.

A venue's state is its seed plus these, in order: agents, settlements and resolutions follow from the ticks. Addresses are checksummed,
amounts base units (micro), `order_id` is the EIP-712 digest; what was signed has been verified before an input is made.
"""

from __future__ import annotations

import msgspec


class Tick(msgspec.Struct, frozen=True, tag="tick"):
    """Time has come so far: agents act, settlements and resolutions that are due happen. `mark` is the state's fingerprint before it."""

    mark: int


class CreateKey(msgspec.Struct, frozen=True, tag="key"):
    """A wallet makes the API key of one nonce."""

    address: str
    nonce: int


class DeleteKey(msgspec.Struct, frozen=True, tag="unkey"):
    """An API key ends."""

    api_key: str


class Fund(msgspec.Struct, frozen=True, tag="fund"):
    """The faucet gives `amount` to `wallet`, which `owner`'s key controls under `signature_type`."""

    wallet: str
    owner: str
    signature_type: int
    amount: int


class Place(msgspec.Struct, frozen=True, tag="place"):
    """A signed order arrives. `side` is "buy" or "sell", `expiration` Unix seconds (0: none), `api_key` the envelope's owner."""

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


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """The owner of `accounts` cancels orders by id."""

    accounts: tuple[str, ...]
    order_ids: tuple[str, ...]


class CancelMarket(msgspec.Struct, frozen=True, tag="cancel_market"):
    """The owner of `accounts` cancels all orders, or those of one market ("" for any) and token ("" for any)."""

    accounts: tuple[str, ...]
    condition_id: str
    token_id: str


Input = Tick | CreateKey | DeleteKey | Fund | Place | Cancel | CancelMarket
