"""What waits to be written to one client. A slow client costs bounded memory and never sees a wrong book.

Stream events are kept in order, up to a limit. Of broadcasts only the latest is kept. A book keeps its last snapshot and the changes since; when
those are too many, newer changes are left out until the next snapshot: the version tells the client to wait for it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum

Frame = bytes | str

MAX_CHANGES = 64
"""Changes of one book that may wait behind its snapshot."""


class Keep(Enum):
    """How a frame is treated while the client is slow."""

    ALL = "all"
    LATEST = "latest"
    BOOK = "book"
    CHANGE = "change"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One frame for many clients. `key` names what a later frame may replace; unused for `Keep.ALL`."""

    frame: Frame
    keep: Keep
    key: str = ""


class Outbox:
    """A queue that conflates. `limit` bounds the frames of `Keep.ALL`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._all: deque[Frame] = deque()
        self._latest: dict[str, list[Frame]] = {}

    def __len__(self) -> int:
        return len(self._all) + sum(map(len, self._latest.values()))

    def put(self, delivery: Delivery) -> bool:
        """Queue a frame; False when it had to be kept and there is no room, so the client must be let go."""
        keep = delivery.keep
        if keep is Keep.ALL:
            if len(self._all) >= self._limit:
                return False
            self._all.append(delivery.frame)
        elif keep is Keep.CHANGE:
            waiting = self._latest.setdefault(delivery.key, [])
            if len(waiting) <= MAX_CHANGES:
                waiting.append(delivery.frame)
        else:
            self._latest[delivery.key] = [delivery.frame]
        return True

    def put_answer(self, frame: Frame) -> None:
        """Queue an answer to the client's own request; the request bounds its size, so there is always room."""
        self._all.append(frame)

    def pop(self) -> list[Frame]:
        """Return the next frames to write (stream events first, then the broadcast that waited longest); [] when nothing waits."""
        if self._all:
            return [self._all.popleft()]
        if self._latest:
            return self._latest.pop(next(iter(self._latest)))
        return []
