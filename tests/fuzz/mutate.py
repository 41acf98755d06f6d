"""Frames that a broken or hostile venue might send: bytes and JSON of good frames, damaged at random from a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

HOSTILE_TEXTS = (
    "", "0", "-0", "1", "-1", "0.5", "0.005", "1.01", "-0.3", "1e9", "1e-7", "9" * 40, "0." + "3" * 30, "NaN", "Infinity", "-Infinity", "0x1F",
    "1_0", " 0.5 ", "0,5", "½", "٣", "null", "BUY", "SELL", "buy", "\u0000", "😀", "71321", "52114", "1777374009999", "99999999999999999999",
)  # fmt: skip
HOSTILE_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, 2**53, -(2**63), 10**30, 1e308, [], {}, [[]], [None], {"price": "0.5"}, [{"price": "0.5", "size": "1"}],
    *HOSTILE_TEXTS,
)  # fmt: skip


class Mutator:
    """Damages frames of a corpus, the same way every time for a seed."""

    def __init__(self, corpus: list[bytes], seed: int) -> None:
        self._corpus = corpus
        self._rng = random.Random(seed)
        self._byte_ways: tuple[Callable[[bytearray], None], ...] = (
            self._flip, self._overwrite, self._delete, self._repeat, self._truncate, self._splice, self._number,
        )  # fmt: skip

    def frame(self, base: bytes | None = None) -> bytes:
        """Return a damaged copy of `base`, or of any frame of the corpus."""
        data = self._rng.choice(self._corpus) if base is None else base
        if self._rng.random() < 0.5:
            return self._damage_json(data)
        return self._damage_bytes(data)

    def _damage_bytes(self, data: bytes) -> bytes:
        damaged = bytearray(data)
        for _ in range(self._rng.choice((1, 1, 1, 2, 3))):
            if damaged:
                self._rng.choice(self._byte_ways)(damaged)
        return bytes(damaged)

    def _flip(self, data: bytearray) -> None:
        data[self._rng.randrange(len(data))] ^= 1 << self._rng.randrange(8)

    def _overwrite(self, data: bytearray) -> None:
        data[self._rng.randrange(len(data))] = self._rng.choice(b'{}[]",:.-+eE0159nul\\ \x00\xff')

    def _delete(self, data: bytearray) -> None:
        start, length = self._span(data)
        del data[start : start + length]

    def _repeat(self, data: bytearray) -> None:
        start, length = self._span(data)
        data[start:start] = data[start : start + length] * self._rng.choice((1, 1, 2, 50))

    def _truncate(self, data: bytearray) -> None:
        del data[self._rng.randrange(len(data)) :]

    def _splice(self, data: bytearray) -> None:
        other = self._rng.choice(self._corpus)
        data[self._rng.randrange(len(data)) :] = other[self._rng.randrange(len(other)) :]

    def _number(self, data: bytearray) -> None:
        """Replace one run of digits."""
        digits = [i for i, byte in enumerate(data) if 48 <= byte <= 57]
        if digits:
            start = self._rng.choice(digits)
            end = start
            while end < len(data) and (48 <= data[end] <= 57 or data[end] == 46):
                end += 1
            data[start:end] = self._rng.choice(HOSTILE_TEXTS).encode()

    def _span(self, data: bytearray) -> tuple[int, int]:
        return self._rng.randrange(len(data)), self._rng.choice((1, 1, 2, 5, 20))

    def _damage_json(self, data: bytes) -> bytes:
        try:
            tree = json.loads(data)
        except ValueError:
            return self._damage_bytes(data)
        for _ in range(self._rng.choice((1, 1, 1, 2, 3))):
            tree = self._damage_tree(tree)
        return json.dumps(tree, separators=(",", ":"), ensure_ascii=self._rng.random() < 0.5).encode("utf-8", "replace")

    def _damage_tree(self, tree: Any) -> Any:
        """Change one place of a JSON tree, any depth alike."""
        places: list[tuple[Any, Any]] = []
        _collect(tree, places)
        if not places:
            return deepcopy(self._rng.choice(HOSTILE_VALUES))
        holder, key = self._rng.choice(places)
        way = self._rng.randrange(5)
        if way == 0:
            del holder[key]
        elif way == 1 and isinstance(holder, list):
            holder.insert(key, deepcopy(holder[key]))
        elif way == 2:
            other_holder, other_key = self._rng.choice(places)
            value = other_holder[other_key]
            if not isinstance(value, list | dict):
                holder[key] = value
        else:
            holder[key] = deepcopy(self._rng.choice(HOSTILE_VALUES))
        return tree


def _collect(tree: Any, places: list[tuple[Any, Any]]) -> None:
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        places.append((tree, key))
        _collect(value, places)
