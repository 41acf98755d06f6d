"""A customer of the platform who never pauses: places, fills, leaves and cancels small orders through the API, so that a death hits a trader at work.

What a dead or recovering site answers is no error of the customer's: it tries again. `asked` counts what was asked for.
"""

from __future__ import annotations

import random
import threading
import urllib.error
from collections import Counter
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Any

from tests.e2e.running import Platform

_PAUSES = (0.05, 0.4)
_REFRESH = 20
"""After so many orders the markets are read again."""
_LEAST_DOLLARS = Decimal("1.2")
_FAR = 5
"""Ticks below the best bid where an order rests unfilled."""


class Customer:
    """Trades in a thread of its own, on choices of `rng`, until `stop`."""

    def __init__(self, platform: Platform, rng: random.Random) -> None:
        self.asked: Counter[str] = Counter()
        self._platform = platform
        self._rng = rng
        self._stop = threading.Event()
        self._pause = threading.Event()
        self._markets: list[Any] = []
        self._thread = threading.Thread(target=self._trade, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def pause(self) -> None:
        self._pause.set()

    def resume(self) -> None:
        self._pause.clear()

    @property
    def working(self) -> bool:
        """Whether the thread goes on; what ends it is an error of this module."""
        return self._thread.is_alive()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _trade(self) -> None:
        while not self._stop.wait(self._rng.uniform(*_PAUSES)):
            if self._pause.is_set():
                continue
            try:
                self._one()
            except urllib.error.HTTPError as error:
                self.asked[f"answered {error.code}"] += 1
                error.close()
            except (OSError, ValueError):
                self.asked["not answered"] += 1

    def _one(self) -> None:
        if not self._markets or sum(self.asked.values()) % _REFRESH == 0:
            listed = self._platform.get("/api/markets?status=active&limit=100")["results"]
            self._markets = [each for each in listed if each["best_bid"] and each["best_ask"]]
        if not self._markets:  # the prices' server was killed a moment ago
            return
        wanted = self._rng.choices((self._buy, self._rest, self._sell, self._cancel), (9, 5, 5, 1))[0]
        wanted()

    def _buy(self) -> None:
        market = self._rng.choice(self._markets)
        price = Decimal(market["best_ask"])
        self._place(market["token_ids"][0], "buy", price, self._size(market, price), order_type="FAK")

    def _rest(self) -> None:
        market = self._rng.choice(self._markets)
        tick = Decimal(market["tick"])
        price = max(Decimal(market["best_bid"]) - _FAR * tick, tick)
        self._place(market["token_ids"][0], "buy", price, self._size(market, price), post_only=True)

    def _sell(self) -> None:
        held = [each for each in self._platform.get("/api/positions?status=open")["results"] if each["mark_price"]]
        if held:
            position = self._rng.choice(held)
            size = Decimal(position["settled"]).quantize(Decimal("0.01"), ROUND_DOWN)
            price = Decimal(position["mark_price"])
            if size:
                self._place(position["token_id"], "sell", price, size, order_type="FAK", effect="reduce")

    def _cancel(self) -> None:
        self._platform.delete("/api/orders")
        self.asked["cancel all"] += 1

    def _size(self, market: Any, price: Decimal) -> Decimal:
        return max(Decimal(market["min_size"]), (_LEAST_DOLLARS / price).quantize(Decimal(1), ROUND_UP))

    def _place(self, token_id: str, side: str, price: Decimal, size: Decimal, **more: Any) -> None:
        order = {"token_id": token_id, "side": side, "price": f"{price:f}", "size": f"{size:f}", **more}
        answer = self._platform.post("/api/orders", order)
        self.asked[f"{side} {answer['status']}"] += 1
