"""The order connection against a server that misbehaves: it is always known whether a request may have left."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from infra.clock import SystemClock
from tests.venues.polymarket.pacing import Unpaced
from tests.venues.polymarket.raw_server import Peer, RawServer, raw_server
from tests.venues.polymarket.ws_server import until
from venues.polymarket.order_connection import NotSentError, OrderConnection, UnansweredError

CLOCK = SystemClock()
BODY = b'{"order":1}'


def connect(server: RawServer, **more: Any) -> OrderConnection:
    return OrderConnection(server.url, CLOCK, **{"pace": Unpaced(), "answer_timeout": 10.0, **more})


async def post(connection: OrderConnection, deadline: float | None = None):
    return await connection.request("POST", "/order", {"POLY_API_KEY": "k"}, BODY, deadline=deadline)


def keep(server_holder: list) -> Any:
    async def script(peer: Peer) -> None:
        while True:
            server_holder.append(await peer.request())
            await peer.answer("200 OK", b"{}")

    return script


async def test_requests_share_one_connection_and_carry_their_bytes_exactly() -> None:
    seen: list[bytes] = []
    async with raw_server(keep(seen)) as server:
        connection = connect(server)
        for _ in range(3):
            assert (await post(connection)).body == b"{}"
        assert (await connection.request("DELETE", "/cancel-all", {})).status == 200
        assert server.accepted == 1
        await connection.close()
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert body == BODY
    assert head.split(b"\r\n")[0] == b"POST /order HTTP/1.1"
    assert b"Host: 127.0.0.1:" in head
    assert b"User-Agent: Mozilla" in head
    assert b"Content-Length: 11" in head
    assert b"POLY_API_KEY: k" in head
    assert seen[3].startswith(b"DELETE /cancel-all HTTP/1.1")
    assert b"Content-Length" not in seen[3]


async def test_orders_in_parallel_use_connections_of_their_own_and_leave_some_to_cancels() -> None:
    release = asyncio.Event()

    async def slow(peer: Peer) -> None:
        while True:
            await peer.request()
            await release.wait()
            await peer.answer("200 OK", b"{}")

    async with raw_server(slow) as server:
        connection = connect(server, connections=5, for_cancels=2)
        tasks = [asyncio.create_task(post(connection)) for _ in range(5)]
        await until(lambda: server.accepted == 3)
        await asyncio.sleep(0.02)
        assert server.accepted == 3
        cancel = asyncio.create_task(connection.request("DELETE", "/cancel-all", {}))
        await until(lambda: server.accepted == 4)
        release.set()
        assert [answer.status for answer in await asyncio.gather(*tasks, cancel)] == [200] * 6
        assert server.accepted == 4
        await connection.close()


async def test_nobody_listening_proves_that_nothing_was_sent() -> None:
    async with raw_server(keep([])) as server:
        pass
    with pytest.raises(NotSentError, match="no connection"):
        await post(connect(server))


async def test_a_deadline_that_has_passed_proves_that_nothing_was_sent() -> None:
    seen: list[bytes] = []
    async with raw_server(keep(seen)) as server:
        connection = connect(server)
        await post(connection)
        with pytest.raises(NotSentError) as refused:
            await post(connection, deadline=CLOCK.monotonic())
        assert refused.value.deadline
        with pytest.raises(NotSentError) as refused:
            await post(connect(server), deadline=CLOCK.monotonic() - 1)
        assert refused.value.deadline
        await asyncio.sleep(0.02)
        assert len(seen) == 1
        await connection.close()


async def test_a_deadline_that_passes_while_waiting_for_a_connection_holds_the_request_back() -> None:
    seen: list[bytes] = []

    class Stepping(SystemClock):
        """Time jumps when the connection stands."""

        late = False

        def monotonic(self) -> float:
            return 100.0 if self.late else 1.0

    clock = Stepping()
    async with raw_server(keep(seen)) as server:
        connection = OrderConnection(server.url, clock, pace=Unpaced())
        original = connection._connect

        async def connect_slowly(deadline: float | None):
            made = await original(deadline)
            clock.late = True
            return made

        connection._connect = connect_slowly  # type: ignore[method-assign]
        with pytest.raises(NotSentError) as refused:
            await post(connection, deadline=50.0)
        assert refused.value.deadline
        await asyncio.sleep(0.02)
        assert seen == []
        await connection.close()


async def reset_at_once(peer: Peer) -> None:
    await peer.request()
    peer.reset()


async def close_at_once(peer: Peer) -> None:
    await peer.request()


async def half_a_head(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Le")


async def half_a_body(peer: Peer) -> None:
    await peer.request()
    await peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"success":true')


async def half_a_chunk(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{")


async def reset_in_the_body(peer: Peer) -> None:
    await half_a_body(peer)
    peer.reset()


async def not_http(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")


async def silence(peer: Peer) -> None:
    await peer.request()
    await asyncio.sleep(5)


async def too_much(peer: Peer) -> None:
    await peer.request()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")


DOUBTS = [
    reset_at_once,
    close_at_once,
    half_a_head,
    half_a_body,
    half_a_chunk,
    reset_in_the_body,
    not_http,
    silence,
    too_much,
]


@pytest.mark.protocol("9.18")
@pytest.mark.parametrize("script", DOUBTS, ids=lambda script: script.__name__)
async def test_after_the_first_byte_only_a_complete_answer_proves_anything(script: Any) -> None:
    seen: list[bytes] = []
    async with raw_server(script, keep(seen)) as server:
        connection = connect(server, answer_timeout=0.2)
        with pytest.raises(UnansweredError):
            await post(connection)
        connection._answer_timeout = 10.0
        # The next request does not meet the wreck of the last one.
        assert (await post(connection)).status == 200
        assert len(seen) == 1
        await connection.close()


async def test_a_connection_closed_while_idle_is_replaced_before_anything_is_written() -> None:
    seen: list[bytes] = []

    async def one_answer(peer: Peer) -> None:
        seen.append(await peer.request())
        await peer.answer("200 OK", b"{}")

    async with raw_server(one_answer, keep(seen)) as server:
        connection = connect(server)
        await post(connection)
        await asyncio.sleep(0.05)
        await post(connection)
        assert server.accepted == 2
        assert len(seen) == 2
        await connection.close()


async def test_the_end_of_an_idle_connection_is_seen_even_before_the_loop_notices() -> None:
    closed = asyncio.Event()

    async def one_answer(peer: Peer) -> None:
        await peer.request()
        await peer.answer("200 OK", b"{}")
        peer.writer.close()
        closed.set()

    seen: list[bytes] = []
    async with raw_server(one_answer, keep(seen)) as server:
        connection = connect(server)
        await post(connection)
        await closed.wait()
        assert (await post(connection)).status == 200
        assert len(seen) == 1
        await connection.close()


async def test_an_answer_nobody_asked_for_is_not_taken_for_the_next_one() -> None:
    async def talkative(peer: Peer) -> None:
        await peer.request()
        await peer.answer("200 OK", b"{}")
        await asyncio.sleep(0.01)
        await peer.answer("200 OK", b'{"success":true}')
        await asyncio.sleep(0.5)

    seen: list[bytes] = []
    async with raw_server(talkative, keep(seen)) as server:
        connection = connect(server)
        await post(connection)
        await asyncio.sleep(0.05)
        assert (await post(connection)).body == b"{}"
        assert server.accepted == 2
        await connection.close()


async def test_connections_idle_for_too_long_are_not_used() -> None:
    async with raw_server(keep([])) as server:
        connection = connect(server, idle_limit=0.01)
        await post(connection)
        await asyncio.sleep(0.03)
        await post(connection)
        assert server.accepted == 2
        await connection.close()


async def test_connection_close_is_obeyed() -> None:
    async with raw_server(keep([])) as server:
        server.scripts = [server.keep_answering("200 OK", b"{}", "Connection: close")]
        connection = connect(server)
        await post(connection)
        await post(connection)
        assert server.accepted == 2
        await connection.close()


async def test_a_cancelled_request_takes_its_connection_with_it() -> None:
    async with raw_server(silence, keep([])) as server:
        connection = connect(server)
        task = asyncio.create_task(post(connection))
        await until(lambda: server.accepted == 1)
        await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await post(connection)).status == 200
        await connection.close()


async def test_closing_makes_requests_in_flight_unanswered() -> None:
    async with raw_server(silence) as server:
        connection = connect(server)
        task = asyncio.create_task(post(connection))
        await until(lambda: server.accepted == 1)
        await asyncio.sleep(0.02)
        await connection.close()
        with pytest.raises(UnansweredError):
            await task


async def test_a_header_with_a_line_break_is_refused() -> None:
    async with raw_server(keep([])) as server:
        with pytest.raises(ValueError, match="line break"):
            await connect(server).request("POST", "/order", {"A": "b\r\nEvil: 1\r\n\r\nPOST /x"}, BODY)
        assert server.accepted == 0


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    cert = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(key.private_bytes(pem, *plain) + cert.public_bytes(pem))
    return file


async def test_https_is_spoken_and_the_certificate_is_checked(certificate: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    seen: list[bytes] = []
    async with raw_server(keep(seen), tls=tls) as server:
        trusting = connect(server, ssl_context=ssl.create_default_context(cafile=str(certificate)))
        assert (await post(trusting)).status == 200
        await post(trusting)
        assert (server.accepted, len(seen)) == (1, 2)
        with pytest.raises(NotSentError, match="certificate"):
            await post(connect(server))
        assert len(seen) == 2
        await trusting.close()


ON_UVLOOP = [
    test_requests_share_one_connection_and_carry_their_bytes_exactly,
    test_a_deadline_that_has_passed_proves_that_nothing_was_sent,
    test_a_connection_closed_while_idle_is_replaced_before_anything_is_written,
    test_the_end_of_an_idle_connection_is_seen_even_before_the_loop_notices,
    test_an_answer_nobody_asked_for_is_not_taken_for_the_next_one,
    test_a_cancelled_request_takes_its_connection_with_it,
    *(partial(test_after_the_first_byte_only_a_complete_answer_proves_anything, script) for script in DOUBTS),
]


@pytest.mark.parametrize("test", ON_UVLOOP, ids=lambda t: getattr(t, "__name__", None) or t.args[0].__name__)
def test_the_same_holds_on_the_traders_event_loop(test) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test())


def test_https_works_on_the_traders_event_loop(certificate: Path) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(test_https_is_spoken_and_the_certificate_is_checked(certificate))
