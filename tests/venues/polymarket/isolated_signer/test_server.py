"""What arrives at the socket: nothing but a good message in good order gets a signature, and nothing stops the signer."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest

from infra.errors import ServiceError
from infra.unix_socket import listening, peer_user
from tests.venues.polymarket.isolated_signer.kit import key_request, order
from tests.venues.polymarket.isolated_signer.serving import short_folder, signer_here
from tests.venues.polymarket.vectors import ADDRESS
from venues.polymarket.isolated_signer import wire
from venues.polymarket.isolated_signer.client import RemoteSigner
from venues.polymarket.isolated_signer.server import MAX_CLIENTS, SignerServer

HELLO = wire.framed(wire.Hello(wire.VERSION))


def frame(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def request(**changes: object) -> dict:
    return json.loads(msgspec.json.encode(wire.SignRequest(1, order()))) | changes


async def conversation(path, *sent: bytes) -> list[wire.Answer]:
    """Send bytes and return every answer until the signer hangs up, or answered as often as it was asked."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(b"".join(sent))
    writer.write_eof()
    content = await reader.read()
    writer.close()
    return answers_in(content)


def answers_in(content: bytes) -> list[wire.Answer]:
    answers = []
    while content:
        length = int.from_bytes(content[:4], "big")
        answers.append(wire.read_answer(content[4 : 4 + length]))
        content = content[4 + length :]
    return answers


async def test_a_greeting_is_answered_with_the_address(tmp_path):
    async with signer_here(tmp_path) as (path, _desk):
        assert await conversation(path, HELLO) == [wire.Welcome(wire.VERSION, ADDRESS)]


@pytest.mark.parametrize(
    "sent",
    [
        frame(json.dumps(request()).encode()),
        frame(b'{"type":"hello","version":2}'),
        HELLO + HELLO,
        HELLO + frame(b""),
        HELLO + frame(b"null"),
        HELLO + frame(b"{" * 60_000),
        HELLO + frame(b"[" * 60_000),
        HELLO + b"\xff\xff\xff\xff",
        HELLO + frame(json.dumps(request(digest="00" * 32)).encode()),
        HELLO + frame(json.dumps(request(type="digest")).encode()),
        HELLO + frame(json.dumps(request(id=-1)).encode()),
        HELLO + frame(json.dumps(request(id="1")).encode()),
        HELLO + frame(json.dumps(request(statement={"type": "digest", "digest": "00" * 32})).encode()),
    ],
)
async def test_what_cannot_be_read_or_comes_out_of_order_ends_the_connection(tmp_path, sent):
    async with signer_here(tmp_path) as (path, desk):
        *_, last = await conversation(path, sent)
        assert isinstance(last, wire.Refused)
        assert last.code in ("malformed", "version")
        assert (desk.signed, sum(desk.refused.values())) == (0, 1)
        assert await conversation(path, HELLO) == [wire.Welcome(wire.VERSION, ADDRESS)]


@pytest.mark.parametrize(
    ("place", "written"),
    [
        (0, "1.5"),
        (0, "null"),
        (0, "true"),
        (1, "7"),
        (3, '"5"'),
        (4, "1" + "0" * 5000),
        (4, "1e400"),
        (4, "NaN"),
        (6, '"HOLD"'),
        (7, "9"),
        (9, '"not base64!"'),
        (9, '"AAAA"'),
    ],
)
async def test_a_field_of_another_type_or_size_is_refused(tmp_path, place, written):
    content = request()
    content["statement"]["order"][place] = "PLACE"
    text = json.dumps(content).replace('"PLACE"', written)
    async with signer_here(tmp_path) as (path, desk):
        *_, last = await conversation(path, HELLO, frame(text.encode()))
        assert isinstance(last, wire.Refused)
        assert desk.signed == 0


async def test_half_a_message_and_a_sudden_end_disturb_nobody(tmp_path):
    async with signer_here(tmp_path) as (path, desk):
        whole = frame(json.dumps(request()).encode())
        for cut in (2, 4, 20, len(whole) - 1):
            assert await conversation(path, HELLO, whole[:cut]) == [wire.Welcome(wire.VERSION, ADDRESS)]
        assert desk.signed == 0
        assert len(await conversation(path, HELLO, whole)) == 2
        assert desk.signed == 1


async def test_who_is_slow_to_greet_or_to_end_a_message_makes_room_and_who_is_silent_between_messages_stays(tmp_path):
    whole = frame(json.dumps(request()).encode())
    async with signer_here(tmp_path, patience=0.4) as (path, desk):

        async def slow(begun: bytes) -> None:
            reader, writer = await asyncio.open_unix_connection(str(path))
            writer.write(begun)
            *_, last = answers_in(await reader.read())
            assert (last.code, last.text) == ("slow", "the message did not come within 0.4 s")
            writer.close()

        await asyncio.gather(*map(slow, (b"", HELLO[:2], HELLO[:-1], HELLO + whole[:1], HELLO + whole[:-1])))
        assert (desk.signed, desk.refused) == (0, {"slow": 5})
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(HELLO)
        await asyncio.sleep(0.6)
        writer.write(whole)
        writer.write_eof()
        assert len(answers_in(await reader.read())) == 2
        writer.close()
        assert desk.signed == 1


async def test_who_takes_no_answers_is_let_go(tmp_path):
    async with signer_here(tmp_path, patience=0.05, orders_per_second=100_000) as (path, _desk):
        _reader, writer = await asyncio.open_unix_connection(str(path), limit=1)
        writer.write(HELLO)

        async def ask_on() -> None:
            while True:
                writer.write(frame(json.dumps({"type": "status", "id": 1}).encode()) * 1_000)
                await writer.drain()
                await asyncio.sleep(0.01)

        with pytest.raises(ConnectionError):
            await asyncio.wait_for(ask_on(), 10)
        writer.close()


async def test_more_clients_than_allowed_are_turned_away_and_room_is_made_again(tmp_path):
    async with signer_here(tmp_path) as (path, desk):
        waiting = [await asyncio.open_unix_connection(str(path)) for _ in range(MAX_CLIENTS)]
        for reader, writer in waiting:
            writer.write(HELLO)
            await reader.readexactly(4)
        (answer,) = await conversation(path)
        assert (answer.code, desk.refused) == ("peer", {"peer": 1})
        for _reader, writer in waiting:
            writer.close()
        remote = RemoteSigner(path, ADDRESS)
        await remote.sign(key_request())
        await remote.close()


async def test_a_peer_of_another_user_gets_no_word_about_the_key(tmp_path):
    async with signer_here(tmp_path) as (_path, desk):
        with short_folder() as folder, listening(folder / "other.sock") as listener:
            ready = asyncio.Event()
            serving = asyncio.create_task(SignerServer(desk, frozenset({54321})).serve(listener, ready.set))
            await ready.wait()
            (answer,) = await conversation(folder / "other.sock", HELLO, frame(json.dumps(request()).encode()))
            serving.cancel()
            await asyncio.wait([serving])
        assert (answer.code, desk.signed) == ("peer", 0)
        assert ADDRESS not in answer.text


def test_a_socket_is_private_replaced_when_dead_and_left_alone_when_alive():
    with short_folder() as folder:
        path = folder / "signer.sock"
        with listening(path) as server:
            assert (path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)
            with pytest.raises(ServiceError, match="another process listens"), listening(path):
                pass
            assert path.is_socket()
            server.close()
        assert not path.exists()
        path.touch()
        with pytest.raises(ServiceError, match="is no socket"), listening(path):
            pass


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777])
def test_a_folder_that_others_can_enter_is_refused_with_the_command_that_mends_it(mode):
    with short_folder() as folder:
        folder.chmod(mode)
        with pytest.raises(ServiceError, match="chmod 700"), listening(folder / "signer.sock"):
            pass


def test_a_path_too_long_for_a_socket_is_said(tmp_path):
    with pytest.raises(ServiceError, match="too long for a socket"), listening(tmp_path / ("x" * 100) / "s.sock"):
        pass


def test_the_kernel_names_the_user_at_the_other_end():
    import os
    import socket

    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer_user(ours) == os.geteuid()
