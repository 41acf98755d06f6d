"""One client of the hub: its topics, what waits for it, and what is held back until its snapshot has gone out."""

from __future__ import annotations

import asyncio

from polybot_site.ws.outbox import Delivery, Frame, Outbox
from polybot_site.ws.topics import Topic

RELIABLE_LIMIT = 5000
"""Stream events that may wait for one client: minutes of trading."""


class Subscriber:
    """Fed by the hub through `offer`, emptied by its connection through `next_frames`. Lives in one event loop."""

    def __init__(self, *, limit: int = RELIABLE_LIMIT) -> None:
        self.topics: dict[str, Topic] = {}
        self.too_slow = asyncio.Event()
        self._outbox = Outbox(limit)
        self._held: dict[str, list[Delivery]] = {}
        self._something = asyncio.Event()

    def offer(self, topic: str, delivery: Delivery) -> None:
        """Queue an event of `topic`, or hold it while the topic's snapshot is being read."""
        held = self._held.get(topic)
        if held is not None:
            held.append(delivery)
        elif self._outbox.put(delivery):
            self._something.set()
        else:
            self.too_slow.set()

    def answer(self, frame: Frame) -> None:
        """Queue a snapshot's frame or a control message."""
        self._outbox.put_answer(frame)
        self._something.set()

    def hold(self, topic: str) -> None:
        """Keep events of `topic` back until `release`."""
        self._held[topic] = []

    def release(self, topic: str) -> None:
        """Let the events go that came since `hold`; those of a topic given up meanwhile are dropped."""
        held = self._held.pop(topic, [])
        if topic in self.topics:
            for delivery in held:
                self.offer(topic, delivery)

    def held(self, topic: str) -> bool:
        return topic in self._held

    async def next_frames(self) -> list[Frame]:
        """Return what goes out next; waits until there is something."""
        while not (frames := self._outbox.pop()):
            self._something.clear()
            await self._something.wait()
        return frames
