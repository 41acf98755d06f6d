"""What markets were worth minute by minute: the midpoint of the first outcome, of the last day to the minute and of a month to ten minutes.

A market without a book gets no point. Points are packed (four bytes of Unix seconds, four of micro-dollars), so that a month of many
markets is small and quickly stored.
"""

from __future__ import annotations

import struct
from bisect import bisect_left

_POINT = struct.Struct("<II")
_FINE_POINTS = 1440
_COARSE_POINTS = 31 * 144
_COARSE_SECONDS = 600


class PriceHistory:
    """Points of every market by condition, oldest first."""

    def __init__(self) -> None:
        self._fine: dict[str, bytearray] = {}
        self._coarse: dict[str, bytearray] = {}

    def add(self, condition_id: str, at_s: int, price: int) -> None:
        """Note a market's price; times never go back."""
        packed = _POINT.pack(at_s, price)
        _append(self._fine.setdefault(condition_id, bytearray()), packed, _FINE_POINTS)
        coarse = self._coarse.setdefault(condition_id, bytearray())
        if not coarse or at_s - _POINT.unpack_from(coarse, len(coarse) - _POINT.size)[0] >= _COARSE_SECONDS:
            _append(coarse, packed, _COARSE_POINTS)

    def points(self, condition_id: str, start_s: int, end_s: int, step_s: int) -> list[tuple[int, int]]:
        """Return (seconds, price) from `start_s` to `end_s`, both included, at most one for each `step_s`, the last of each."""
        fine = list(_POINT.iter_unpack(self._fine.get(condition_id, b"")))
        first_fine = fine[0][0] if fine else end_s + 1
        merged = [point for point in _POINT.iter_unpack(self._coarse.get(condition_id, b"")) if point[0] < first_fine]
        merged += fine
        chosen = {at_s // step_s: (at_s, price) for at_s, price in merged if start_s <= at_s <= end_s}
        return list(chosen.values())

    def before(self, condition_id: str, at_s: int) -> int | None:
        """Return the price at `at_s`, the latest known then; None when there was none yet."""
        points = self.points(condition_id, 0, at_s, 1)
        return points[-1][1] if points else None

    def change(self, condition_id: str, since_s: int, price: int) -> int:
        """Return how far `price` lies above the one at `since_s`, or above the oldest known; 0 without any."""
        fine = list(_POINT.iter_unpack(self._fine.get(condition_id, b"")))
        if not fine or since_s < fine[0][0]:
            fine = list(_POINT.iter_unpack(self._coarse.get(condition_id, b""))) or fine
        if not fine:
            return 0
        index = min(bisect_left(fine, (since_s, 0)), len(fine) - 1)
        return price - int(fine[index][1])

    def forget(self, condition_ids: list[str]) -> None:
        """Drop the points of markets that are listed no longer."""
        for condition_id in condition_ids:
            self._fine.pop(condition_id, None)
            self._coarse.pop(condition_id, None)


def _append(points: bytearray, packed: bytes, most: int) -> None:
    points += packed
    if len(points) > most * _POINT.size:
        del points[: _POINT.size]
