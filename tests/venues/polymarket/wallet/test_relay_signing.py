"""Relayed signatures equal the published vectors, and what eth_account makes of the same data."""

import secrets
from typing import NamedTuple

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data

from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY, VECTORS
from venues.polymarket.signer import LocalSigner
from venues.polymarket.wallet.relay_signing import (
    personal_digest,
    proxy_digest,
    safe_digest,
    safe_signature,
)
from venues.polymarket.wallet.statements import DepositBatch, SafeBatch, SignedCall

SIGNER = LocalSigner(PRIVATE_KEY)
RELAYER = VECTORS["relayer"]


class Digest(NamedTuple):
    """A statement of nothing but its digest."""

    digest: bytes


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


@pytest.mark.protocol("2.6", "8.2")
async def test_a_deposit_wallets_batch_hashes_and_signs_like_the_vector() -> None:
    vector = RELAYER["wallet_batch"]
    batch = [SignedCall(call["target"], _bytes(call["data"])) for call in vector["calls"]]
    wallet = vector["domain"]["verifyingContract"]
    statement = DepositBatch(wallet, int(vector["nonce"]), int(vector["deadline"]), tuple(batch), 137)
    assert "0x" + statement.digest.hex() == vector["digest"]
    assert "0x" + (await SIGNER.sign(statement)).hex() == vector["signature"]


@pytest.mark.protocol("2.6", "8.2")
async def test_a_safes_transaction_hashes_and_signs_like_the_vector() -> None:
    vector = RELAYER["safe_tx"]
    digest = safe_digest(
        vector["safe"], vector["to"], _bytes(vector["data"]), vector["operation"], int(vector["nonce"]), 137
    )
    assert "0x" + digest.hex() == vector["safe_tx_hash"]
    statement = SafeBatch(
        vector["safe"], int(vector["nonce"]), (SignedCall(vector["to"], _bytes(vector["data"])),), 137
    )
    assert statement.digest == personal_digest(digest)
    assert (statement.to, statement.operation) == (vector["to"], vector["operation"])
    assert "0x" + safe_signature(await SIGNER.sign(statement)).hex() == vector["signature_packed"]


@pytest.mark.protocol("2.6", "8.2")
async def test_a_relayed_proxy_call_hashes_and_signs_like_the_vector() -> None:
    vector = RELAYER["proxy"]
    digest = proxy_digest(
        vector["from"],
        vector["to"],
        _bytes(vector["data"]),
        gas_limit=int(vector["gasLimit"]),
        nonce=int(vector["nonce"]),
        relay=vector["relay"],
    )
    assert "0x" + digest.hex() == vector["hash"]
    assert "0x" + (await SIGNER.sign(Digest(personal_digest(digest)))).hex() == vector["signature"]


async def test_a_batch_of_any_calls_recovers_to_its_owner_at_an_independent_verifier() -> None:
    wallet = VECTORS["derived_wallets"]["deposit_wallet_beacon"]
    batch = [SignedCall("0x" + secrets.token_hex(20), secrets.token_bytes(size)) for size in (0, 4, 36, 133)]
    signature = await SIGNER.sign(DepositBatch(wallet, 12, 1_777_374_600, tuple(batch), 137))
    types = {
        "Call": [
            {"name": "target", "type": "address"},
            {"name": "value", "type": "uint256"},
            {"name": "data", "type": "bytes"},
        ],
        "Batch": [
            {"name": "wallet", "type": "address"},
            {"name": "nonce", "type": "uint256"},
            {"name": "deadline", "type": "uint256"},
            {"name": "calls", "type": "Call[]"},
        ],
    }
    domain = {"name": "DepositWallet", "version": "1", "chainId": 137, "verifyingContract": wallet}
    message = {
        "wallet": wallet,
        "nonce": 12,
        "deadline": 1_777_374_600,
        "calls": [{"target": call.target, "value": 0, "data": call.data} for call in batch],
    }
    assert Account.recover_message(encode_typed_data(domain, types, message), signature=signature) == ADDRESS


async def test_personal_signatures_recover_to_their_owner_at_an_independent_verifier() -> None:
    digest = secrets.token_bytes(32)
    signature = await SIGNER.sign(Digest(personal_digest(digest)))
    assert Account.recover_message(encode_defunct(digest), signature=signature) == ADDRESS
    assert safe_signature(signature) == signature[:64] + bytes((signature[64] + 4,))
