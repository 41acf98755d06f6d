"""What a token's price did lately: peak, robust centre, samples, traded volume and depth, each over a window of the caller's choice.

The mid price is a step function of time: it holds until the next book. One `TokenHistory` a token serves windows of any length up to its
horizon, so that strategies share it and a changed parameter acts at once. Memory is bounded by the horizons, adding is O(1) amortised.
After a gap in the data the history is forgotten (`forget`): a jump over a gap is not a crash. Not thread-safe; the trader's loop owns it.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from domain.order import OrderSide
from markets.order_book import OrderBook
from strategies.statistics import Centre, autoregression, half_life, logit, median, scale, variance_ratio

SECOND = 1_000_000_000
STEP = SECOND
"""Time between two samples of the log-odds."""
SAMPLE_HORIZON = 3600
"""Samples kept: one hour."""
PEAK_HORIZON = 60 * SECOND
"""Longest window of peaks and volumes."""
VARIANCE_STEPS = 4
"""Steps of the variance ratio."""
_CENTRE_POINTS = 60
_BEHAVIOUR_POINTS = 600
_VOLUME_BUCKET = SECOND // 10
_DEPTH_INTERVAL = SECOND // 4
_DEPTH_LEVELS = 5


class Peak(NamedTuple):
    """The largest value of a window, and when the series was last there (`until_ns`)."""

    value: int
    until_ns: int


class WindowMaximum:
    """Maximum of a step function over the last moments, by a monotonic queue: entries fall in value and rise in time."""

    def __init__(self, horizon_ns: int) -> None:
        self._horizon = horizon_ns
        self._former: deque[Peak] = deque()
        self._current: int | None = None

    def add(self, now_ns: int, value: int) -> None:
        """The series is `value` from `now_ns` on. Times never fall."""
        if self._current is not None and value != self._current:
            while self._former and self._former[-1].value <= self._current:
                self._former.pop()
            self._former.append(Peak(self._current, now_ns))
        self._current = value
        while self._former and self._former[0].until_ns < now_ns - self._horizon:
            self._former.popleft()

    def over(self, now_ns: int, window_ns: int) -> Peak | None:
        """Return the maximum over [now − window, now], None before the first value. The window is at most the horizon."""
        if self._current is None:
            return None
        oldest = now_ns - window_ns
        for peak in self._former:
            if peak.until_ns >= oldest:
                return peak if peak.value > self._current else Peak(self._current, now_ns)
        return Peak(self._current, now_ns)


def bid_depth(book: OrderBook) -> int:
    """Return the micro-shares that the best bids of a book want together."""
    return sum(size for _, size in book.levels(OrderSide.BUY, _DEPTH_LEVELS))


class Window:
    """Samples of the log-odds, one a second, oldest first, all from before the window's end; what is computed of them is computed when it is
    first asked for.
    """

    def __init__(self, samples: Sequence[float]) -> None:
        self.samples = samples
        self._thinned = samples[:: -(-len(samples) // _CENTRE_POINTS)]
        self.median: float = median(sorted(self._thinned))

    @cached_property
    def centre(self) -> Centre:
        """Median and robust scale."""
        return Centre(self.median, scale(self._thinned, self.median))

    @property
    def span_ns(self) -> int:
        """How much time the samples cover."""
        return len(self.samples) * STEP

    @cached_property
    def half_life_ns(self) -> float | None:
        """The time in which a deviation from the centre has halved, None when it has not."""
        middle = self.median
        steps = half_life(autoregression([sample - middle for sample in self.samples[-_BEHAVIOUR_POINTS:]]))
        return None if steps is None else steps * STEP

    @cached_property
    def variance_ratio(self) -> float | None:
        """Above 1 for a price that trends, below for one that reverts, None for one that stands still."""
        return variance_ratio(self.samples[-_BEHAVIOUR_POINTS:], VARIANCE_STEPS)


class TokenHistory:
    """The recent past of one token."""

    def __init__(self) -> None:
        self.mid = 0
        self.log_odds = 0.0
        self.depth_ns = 0
        self._samples: array[float] = array("d")
        self._boundary = 0
        self._windows: dict[tuple[int, int], Window | None] = {}
        self._peaks = WindowMaximum(PEAK_HORIZON)
        self._depths = WindowMaximum(PEAK_HORIZON)
        self._sold: deque[tuple[int, int]] = deque()

    def add_mid(self, now_ns: int, mid: int) -> None:
        """The mid price is `mid` (micro-units) from `now_ns` on."""
        self._sample(now_ns)
        if mid != self.mid:
            self.mid = mid
            self.log_odds = logit(mid)
            self._peaks.add(now_ns, mid)

    def add_depth(self, now_ns: int, depth: int) -> None:
        """The bid side shows `depth` micro-shares from `now_ns` on."""
        self.depth_ns = now_ns
        self._depths.add(now_ns, depth)

    def add_sold(self, now_ns: int, size: int) -> None:
        """Takers sold `size` micro-shares into the bids."""
        bucket = now_ns // _VOLUME_BUCKET
        if self._sold and self._sold[-1][0] >= bucket:
            last, volume = self._sold[-1]
            self._sold[-1] = (last, volume + size)
        else:
            self._sold.append((bucket, size))
        while self._sold[0][0] < bucket - PEAK_HORIZON // _VOLUME_BUCKET:
            self._sold.popleft()

    def peak(self, now_ns: int, window_ns: int) -> Peak | None:
        """Return the highest mid over the last `window_ns`, None before the first book."""
        return self._peaks.over(now_ns, window_ns)

    def depth_peak(self, now_ns: int, window_ns: int) -> int:
        """Return the largest bid depth shown over the last `window_ns`, 0 when none was."""
        peak = self._depths.over(now_ns, window_ns)
        return peak.value if peak else 0

    def sold(self, now_ns: int, window_ns: int) -> int:
        """Return the micro-shares that takers sold over the last `window_ns` (to a tenth of a second)."""
        oldest = (now_ns - window_ns) // _VOLUME_BUCKET
        total = 0
        for bucket, volume in reversed(self._sold):
            if bucket < oldest:
                break
            total += volume
        return total

    def window(self, now_ns: int, length_ns: int, *, lag_ns: int = 0) -> Window | None:
        """Return the samples of the `length_ns` that ended `lag_ns` before now; None when there is no sample.

        The same object until a new sample is due, so what is computed of it is computed once for all strategies.
        """
        self._sample(now_ns)
        key = length_ns, (now_ns - lag_ns) // STEP
        try:
            return self._windows[key]
        except KeyError:
            window = self._windows[key] = self._compute(key[1], length_ns)
            return window

    def _compute(self, end: int, length_ns: int) -> Window | None:
        beyond = len(self._samples) - (self._boundary - end)
        samples = self._samples[max(0, beyond - max(1, length_ns // STEP)) : max(0, beyond)]
        return Window(samples) if samples else None

    def _sample(self, now_ns: int) -> None:
        """Take the value that held until each whole step since the last call."""
        boundary = now_ns // STEP
        missing = boundary - self._boundary
        if missing <= 0:
            return
        self._boundary = boundary
        self._windows.clear()
        if not self.mid:
            return
        self._samples.extend([self.log_odds] * min(missing, SAMPLE_HORIZON))
        surplus = len(self._samples) - SAMPLE_HORIZON
        if surplus > SAMPLE_HORIZON // 4:
            del self._samples[:surplus]


class PriceTracker:
    """Histories by token id. Feed it every trusted, uncrossed, two-sided book and every public trade."""

    def __init__(self) -> None:
        self._histories: dict[str, TokenHistory] = {}

    def history(self, token_id: str) -> TokenHistory | None:
        """Return what is known of a token, None before its first book."""
        return self._histories.get(token_id)

    def add_book(self, book: OrderBook, now_ns: int) -> None:
        """Note mid and bid depth of a two-sided book; the depth a few times a second."""
        history = self._histories.get(book.token_id)
        if history is None:
            history = self._histories[book.token_id] = TokenHistory()
        history.add_mid(now_ns, book.mid)
        if now_ns - history.depth_ns >= _DEPTH_INTERVAL:
            history.add_depth(now_ns, bid_depth(book))

    def add_trade(self, token_id: str, complement: str, side: OrderSide, size: int, now_ns: int) -> None:
        """Note a public trade. Selling a token and buying its complement press on the same bids."""
        pressed = self._histories.get(token_id if side is OrderSide.SELL else complement)
        if pressed is not None:
            pressed.add_sold(now_ns, size)

    def forget(self, token_id: str) -> None:
        """Drop a token's history: its data had a gap, or it is no longer watched."""
        self._histories.pop(token_id, None)

    def clear(self) -> None:
        """Drop every history: the clock was set back, so times no longer compare."""
        self._histories.clear()
