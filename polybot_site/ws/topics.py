"""What a client may subscribe to, and where it comes from.

Books and prices, the status and the strategies are broadcasts: only the latest counts. Orders, fills, positions, signals and arbitrage executions are
streams: every event counts, has a stream id, and can be asked for again after a disconnection.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

STREAMS = {
    "orders": "stream:orders",
    "fills": "stream:fills",
    "positions": "stream:positions",
    "signals": "stream:signals",
    "arb_profit": "stream:arb:exec",
}
_CHANNELS = {"status": "ch:status", "strategies": "ch:strategy:*", "orderbook": "ch:book:*", "prices": "ch:price:*"}
_PER_ASSET = {"orderbook": "ch:book:", "prices": "ch:price:"}
_ASSET = re.compile(r"[0-9A-Za-z_-]{1,100}", re.ASCII)

ALWAYS = "status"
"""Every client has this topic: its first frame is the trader's status."""


class UnknownTopicError(ValueError):
    """A topic that does not exist; the text lists those that do."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A parsed topic. Either `stream` (a Redis stream) or `channel` is set; `pattern` tells whether the channel is a glob pattern."""

    name: str
    kind: str
    asset: str = ""
    stream: str = ""
    channel: str = ""

    @property
    def pattern(self) -> bool:
        return self.channel.endswith("*")


def parse(name: object) -> Topic:
    """Return the topic called `name`.

    Raises:
        UnknownTopicError: there is none.
    """
    if not isinstance(name, str):
        raise UnknownTopicError(f"topic was {name!r}, expected text")
    kind, colon, asset = name.partition(":")
    if not colon:
        if kind in STREAMS:
            return Topic(name, kind, stream=STREAMS[kind])
        if kind in _CHANNELS:
            return Topic(name, kind, channel=_CHANNELS[kind])
    elif kind in _PER_ASSET and _ASSET.fullmatch(asset):
        return Topic(name, kind, asset=asset, channel=_PER_ASSET[kind] + asset)
    known = ", ".join(sorted([*STREAMS, *_CHANNELS, *(f"{kind}:<asset>" for kind in _PER_ASSET)]))
    raise UnknownTopicError(f"topic was {name[:120]!r}, expected one of {known}")
