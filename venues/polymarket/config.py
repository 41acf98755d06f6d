"""Where the venue is and whose orders are placed. Hosts can be set, so that the same client speaks to a simulated venue.

A plain-text host that is not this machine is refused: requests carry API secrets.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from venues.polymarket.contracts import POLYGON
from venues.polymarket.eip712 import bytes32
from venues.polymarket.signing import SignatureType

VENUE = "polymarket"
USER_AGENT = "Mozilla/5.0 (compatible; polybot)"
"""The venue's proxy refuses the default agents of HTTP libraries."""

_BELOW_A_PATH = frozenset({"gamma_url", "data_url", "relayer_url", "rpc_url"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PolymarketConfig:
    """Hosts without a trailing slash (`gamma_url`, `data_url`, `relayer_url` and `rpc_url` may have a path), and the account's wallet.

    `funder` is the wallet that holds the money: the key's own address for type 0 (may be left empty), the proxy, Safe or deposit wallet
    for types 1 to 3. `account` is the name under which orders and fills are booked (`sim:…`, `live:…`), `venue` the one that markets
    carry: a simulated venue's are not the real one's. `builder` is the bytes32 code that orders are credited to, empty for none.
    """

    account: str
    venue: str = VENUE
    clob_url: str = "https://clob.polymarket.com"
    gamma_url: str = "https://gamma-api.polymarket.com"
    data_url: str = "https://data-api.polymarket.com"
    ws_url: str = "wss://ws-subscriptions-clob.polymarket.com"
    relayer_url: str = "https://relayer-v2.polymarket.com"
    rpc_url: str = "https://polygon.drpc.org"
    chain_id: int = POLYGON
    signature_type: SignatureType = SignatureType.EOA
    funder: str = ""
    builder: str = ""

    def __post_init__(self) -> None:
        if not self.account:
            raise ValueError("account was empty, expected a name such as 'live:0x…'")
        for name, url, schemes in (
            ("clob_url", self.clob_url, ("https", "http")),
            ("gamma_url", self.gamma_url, ("https", "http")),
            ("data_url", self.data_url, ("https", "http")),
            ("ws_url", self.ws_url, ("wss", "ws")),
            ("relayer_url", self.relayer_url, ("https", "http")),
            ("rpc_url", self.rpc_url, ("https", "http")),
        ):
            _check_host(name, url, schemes)
        if self.builder:
            bytes32(self.builder)
        if self.signature_type is not SignatureType.EOA and not self.funder:
            raise ValueError(f"funder was empty, expected the wallet's address for {self.signature_type.name}")


def _check_host(name: str, url: str, schemes: tuple[str, str]) -> None:
    parts = urlsplit(url)
    secure, plain = schemes
    # The order book and the channels lie at the root, because requests sign their path; a local venue serves everything else below one.
    path_allowed = name in _BELOW_A_PATH and not parts.path.endswith("/")
    if (
        parts.scheme not in schemes
        or not parts.hostname
        or parts.query
        or parts.username
        or (parts.path and not path_allowed)
    ):
        raise ValueError(f"{name} was {url!r}, expected {secure}://host[:port] without a path")
    if parts.scheme == plain and parts.hostname not in _LOOPBACK:
        raise ValueError(f"{name} was {url!r}, expected {secure}:// (plain text is for this machine only)")
