"""The Redis keys of market data, by the specification's names, for those who write and those who read them.

`{…}` values are hashes whose field `data` is a protobuf message; plain values are strings. One trader publishes into a Redis database.
"""

from __future__ import annotations

SUBSCRIBED = "ws:subscribed"
"""Set of the watched token ids."""

MARKET_SECONDS = 300
GROUP_SECONDS = 600


def price(token_id: str) -> str:
    """{PriceLevel: mid price and the shares at both best prices; `timestamp` in nanoseconds}; absent unless the book has two sides."""
    return f"price:{token_id}"


def bids(token_id: str) -> str:
    """Sorted set, members and scores are prices."""
    return f"book:{token_id}:bids"


def asks(token_id: str) -> str:
    """Sorted set, members and scores are prices."""
    return f"book:{token_id}:asks"


def bid_sizes(token_id: str) -> str:
    """Hash, price → shares."""
    return f"book:{token_id}:bid:size"


def ask_sizes(token_id: str) -> str:
    """Hash, price → shares."""
    return f"book:{token_id}:ask:size"


def bbo(token_id: str) -> str:
    """Hash: best_bid, bid_size, best_ask, ask_size ("" where a side is empty), version, timestamp in nanoseconds."""
    return f"book:{token_id}:bbo"


def book(token_id: str) -> tuple[str, str, str, str, str]:
    """Return all keys of a book, in the order in which `orderbook_update.lua` takes them."""
    return bids(token_id), asks(token_id), bid_sizes(token_id), ask_sizes(token_id), bbo(token_id)


def price_history(token_id: str) -> str:
    """Sorted set, member BBO message, score Unix milliseconds."""
    return f"pricehistory:{token_id}"


def of_token(token_id: str) -> tuple[str, ...]:
    """Return all keys that exist only while a token is watched."""
    return *book(token_id), price(token_id), price_history(token_id)


def market(market_id: str) -> str:
    """{Market}, for `MARKET_SECONDS`."""
    return f"market:{market_id}"


def market_of_token(token_id: str) -> str:
    """Market id, for `MARKET_SECONDS`."""
    return f"market:token:{token_id}"


def group(group_id: str) -> str:
    """{ConditionGroup}, for `GROUP_SECONDS`."""
    return f"cg:{group_id}"


def group_of_market(market_id: str) -> str:
    """Group id, for `GROUP_SECONDS`."""
    return f"cg:market:{market_id}"


def book_channel(token_id: str) -> str:
    """Events OrderbookSnapshot and PriceChange."""
    return f"ch:book:{token_id}"


def price_channel(token_id: str) -> str:
    """Events BBO and LastTradePrice."""
    return f"ch:price:{token_id}"
