"""The push over real sockets, served as in production and as under `runserver`."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from contextlib import asynccontextmanager

import pytest
import redis.asyncio
import websockets
from asgiref.sync import sync_to_async
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from infra.clock import SystemClock
from infra.ids import RandomIds
from markets import keys
from polybot_site import tokens
from proto.envelope import EventEncoder
from proto.polybot.v1 import arbitrage_pb2, events_pb2, order_pb2, orderbook_pb2
from tests.trading import rows

both_servers = pytest.mark.parametrize("site_process", ["uvicorn", "daphne"], indirect=True)

ASSET = "7" * 76


@pytest.fixture
async def broker(redis_url):
    client = redis.asyncio.Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def viewer(person):
    return person("viewer")


@pytest.fixture
def nobody(person):
    return person(None)


@pytest.fixture
def revoked(viewer):
    tokens.revoke(user=viewer.user, name="test")


@pytest.fixture
def session_key(viewer):
    session = SessionStore()
    session[SESSION_KEY] = str(viewer.user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = viewer.user.get_session_auth_hash()
    session.create()
    return session.session_key


@pytest.fixture
def encoder():
    return EventEncoder(SystemClock(), RandomIds(), epoch=5)


@asynccontextmanager
async def connected(site, person, **options):
    async with websockets.connect(site.socket_url, additional_headers=person.bearer, **options) as socket:
        yield Client(socket)


class Client:
    def __init__(self, socket):
        self.socket = socket

    async def say(self, **message):
        await self.socket.send(json.dumps(message))

    async def hear(self):
        frame = await asyncio.wait_for(self.socket.recv(), 20)
        return json.loads(frame) if isinstance(frame, str) else events_pb2.Event.FromString(frame)

    async def hear_until(self, **control):
        """Return the events before the control message that contains `control`."""
        events = []
        while True:
            heard = await self.hear()
            if isinstance(heard, dict) and control.items() <= heard.items():
                return events
            assert not isinstance(heard, dict) or "error" not in heard, heard
            events.append(heard)

    async def subscribe(self, *topics, **resume):
        await self.say(subscribe=list(topics), **({"resume": resume} if resume else {}))
        names = [*topics, *(name for name in resume if name not in topics)]
        return await self.hear_until(subscribed=names)


async def lay_out_book(broker, *, bids, asks, version):
    """Write a book as the trader's publisher keeps it."""
    top = {"best_bid": max(bids, default=""), "bid_size": 1 if bids else "", "best_ask": min(asks, default="")}
    top |= {"ask_size": 1 if asks else "", "version": version, "timestamp": 1}
    await broker.hset(keys.bbo(ASSET), mapping=top)
    for sorted_set, hash_, levels in (
        (keys.bids(ASSET), keys.bid_sizes(ASSET), bids),
        (keys.asks(ASSET), keys.ask_sizes(ASSET), asks),
    ):
        if levels:
            await broker.zadd(sorted_set, {price: float(price) for price in levels})
            await broker.hset(hash_, mapping=levels)


def order(encoder, number):
    result = order_pb2.OrderResult(status=order_pb2.ORDER_STATUS_LIVE, order=order_pb2.Order(id=str(number)))
    return encoder.encode(result)


@both_servers
async def test_the_first_frame_is_the_status_also_when_no_trader_runs(site, viewer):
    async with connected(site, viewer) as client:
        first = await client.hear()
        assert (first.type, first.bot_status.mode) == ("bot_status", "offline")
        assert await client.hear() == {"subscribed": ["status"]}


@both_servers
async def test_a_book_is_shown_and_then_followed_byte_for_byte(site, viewer, broker, encoder):
    await lay_out_book(broker, bids={"0.5": 100, "0.49": 20}, asks={"0.53": 7, "0.52": 5}, version=8)
    async with connected(site, viewer) as client:
        await client.hear_until(subscribed=["status"])
        (book,) = [event.orderbook_snapshot for event in await client.subscribe(f"orderbook:{ASSET}")]
        assert (list(book.bid_prices), list(book.bid_sizes)) == ([0.5, 0.49], [100, 20])
        assert (list(book.ask_prices), list(book.ask_sizes)) == ([0.52, 0.53], [5, 7])
        assert (book.asset_id, book.version, book.best_bid, book.best_ask) == (ASSET, 8, 0.5, 0.52)
        change = encoder.encode(orderbook_pb2.PriceChange(asset_id=ASSET, bid_prices=[0.5], bid_sizes=[0], version=9))
        await broker.publish(f"ch:book:{ASSET}", change)
        assert await client.hear() == events_pb2.Event.FromString(change)


async def test_what_nobody_subscribed_is_not_sent_and_what_was_given_up_neither(site, viewer, broker, encoder):
    quote = encoder.encode(orderbook_pb2.BBO(asset_id=ASSET, best_bid=0.5))
    other = encoder.encode(orderbook_pb2.BBO(asset_id="8", best_bid=0.6))
    async with connected(site, viewer) as client:
        await client.hear_until(subscribed=["status"])
        await client.subscribe(f"prices:{ASSET}")
        await broker.publish("ch:price:8", other)
        await broker.publish(f"ch:price:{ASSET}", quote)
        assert (await client.hear()).bbo.asset_id == ASSET
        await client.say(unsubscribe=[f"prices:{ASSET}"])
        assert await client.hear() == {"unsubscribed": [f"prices:{ASSET}"]}
        await client.subscribe("prices:8")
        await broker.publish(f"ch:price:{ASSET}", quote)
        await broker.publish("ch:price:8", other)
        assert (await client.hear()).bbo.asset_id == "8"


async def test_who_has_all_prices_gets_each_once(site, viewer, broker, encoder):
    await broker.sadd("ws:subscribed", ASSET)
    await lay_out_book(broker, bids={"0.4": 1}, asks={}, version=1)
    async with connected(site, viewer) as client:
        await client.hear_until(subscribed=["status"])
        shown = await client.subscribe("prices", f"prices:{ASSET}")
        assert {event.bbo.best_bid for event in shown} == {0.4}
        for bid in (0.5, 0.6):
            await broker.publish(f"ch:price:{ASSET}", encoder.encode(orderbook_pb2.BBO(asset_id=ASSET, best_bid=bid)))
            assert (await client.hear()).bbo.best_bid == bid


@both_servers
async def test_stream_events_carry_their_ids_and_nothing_is_lost_over_a_disconnection(site, viewer, broker, encoder):
    async with connected(site, viewer) as client:
        await client.hear_until(subscribed=["status"])
        await client.subscribe("orders")
        await broker.xadd("stream:orders", {"event": order(encoder, 1)})
        seen = await client.hear()
        assert seen.order_result.order.id == "1"
        assert seen.stream_id
    for number in (2, 3):
        await broker.xadd("stream:orders", {"event": order(encoder, number)})
    async with connected(site, viewer) as client:
        await client.hear_until(subscribed=["status"])
        missed = await client.subscribe(orders=seen.stream_id)
        await broker.xadd("stream:orders", {"event": order(encoder, 4)})
        last = await client.hear()
        assert [event.order_result.order.id for event in [*missed, last]] == ["2", "3", "4"]
        ids = [event.stream_id for event in [seen, *missed, last]]
        assert ids == sorted(ids)


async def test_a_resume_point_that_is_too_old_is_told_as_a_gap(site, viewer, broker, encoder):
    first = (await broker.xadd("stream:orders", {"event": order(encoder, 1)})).decode()
    for number in range(2, 6):
        await broker.xadd("stream:orders", {"event": order(encoder, number)}, maxlen=2, approximate=False)
    async with connected(site, viewer) as client:
        await client.hear_until(subscribed=["status"])
        assert await client.subscribe(orders=first) == [{"gap": "orders"}]


async def test_signals_show_the_streams_own_last_events(site, viewer, broker, encoder):
    from proto.polybot.v1 import signal_pb2

    await broker.xadd("stream:signals", {"event": encoder.encode(signal_pb2.TradeSignal(id="s1", reason="cheap"))})
    async with connected(site, viewer) as client:
        await client.hear_until(subscribed=["status"])
        # The hub reads the stream on its own; the signal is among the first frames or follows them.
        shown = await client.subscribe("signals") or [await client.hear()]
        assert [event.trade_signal.reason for event in shown] == ["cheap"]


@pytest.mark.parametrize("message", ["nonsense", "[]", '{"subscribe": ["everything"]}', b"\x00\x01"])
async def test_a_bad_message_gets_an_error_frame_and_the_socket_stays(site, viewer, message):
    async with connected(site, viewer) as client:
        await client.hear_until(subscribed=["status"])
        await client.socket.send(message)
        answer = await client.hear()
        assert answer.keys() == {"error", "detail", "fix"}
        await client.subscribe("orders")


async def refused_with(code, site, headers, **options):
    async with websockets.connect(site.socket_url, additional_headers=headers, **options) as socket:
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 20)
    assert closed.value.rcvd.code == code


@both_servers
async def test_nobody_gets_in_without_a_login(site):
    await refused_with(4401, site, {})


async def test_an_unknown_token_does_not_get_in(site):
    await refused_with(4401, site, {"Authorization": "Bearer polybot_wrong"})


@pytest.mark.usefixtures("revoked")
async def test_a_revoked_token_does_not_get_in(site, viewer):
    await refused_with(4401, site, viewer.bearer)


async def test_a_user_without_a_role_does_not_get_in(site, nobody):
    await refused_with(4403, site, nobody.bearer)


@both_servers
async def test_a_logout_closes_the_sockets_of_the_session(site, session_key):
    cookies = {"Cookie": f"sessionid={session_key}; csrftoken={'x' * 32}"}
    async with websockets.connect(site.socket_url, additional_headers=cookies, origin=site.url) as socket:
        client = Client(socket)
        await client.hear_until(subscribed=["status"])
        headers = cookies | {"X-CSRFToken": "x" * 32, "Origin": site.url}
        logout = urllib.request.Request(f"{site.url}/logout/", data=b"", headers=headers, method="POST")
        await asyncio.to_thread(lambda: urllib.request.urlopen(logout).close())
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await client.hear()
    assert closed.value.rcvd.code == 4401


@pytest.mark.parametrize("origin", [None, "https://evil.example"])
async def test_a_page_of_another_site_cannot_use_the_cookie(site, session_key, origin):
    await refused_with(4403, site, {"Cookie": f"sessionid={session_key}"}, origin=origin)


async def test_a_socket_elsewhere_is_refused(site, viewer):
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(site.socket_url + "/elsewhere", additional_headers=viewer.bearer)
    assert refused.value.response.status_code == 403


async def test_a_client_that_does_not_read_is_let_go_and_others_do_not_notice(site, viewer, broker, encoder):
    """It is told by 4408, unless not even that gets through to it: then the connection just ends."""
    async with connected(site, viewer) as quick:
        await quick.hear_until(subscribed=["status"])
        await quick.subscribe("fills", "orders")
        slow = websockets.connect(site.socket_url, additional_headers=viewer.bearer, max_queue=1, ping_interval=None)
        async with slow as socket:
            await Client(socket).subscribe("orders")
            padding = order_pb2.OrderResult(reason="x" * 2000, status=order_pb2.ORDER_STATUS_LIVE)
            for _ in range(40):
                async with broker.pipeline(transaction=False) as pipe:
                    for _ in range(500):
                        pipe.xadd("stream:orders", {"event": encoder.encode(padding)}, maxlen=1000)
                    await pipe.execute()
                for _ in range(500):
                    assert (await quick.hear()).type == "order_result"
            with pytest.raises(websockets.ConnectionClosed):
                await read_to_the_end(socket)


async def read_to_the_end(socket):
    while True:
        await asyncio.wait_for(socket.recv(), 20)


async def test_executions_come_from_the_tables_first_and_then_as_they_change(site, viewer, broker, encoder):
    await sync_to_async(rows.trading_account)()
    await sync_to_async(rows.leg_group)()

    def changed(pnl):
        return encoder.encode(arbitrage_pb2.ArbExecution(id=rows.GROUP, net_pnl_micros=pnl))

    async with connected(site, viewer) as client:
        await client.hear_until(subscribed=["status"])
        (shown,) = await client.subscribe("arb_profit")
        assert (shown.type, shown.arb_execution.id) == ("arb_execution", rows.GROUP)
        assert [leg.number for leg in shown.arb_execution.legs] == [0]
        await broker.xadd("stream:arb:exec", {"event": changed(5)})
        seen = await client.hear()
        assert seen.arb_execution.net_pnl_micros == 5
    await broker.xadd("stream:arb:exec", {"event": changed(6)})
    async with connected(site, viewer) as client:
        await client.hear_until(subscribed=["status"])
        (missed,) = await client.subscribe(arb_profit=seen.stream_id)
        assert missed.arb_execution.net_pnl_micros == 6
    for pnl in range(7, 12):
        await broker.xadd("stream:arb:exec", {"event": changed(pnl)}, maxlen=2, approximate=False)
    async with connected(site, viewer) as client:
        await client.hear_until(subscribed=["status"])
        gap, again = await client.subscribe(arb_profit=seen.stream_id)
        assert gap == {"gap": "arb_profit"}
        assert again.arb_execution.residual_micros == 10_000_000
