"""The commands of one flush that are on their way to Redis, and which of them must be sent again when the connection breaks."""

from __future__ import annotations


class Batch:
    """Commands on the way, in the order sent: `appended`, then `latest`, then those of sources, `size` in all."""

    def __init__(self, appended: list[bytes], latest: list[tuple[str, bytes]], size: int, sent_at: float) -> None:
        self.appended = appended
        self.latest = latest
        self.size = size
        self.sent_at = sent_at
        self.answered = 0
        self.postponed: set[int] = set()

    def unconfirmed(self) -> tuple[list[bytes], list[tuple[str, bytes]]]:
        """Return the appends and latest commands that were not answered, or with "not now"."""
        first = len(self.appended)
        open_ = self.postponed | set(range(self.answered, self.size))
        appended = [command for index, command in enumerate(self.appended) if index in open_]
        latest = [pair for index, pair in enumerate(self.latest, first) if index in open_]
        return appended, latest
