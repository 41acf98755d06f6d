"""The trader's side: right signatures, and a clear reason whenever there is none."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from domain.errors import SigningError, WrongAccountError
from tests.venues.polymarket.isolated_signer.kit import STRANGER, TOKEN, key_request, order, sale, wallet_statements
from tests.venues.polymarket.isolated_signer.kit import call as approval
from tests.venues.polymarket.isolated_signer.serving import impostor, next_question, short_folder, signer_here
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY
from venues.polymarket.contracts import NEG_RISK_EXCHANGE, POLYGON
from venues.polymarket.isolated_signer import wire
from venues.polymarket.isolated_signer.client import RemoteSigner
from venues.polymarket.isolated_signer.wallet_calls import VENUE_CONTRACTS
from venues.polymarket.signer import LocalSigner
from venues.polymarket.signing import SignatureType, sign_order


@contextlib.asynccontextmanager
async def client(path, address=ADDRESS, patience=5.0):
    remote = RemoteSigner(path, address, patience)
    try:
        yield remote
    finally:
        await remote.close()


async def refusal(remote, statement) -> SigningError:
    with pytest.raises(SigningError) as caught:
        await remote.sign(statement)
    return caught.value


async def test_an_order_gets_the_same_id_and_signature_as_from_a_key_in_the_trader(tmp_path):
    local = LocalSigner(PRIVATE_KEY)
    async with signer_here(tmp_path) as (path, _desk), client(path) as remote:
        for statement in (order(), sale(10_000_000, 5_000_000, token_id=TOKEN + 5), order(exchange=NEG_RISK_EXCHANGE)):
            fields, exchange = statement.order, statement.exchange
            assert await sign_order(fields, exchange, POLYGON, remote) == await sign_order(
                fields, exchange, POLYGON, local
            )


@pytest.mark.parametrize("kind", SignatureType)
async def test_orders_and_operations_of_every_kind_of_wallet_are_signed_alike(tmp_path, kind):
    local, wallet = LocalSigner(PRIVATE_KEY), ADDRESS if kind is SignatureType.EOA else STRANGER
    account = {"wallet": wallet, "signature_type": kind, "wallet_contracts": frozenset(VENUE_CONTRACTS)}
    signer = wallet if kind is SignatureType.POLY_1271 else ADDRESS
    async with signer_here(tmp_path, **account) as (path, _desk), client(path) as remote:
        for statement in (
            order(maker=wallet, signer=signer, signature_type=kind),
            wallet_statements(wallet, approval())[kind],
            key_request(),
        ):
            assert await remote.sign(statement) == await local.sign(statement)


async def test_many_questions_at_once_each_get_their_own_answer(tmp_path):
    local = LocalSigner(PRIVATE_KEY)
    async with signer_here(tmp_path, max_day_notional=10**12) as (path, _desk), client(path) as remote:
        statements = [order(salt=salt) for salt in range(100)]
        answers = await asyncio.gather(*map(remote.sign, statements))
    assert answers == [local.sign_now(statement) for statement in statements]


async def test_a_refusal_carries_its_code_and_its_reason(tmp_path):
    async with signer_here(tmp_path) as (path, desk), client(path) as remote:
        error = await refusal(remote, order(maker=STRANGER))
        assert error.code == "wallet"
        assert STRANGER in str(error)
        assert (await remote.status()).refused == {"wallet": 1}
        await remote.sign(order())
        assert desk.signed == 1


async def test_a_signer_of_another_address_signs_nothing(tmp_path):
    async with signer_here(tmp_path) as (path, desk), client(path, STRANGER) as remote:
        with pytest.raises(WrongAccountError, match=f"{ADDRESS}'s, configured is {STRANGER}"):
            await remote.sign(order())
        assert desk.signed == 0


async def test_where_no_signer_listens_the_command_that_starts_one_is_named():
    with short_folder() as folder:
        async with client(folder / "signer.sock") as remote:
            error = await refusal(remote, order())
    assert error.code == "away"
    assert "manage.py runsigner" in str(error)


async def test_a_signer_that_was_away_is_found_again_by_the_next_order(tmp_path):
    gone = []

    async def talk(reader, writer):
        await next_question(reader)
        writer.write(wire.framed(wire.Welcome(wire.VERSION, ADDRESS)))
        question = await next_question(reader)
        if not gone:
            gone.append(question)
            return
        signature = await LocalSigner(PRIVATE_KEY).sign(question.statement)
        writer.write(wire.framed(wire.Signed(question.id, question.statement.digest, signature)))
        await writer.drain()

    async with impostor(talk) as path, client(path) as remote:
        assert (await refusal(remote, order())).code == "away"
        assert await remote.sign(order()) == LocalSigner(PRIVATE_KEY).sign_now(order())


async def test_a_late_answer_is_no_answer_and_is_not_taken_for_the_next_one():
    release = asyncio.Event()

    async def talk(reader, writer):
        await next_question(reader)
        writer.write(wire.framed(wire.Welcome(wire.VERSION, ADDRESS)))
        while True:
            question = await next_question(reader)
            if question.id == 1:
                await release.wait()
            signature = await LocalSigner(PRIVATE_KEY).sign(question.statement)
            writer.write(wire.framed(wire.Signed(question.id, question.statement.digest, signature)))

    async with impostor(talk) as path, client(path, patience=0.1) as remote:
        error = await refusal(remote, order(salt=1))
        assert error.code == "late"
        release.set()
        assert await remote.sign(order(salt=2)) == LocalSigner(PRIVATE_KEY).sign_now(order(salt=2))


async def test_a_signer_that_signs_another_hash_is_not_believed():
    async def talk(reader, writer):
        await next_question(reader)
        writer.write(wire.framed(wire.Welcome(wire.VERSION, ADDRESS)))
        question = await next_question(reader)
        writer.write(wire.framed(wire.Signed(question.id, bytes(32), bytes(65))))
        await next_question(reader)

    async with impostor(talk) as path, client(path) as remote:
        assert "another hash" in str(await refusal(remote, order()))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (wire.framed(wire.Welcome(2, ADDRESS)), "another version"),
        (wire.framed(wire.Refused(0, "version", "too old")), r"\(version\): too old"),
        (b"\xff\xff\xff\xff", "is it a signer"),
        (b"\x00\x00\x00\x02{]", "is it a signer"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10, "is it a signer"),
        (b"", "no signer listens"),
    ],
)
async def test_whatever_else_listens_there_is_an_error_with_a_reason(said, told):
    async def talk(reader, writer):
        await next_question(reader)
        writer.write(said)
        await writer.drain()

    async with impostor(talk) as path, client(path) as remote:
        with pytest.raises(SigningError, match=told):
            await remote.sign(order())


async def test_what_is_no_known_statement_is_never_sent():
    class Anything:
        digest = bytes(32)

    with pytest.raises(TypeError, match="Anything is nothing that an isolated signer signs"):
        await RemoteSigner("/nowhere", ADDRESS).sign(Anything())
