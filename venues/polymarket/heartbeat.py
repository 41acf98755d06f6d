"""The dead man's switch: chained heartbeats from a thread of their own (implements `domain.ports.DeadMansSwitch`).

Once the first beat was sent, the venue cancels every open order of the API key when none came for ten seconds. The thread beats only while the
trader's loop turns: it reads a counter and stops when that has not moved for `stall` seconds, so a trader that hangs loses its orders, not its
money. It needs nothing of the loop: its own connection, its own signatures, its own short timeouts. A beat that fails is tried again every
second. A wrong id is answered with the right one, which is used at once. An error nobody foresaw ends the thread, and `failed` says so.
Source: the venue's documentation of heartbeats.
"""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
import structlog

from domain.ports import Clock
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.config import USER_AGENT
from venues.polymarket.decoding import UNDECODABLE

PATH = "/v1/heartbeats"
LAPSE_SECONDS = 10.0
"""Time without a beat after which the venue cancels."""
AGAIN_SECONDS = 1.0
_TIMEOUT_SECONDS = 2.0
_IDS_TRIED = 3
_END_SECONDS = 0.5
_LARGEST_ANSWER = 65_536
_LOOKS_PER_STALL = 3

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HeartbeatSettings:
    """Seconds between beats, and seconds without a turn of the trader's loop after which no beat is sent."""

    every: float = 5.0
    stall: float = 3.0


class _Answer(msgspec.Struct):
    heartbeat_id: str = ""


class Heartbeat:
    """Beats of one API key.

    Args:
        lapse: seconds without a beat after which the venue may cancel.
        timeout: seconds that connecting and each part of an answer may take.
        on_sent: called in the thread before each request leaves.
    """

    def __init__(
        self,
        base_url: str,
        credentials: ApiCredentials,
        clock: Clock,
        settings: HeartbeatSettings,
        *,
        lapse: float = LAPSE_SECONDS,
        timeout: float = _TIMEOUT_SECONDS,
        on_sent: Callable[[], object] = lambda: None,
    ) -> None:
        self.lapse_seconds = lapse
        self.answered_at: float | None = None
        self.lapses = 0
        self.failed = ""
        self._url = urlsplit(base_url)
        self._credentials = credentials
        self._clock = clock
        self._every, self._stall, self._timeout = settings.every, settings.stall, timeout
        self._on_sent = on_sent
        self._next_id = ""
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._connection: http.client.HTTPConnection | None = None

    def start(self, turns: Callable[[], int]) -> None:
        """Begin to beat at once; `turns` is read from the thread and grows as long as the trader lives."""
        if self._thread is not None:
            raise RuntimeError("the heartbeat was started twice")
        self._thread = threading.Thread(target=self._run, args=(turns,), name="heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Begin no further beat; returns at once."""
        self._stop.set()

    def close(self) -> None:
        """Stop, and wait a moment for the thread's end; a beat that hangs ends by itself and is not repeated."""
        self.stop()
        if self._thread is not None:
            self._thread.join(_END_SECONDS)

    # In the thread.

    def _run(self, turns: Callable[[], int]) -> None:
        try:
            self._live(turns)
        except Exception as error:  # noqa: BLE001 - whatever ends the thread is told to the trader
            _log.exception("heartbeat ended")
            self.failed = f"{type(error).__name__}: {error}"
        finally:
            self._disconnect()

    def _live(self, turns: Callable[[], int]) -> None:
        seen, looked_at = turns(), self._clock.monotonic()
        moved_at = due = looked_at
        stalled = False
        while not self._stop.is_set():
            now, turned = self._clock.monotonic(), turns()
            if turned != seen:
                # It moved some time since the last look: at worst right after that.
                seen, moved_at = turned, looked_at
            looked_at = now
            if now - moved_at > self._stall:
                if not stalled:
                    _log.error("heartbeats stop: the trader's loop does not turn", seconds=round(now - moved_at, 1))
                stalled = True
            elif now >= due:
                stalled = False
                due = now + (self._every if self._beat() else min(AGAIN_SECONDS, self._every))
            self._stop.wait(min(self._stall / _LOOKS_PER_STALL, max(due - self._clock.monotonic(), 0.001)))

    def _beat(self) -> bool:
        """Send one beat; True when the venue took it."""
        for _ in range(_IDS_TRIED):
            if self._stop.is_set():
                return False
            sent_at = self._clock.monotonic()
            try:
                status, content = self._post(msgspec.json.encode({"heartbeat_id": self._next_id}))
                answer = msgspec.json.decode(content, type=_Answer)
            except (OSError, http.client.HTTPException, *UNDECODABLE) as error:
                self._disconnect()
                _log.warning("heartbeat not answered", error=f"{type(error).__name__}: {error}")
                return False
            if status == 200 and answer.heartbeat_id:
                self._next_id = answer.heartbeat_id
                self._took(sent_at)
                return True
            if status != 400 or not answer.heartbeat_id:
                break
            self._next_id = answer.heartbeat_id
        _log.warning("heartbeat refused", status=status, answer=content[:200].decode("utf-8", "replace"))
        return False

    def _took(self, sent_at: float) -> None:
        before = self.answered_at
        # The lapse first: who sees the answer in between must not take the silence for over and unread.
        if before is not None and self._clock.monotonic() - before > self.lapse_seconds:
            self.lapses += 1
        self.answered_at = sent_at

    def _post(self, body: bytes) -> tuple[int, bytes]:
        """Send one request, a second time if the kept connection had been closed; returns status and body."""
        kept = self._connection is not None
        try:
            return self._exchange(body)
        except (ConnectionError, http.client.RemoteDisconnected):
            if not kept:
                raise
            self._disconnect()
            return self._exchange(body)

    def _exchange(self, body: bytes) -> tuple[int, bytes]:
        if self._connection is None:
            kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
            self._connection = kind(self._url.hostname or "", self._url.port, timeout=self._timeout)
        timestamp = self._clock.now_ns() // 1_000_000_000
        headers = self._credentials.headers(timestamp, "POST", PATH, body)
        self._on_sent()
        self._connection.request(
            "POST", PATH, body, {**headers, "Content-Type": "application/json", "User-Agent": USER_AGENT}
        )
        answer = self._connection.getresponse()
        content = answer.read(_LARGEST_ANSWER)
        if not answer.isclosed():
            self._disconnect()
        return answer.status, content

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
