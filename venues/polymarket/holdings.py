"""Which tokens the venue's index finds in a wallet (implements `domain.ports.HoldingsIndex`): a hint at shares that came without an order of ours.

It lags behind the chain by seconds to minutes, and what it says of another wallet is left out. Source: the venue's documentation of /v2/positions.
"""

from __future__ import annotations

import msgspec

from venues.polymarket.data_pages import read_pages
from venues.polymarket.http import HttpClient

_PATH = "/v2/positions"


class _Position(msgspec.Struct):
    token_id: str
    proxy_wallet: str


class IndexedHoldings:
    """Reads the tokens of `wallet`, the one that holds the funds."""

    def __init__(self, http: HttpClient, wallet: str) -> None:
        self._http = http
        self._wallet = wallet

    async def tokens(self) -> list[str]:
        """Return the tokens of open positions, each once."""
        query = (("user", self._wallet), ("status", "OPEN"))
        found = await read_pages(self._http, _PATH, query, _Position)
        ours = (position for position in found if position.proxy_wallet.lower() == self._wallet.lower())
        return list(dict.fromkeys(position.token_id for position in ours))
