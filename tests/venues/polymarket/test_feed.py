"""The market feed against a real WebSocket server that keeps the venue's rules."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Self

import pytest
import uvloop

from domain.book import BookDelta, BookSnapshot, Level
from domain.errors import VenueError
from infra.clock import SystemClock
from tests.venues.polymarket.listeners import MarketDiary
from tests.venues.polymarket.ws_server import CONDITION, VenueSockets, book, price_change, until, venue_sockets
from venues.polymarket.channel import Keepalive
from venues.polymarket.feed import PolymarketFeed
from venues.polymarket.shard import ASSETS_PER_SHARD
from venues.polymarket.silence import Watchfulness

FAST = Keepalive(ping_every=0.05)
IMPATIENT = Keepalive(ping_every=0.05, dead_after=0.4)
NEVER = Watchfulness(silence=1000, every=1000)


class RestBooks:
    """A book reader whose books the test sets."""

    def __init__(self) -> None:
        self.books_by_token: dict[str, tuple[str, str, int]] = {}
        self.asked: list[list[str]] = []
        self.broken = False

    async def books(self, token_ids: Sequence[str]) -> list[BookSnapshot]:
        self.asked.append(list(token_ids))
        if self.broken:
            raise VenueError("REST is down")
        now = SystemClock().now_ns()
        return [
            BookSnapshot(token, CONDITION, [Level(bid, "7")], [Level(ask, "7")], stamp, now)
            for token in token_ids
            if token in self.books_by_token
            for bid, ask, stamp in [self.books_by_token[token]]
        ]


class NoPause(Random):
    """Makes the pause before a reconnect as short as it can be."""

    def random(self) -> float:
        return -0.96


@pytest.fixture
async def server() -> AsyncIterator[VenueSockets]:
    async with venue_sockets() as sockets:
        yield sockets


@pytest.fixture
def rest() -> RestBooks:
    return RestBooks()


class Running:
    def __init__(
        self,
        server: VenueSockets,
        rest: RestBooks,
        care: Watchfulness = NEVER,
        diary: MarketDiary | None = None,
        keepalive: Keepalive = FAST,
    ) -> None:
        self.diary = diary or MarketDiary()
        self.feed = PolymarketFeed(
            server.url, rest, clock=SystemClock(), rng=NoPause(), keepalive=keepalive, watchfulness=care
        )

    async def __aenter__(self) -> Self:
        await self.feed.start(self.diary)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.feed.stop()


@pytest.mark.protocol("4.1", "9.3")
async def test_books_arrive_after_subscription_and_pings_never_come_first(
    server: VenueSockets, rest: RestBooks
) -> None:
    server.books = {"1": book("1"), "2": book("2")}
    async with Running(server, rest) as run:
        assert not run.feed.connected
        assert run.feed.last_message_ns == 0
        await run.feed.watch(["1", "2"])
        await until(lambda: run.diary.books == ["1", "2"] and run.feed.connected)
        await until(lambda: server.log.count("PING") >= 3)
        assert server.log[0] == "market"
        assert server.received[0] == {"type": "market", "assets_ids": ["1", "2"], "custom_feature_enabled": True}
        assert run.feed.last_message_ns > 0
        await server.push(price_change("1"))
        await until(lambda: run.diary.of(BookDelta))
    assert run.diary.gaps == []


@pytest.mark.protocol("4.1")
async def test_tokens_are_added_and_removed_on_the_open_socket(server: VenueSockets, rest: RestBooks) -> None:
    server.books = {str(n): book(str(n)) for n in range(4)}
    async with Running(server, rest) as run:
        await run.feed.watch(["0"])
        await until(lambda: run.feed.connected)
        await run.feed.watch(["0", "1", "2"])
        await until(lambda: run.diary.books == ["0", "1", "2"])
        await run.feed.unwatch(["1", "unknown"])
        await until(lambda: len(server.received) == 3)
        assert server.received[1:] == [
            {"operation": "subscribe", "assets_ids": ["1", "2"], "custom_feature_enabled": True},
            {"operation": "unsubscribe", "assets_ids": ["1"]},
        ]
        await server.push(price_change("1"), price_change("2"))
        await until(lambda: run.diary.of(BookDelta))
        assert [d.changes[0].token_id for d in run.diary.of(BookDelta)] == ["2"]
        await run.feed.unwatch(["0", "2"])
        await until(lambda: not server.connections)
        assert server.accepted == 1


@pytest.mark.protocol("4.1")
async def test_assets_are_spread_over_sockets_of_at_most_400(server: VenueSockets, rest: RestBooks) -> None:
    tokens = [str(n) for n in range(ASSETS_PER_SHARD * 2 + 2)]
    server.books = {token: book(token) for token in tokens}
    async with Running(server, rest) as run:
        await run.feed.watch(tokens)
        await until(lambda: len(run.diary.books) == len(tokens))
        assert sorted(len(frame["assets_ids"]) for frame in server.received) == [2, 400, 400]
        await server.push(price_change("5"))
        await until(lambda: run.diary.of(BookDelta))
        await asyncio.sleep(0.05)
        assert len(run.diary.of(BookDelta)) == 1  # every socket heard it, one passed it on


async def test_a_lost_connection_is_a_gap_and_then_new_books(server: VenueSockets, rest: RestBooks) -> None:
    server.books = {"1": book("1"), "2": book("2")}
    async with Running(server, rest) as run:
        await run.feed.watch(["1", "2"])
        await until(lambda: run.feed.connected)
        await server.drop_all()
        await until(lambda: run.feed.connected and run.diary.books == ["1", "2", "1", "2"])
        kinds = [event[0] if isinstance(event, tuple) else event.token_id for event in run.diary.events]
        assert kinds == ["1", "2", "gap", "1", "2"]
        assert run.diary.gaps[0][1] == ["1", "2"]
        assert server.accepted == 2


@pytest.mark.protocol("4.2")
async def test_the_venues_close_code_and_reason_are_told(server: VenueSockets, rest: RestBooks) -> None:
    server.books = {"1": book("1")}
    async with Running(server, rest) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.connected)
        await server.connections[0].close(1012, "restart")
        await until(lambda: run.diary.gaps)
        assert "restart" in run.diary.gaps[0][2]


async def test_a_venue_that_is_not_there_is_tried_again(rest: RestBooks) -> None:
    async with venue_sockets() as server:
        url = server.url
    server.url = url
    async with Running(server, rest) as run:
        await run.feed.watch(["1"])
        await until(lambda: len(run.diary.gaps) >= 3)
        assert not run.feed.connected
        assert all("could not connect" in reason for _, _, reason in run.diary.gaps)


@pytest.mark.protocol("4.2")
async def test_a_socket_that_stops_answering_pings_is_replaced(server: VenueSockets, rest: RestBooks) -> None:
    server.books = {"1": book("1")}
    async with Running(server, rest, keepalive=IMPATIENT) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.connected)
        server.answers_pings = False
        await until(lambda: run.diary.gaps)
        assert "no PONG" in run.diary.gaps[0][2]
        server.answers_pings = True
        await until(lambda: run.feed.connected)


async def test_bad_frames_are_skipped_and_the_socket_stays(server: VenueSockets, rest: RestBooks) -> None:
    server.books = {"1": book("1")}
    async with Running(server, rest) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.connected)
        await server.push(b"", b"<html>", b'{"event_type":"price_change"}', b'[{"x":1},2]', price_change("1")[:-9])
        await server.push(price_change("unknown token"), price_change("1"))
        await until(lambda: run.diary.of(BookDelta))
        assert run.feed.shards[0].codec.bad == 6
        assert server.accepted == 1


async def test_books_named_in_an_unreadable_frame_lose_trust_until_the_venue_sent_them_again(
    server: VenueSockets, rest: RestBooks
) -> None:
    server.books = {"1": book("1"), "2": book("2"), "3": book("3")}
    async with Running(server, rest) as run:
        await run.feed.watch(["1", "2", "3"])
        await until(lambda: run.feed.connected)
        await server.push(price_change("1")[:-9], price_change("2")[:-9], price_change("1")[:-9])
        await until(lambda: len(run.diary.books) == 5)
        assert [tokens for _, tokens, _ in run.diary.gaps] == [["1"], ["2"], ["1"]]
        assert run.diary.books[3:] == ["1", "2"]
        assert server.log.count("subscribe") == 1
        assert server.accepted == 1


@pytest.mark.protocol("4.2")
async def test_fragmented_messages_are_joined(server: VenueSockets, rest: RestBooks) -> None:
    server.books = {"1": book("1")}
    async with Running(server, rest) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.connected)
        text = price_change("1").decode()
        await server.connections[0].send([text[:10], text[10:50], text[50:]])
        await until(lambda: run.diary.of(BookDelta))


async def test_an_oversized_frame_costs_the_connection_and_nothing_else(server: VenueSockets, rest: RestBooks) -> None:
    server.books = {"1": book("1")}
    async with Running(server, rest) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.connected)
        await server.push(b"x" * (17 * 1024 * 1024))
        await until(lambda: run.diary.gaps and run.feed.connected)
        assert server.accepted == 2


@dataclass
class SometimesFailing(MarketDiary):
    failing: bool = True

    def on_delta(self, delta: BookDelta) -> None:
        if self.failing:
            raise RuntimeError("bug in a listener")
        super().on_delta(delta)


async def test_a_failing_listener_costs_the_connection_because_something_was_missed(
    server: VenueSockets, rest: RestBooks
) -> None:
    server.books = {"1": book("1")}
    diary = SometimesFailing()
    async with Running(server, rest, diary=diary) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.connected)
        await server.push(price_change("1"))
        await until(lambda: run.diary.gaps)
        diary.failing = False
        await until(lambda: run.feed.connected)
        assert run.diary.gaps == [("gap", ["1"], "a handler failed")]
        await server.push(price_change("1"))
        await until(lambda: run.diary.of(BookDelta))


async def test_a_listener_that_fails_at_a_gap_does_not_keep_the_socket_from_coming_back(
    server: VenueSockets, rest: RestBooks
) -> None:
    class FailingAtGaps(MarketDiary):
        def on_gap(self, token_ids: Iterable[str], reason: str) -> None:
            raise RuntimeError("bug in a listener")

    server.books = {"1": book("1")}
    async with Running(server, rest, diary=FailingAtGaps()) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.connected)
        await server.drop_all()
        await until(lambda: run.diary.books == ["1", "1"])


async def test_books_lose_trust_also_when_a_connection_fails_in_a_way_nobody_foresaw(
    server: VenueSockets, rest: RestBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.books = {"1": book("1")}
    async with Running(server, rest) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.connected)

        def broken(_socket: object, _text: bytes) -> None:
            raise RuntimeError("bug below us")

        with monkeypatch.context() as patch:
            patch.setattr("venues.polymarket.channel._Socket.write", broken)
            await until(lambda: run.diary.gaps)
        assert run.diary.gaps[0][1] == ["1"]
        assert "bug below us" in run.diary.gaps[0][2]
        await until(lambda: run.feed.connected)


@pytest.mark.protocol("4.3")
async def test_a_requested_snapshot_comes_from_rest_and_repeats_within_a_second_are_one(
    server: VenueSockets, rest: RestBooks
) -> None:
    server.books = {"1": book("1", stamp=1000)}
    rest.books_by_token = {"1": ("0.40", "0.60", 1500)}
    async with Running(server, rest) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.connected)
        for _ in range(5):
            run.feed.request_snapshot("1")
        run.feed.request_snapshot("not watched")
        await until(lambda: len(run.diary.books) == 2)
        await asyncio.sleep(0.05)
        assert rest.asked == [["1"]]
        assert run.diary.events[-1].bids == [Level("0.40", "7")]


@pytest.mark.parametrize("why", ["older than the socket", "REST is down", "unknown to REST"])
async def test_when_rest_cannot_help_the_venue_sends_the_book_on_the_socket(
    server: VenueSockets, rest: RestBooks, why: str
) -> None:
    server.books = {"1": book("1", stamp=1000)}
    if why == "older than the socket":
        rest.books_by_token = {"1": ("0.40", "0.60", 999)}
    rest.broken = why == "REST is down"
    async with Running(server, rest) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.connected)
        run.feed.request_snapshot("1")
        await until(lambda: run.diary.books == ["1", "1"])
        assert server.log[-2:] == ["unsubscribe", "subscribe"] or server.log.index("unsubscribe") < server.log.index(
            "subscribe"
        )
        assert run.diary.events[-1].bids == [Level("0.48", "10")]


WATCHFUL = Watchfulness(silence=0.15, every=0.03, grace=0.03)


@pytest.mark.protocol("9.1")
async def test_a_deaf_socket_is_found_by_comparing_with_rest_and_replaced(
    server: VenueSockets, rest: RestBooks
) -> None:
    server.books = {"1": book("1"), "2": book("2")}
    rest.books_by_token = {"1": ("0.48", "0.52", 1000), "2": ("0.48", "0.52", 1000)}
    async with Running(server, rest, WATCHFUL) as run:
        await run.feed.watch(["1", "2"])
        await until(lambda: run.feed.connected)
        server.books["2"] = book("2", bid="0.50", stamp=3000)
        rest.books_by_token["2"] = ("0.50", "0.52", 3000)
        await until(lambda: run.feed.deaf_sockets == 1 and len(run.diary.books) >= 4)
        assert run.diary.gaps[0][1] == ["1", "2"]
        assert "silent" in run.diary.gaps[0][2]
        assert server.log.count("market") == 2


@pytest.mark.protocol("9.1")
async def test_a_quiet_market_is_not_a_deaf_socket(server: VenueSockets, rest: RestBooks) -> None:
    server.books = {"1": book("1"), "2": book("2")}
    rest.books_by_token = {"1": ("0.480", "0.52", 9000), "2": ("0.49", "0.52", 9000)}
    async with Running(server, rest, WATCHFUL) as run:
        await run.feed.watch(["1", "2"])
        await until(lambda: run.feed.connected)
        await server.push(price_change("2", bid="0.49"))
        await until(lambda: run.feed.silence.checks >= 3)
        assert run.feed.deaf_sockets == 0
        assert run.diary.gaps == []


async def test_a_change_that_is_merely_late_on_the_socket_is_waited_for(server: VenueSockets, rest: RestBooks) -> None:
    server.books = {"1": book("1")}
    patient = Watchfulness(silence=0.1, every=0.03, grace=0.3)
    async with Running(server, rest, patient) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.connected)
        rest.books_by_token = {"1": ("0.50", "0.52", 3000)}
        await until(lambda: rest.asked)
        await server.push(price_change("1", bid="0.50", stamp=3000))
        await until(lambda: run.feed.silence.checks >= 2)
        assert run.feed.deaf_sockets == 0
        assert run.diary.gaps == []


async def test_rest_that_cannot_be_read_proves_nothing(server: VenueSockets, rest: RestBooks) -> None:
    server.books = {"1": book("1")}
    rest.broken = True
    async with Running(server, rest, WATCHFUL) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.silence.read_errors >= 2)
        assert run.diary.gaps == []


async def test_deaf_sockets_are_looked_for_even_after_a_look_failed(
    server: VenueSockets, rest: RestBooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.books = {"1": book("1")}
    async with Running(server, rest, WATCHFUL) as run:
        await run.feed.watch(["1"])

        async def broken(_tokens: Sequence[str]) -> list[BookSnapshot]:
            rest.asked.append([])
            raise RuntimeError("bug in a reader")

        with monkeypatch.context() as patch:
            patch.setattr(rest, "books", broken)
            await until(lambda: rest.asked)
        rest.books_by_token = {"1": ("0.50", "0.52", 3000)}
        await until(lambda: run.feed.deaf_sockets >= 1)


async def test_rest_that_keeps_contradicting_fresh_books_is_asked_less_and_less(
    server: VenueSockets, rest: RestBooks
) -> None:
    server.books = {"1": book("1")}
    rest.books_by_token = {"1": ("0.11", "0.89", 9000)}
    async with Running(server, rest, WATCHFUL) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.deaf_sockets == 2)
        first = SystemClock().monotonic()
        await until(lambda: run.feed.deaf_sockets == 3)
        assert SystemClock().monotonic() - first >= WATCHFUL.silence * 2


async def test_a_stale_wide_book_of_rest_replaces_neither_a_book_nor_a_socket(
    server: VenueSockets, rest: RestBooks
) -> None:
    server.books = {"1": book("1")}
    rest.books_by_token = {"1": ("0.01", "0.99", 9_999_999_999_999)}
    async with Running(server, rest, WATCHFUL) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.silence.checks >= 2)
        run.feed.request_snapshot("1")
        await until(lambda: run.diary.books == ["1", "1"])
        assert run.feed.deaf_sockets == 0
        assert [level.price for level in run.diary.of(BookSnapshot)[-1].bids] != ["0.01"]


async def test_a_book_that_the_socket_never_sent_is_fetched(server: VenueSockets, rest: RestBooks) -> None:
    server.books = {"1": book("1")}
    rest.books_by_token = {"1": ("0.48", "0.52", 1000), "2": ("0.30", "0.70", 1000)}
    async with Running(server, rest, WATCHFUL) as run:
        await run.feed.watch(["1", "2"])
        await until(lambda: "2" in run.diary.books)
        assert run.diary.gaps == []
        assert run.feed.deaf_sockets == 0


async def test_a_socket_that_sends_no_books_at_all_is_replaced(server: VenueSockets, rest: RestBooks) -> None:
    server.dumps_books = False
    rest.books_by_token = {"1": ("0.48", "0.52", 1000)}
    async with Running(server, rest, WATCHFUL) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.deaf_sockets >= 1)


async def test_nothing_is_told_after_stop(server: VenueSockets, rest: RestBooks) -> None:
    server.books = {"1": book("1")}
    async with Running(server, rest) as run:
        await run.feed.watch(["1"])
        await until(lambda: run.feed.connected)
    told = len(run.diary.events)
    await until(lambda: not server.connections)
    await asyncio.sleep(0.02)
    assert len(run.diary.events) == told


async def test_watching_before_the_start_is_an_error(server: VenueSockets, rest: RestBooks) -> None:
    feed = PolymarketFeed(server.url, rest, clock=SystemClock(), rng=Random(1))
    with pytest.raises(RuntimeError, match="not started"):
        await feed.watch(["1"])


def test_the_feed_works_on_the_traders_event_loop() -> None:
    async def scenario() -> None:
        async with venue_sockets() as server:
            await test_a_lost_connection_is_a_gap_and_then_new_books(server, RestBooks())

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())
