"""A WebSocket server that keeps the venue's rules: subscribe first, text PING answered with PONG, books on subscription.

Tests steer it: what books there are, which frames it pushes, whether it goes silent, deaf to pings or away.
"""

import asyncio
import json
from collections import deque
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

CONDITION = "0x" + "ab" * 32


def book(token: str, bid: str = "0.48", ask: str = "0.52", stamp: int = 1000) -> dict:
    return {
        "market": CONDITION, "asset_id": token, "timestamp": str(stamp), "hash": "", "bids": [{"price": bid, "size": "10"}],
        "asks": [{"price": ask, "size": "10"}], "tick_size": "0.01", "event_type": "book",
    }  # fmt: skip


def price_change(token: str, bid: str = "0.49", ask: str = "0.52", stamp: int = 2000) -> bytes:
    changes = [
        {"asset_id": token, "price": bid, "size": "5", "side": "BUY", "hash": "x", "best_bid": bid, "best_ask": ask}
    ]
    frame = {"market": CONDITION, "price_changes": changes, "timestamp": str(stamp), "event_type": "price_change"}
    return json.dumps(frame, separators=(",", ":")).encode()


class VenueSockets:
    """The server's side: `received` are all JSON frames, `log` also notes PING and closes, `connections` those open now."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[dict] = []
        self.log: list[str] = []
        self.connections: list[ServerConnection] = []
        self.accepted = 0
        self.books: dict[str, dict] = {}
        self.answers_pings = True
        self.dumps_books = True
        self.refuse_next: deque[int] = deque()

    async def serve_one(self, socket: ServerConnection) -> None:
        self.accepted += 1
        self.connections.append(socket)
        subscribed = False
        try:
            async for text in socket:
                if text == "PING":
                    self.log.append("PING")
                    if not subscribed:
                        await socket.close(1008, "invalid subscription payload")
                    elif self.answers_pings:
                        await socket.send("PONG")
                    continue
                frame = json.loads(text)
                self.received.append(frame)
                self.log.append(frame.get("operation") or frame["type"])
                subscribed = True
                if frame.get("operation") != "unsubscribe" and self.dumps_books and "assets_ids" in frame:
                    known = [self.books[token] for token in frame["assets_ids"] if token in self.books]
                    await socket.send(json.dumps(known, separators=(",", ":")))
        except ConnectionClosed:
            self.log.append("gone")
        finally:
            self.connections.remove(socket)

    async def push(self, *frames: bytes | dict | list) -> None:
        for socket in list(self.connections):
            for frame in frames:
                text = frame.decode() if isinstance(frame, bytes) else json.dumps(frame, separators=(",", ":"))
                with suppress(ConnectionClosed):
                    await socket.send(text)

    async def drop_all(self) -> None:
        """Cut every connection without a close frame."""
        for socket in list(self.connections):
            socket.transport.abort()
        await until(lambda: not self.connections)


@asynccontextmanager
async def venue_sockets():
    sockets = VenueSockets()
    async with serve(sockets.serve_one, "127.0.0.1", 0, ping_interval=None, max_size=None) as server:
        port = server.sockets[0].getsockname()[1]
        sockets.url = f"ws://127.0.0.1:{port}"
        yield sockets


async def until(condition, seconds: float = 5.0) -> None:
    """Wait until `condition()` holds; fail when it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition looks at other programs' doings
            await asyncio.sleep(0.005)
