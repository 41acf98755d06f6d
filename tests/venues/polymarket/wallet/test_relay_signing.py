"""Relayed signatures equal the published vectors, and what eth_account makes of the same data."""

import secrets

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data

from domain.wallet import ContractCall
from tests.venues.polymarket.vectors import ADDRESS, PRIVATE_KEY, VECTORS
from venues.polymarket.signer import LocalSigner
from venues.polymarket.wallet.relay_signing import batch_digest, proxy_digest, safe_digest, sign_personal, sign_safe

SIGNER = LocalSigner(PRIVATE_KEY)
RELAYER = VECTORS["relayer"]


def _call(target: str, data: bytes) -> ContractCall:
    return ContractCall(target=target, contract="", function="", arguments=(), data=data)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])


@pytest.mark.protocol("2.6", "8.2")
async def test_a_deposit_wallets_batch_hashes_and_signs_like_the_vector() -> None:
    vector = RELAYER["wallet_batch"]
    batch = [_call(call["target"], _bytes(call["data"])) for call in vector["calls"]]
    wallet = vector["domain"]["verifyingContract"]
    digest = batch_digest(wallet, int(vector["nonce"]), int(vector["deadline"]), batch, 137)
    assert "0x" + digest.hex() == vector["digest"]
    assert "0x" + (await SIGNER.sign(digest)).hex() == vector["signature"]


@pytest.mark.protocol("2.6", "8.2")
async def test_a_safes_transaction_hashes_and_signs_like_the_vector() -> None:
    vector = RELAYER["safe_tx"]
    digest = safe_digest(
        vector["safe"], vector["to"], _bytes(vector["data"]), vector["operation"], int(vector["nonce"]), 137
    )
    assert "0x" + digest.hex() == vector["safe_tx_hash"]
    assert "0x" + (await sign_safe(SIGNER, digest)).hex() == vector["signature_packed"]


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
    assert "0x" + (await sign_personal(SIGNER, digest)).hex() == vector["signature"]


async def test_a_batch_of_any_calls_recovers_to_its_owner_at_an_independent_verifier() -> None:
    wallet = VECTORS["derived_wallets"]["deposit_wallet_beacon"]
    batch = [_call("0x" + secrets.token_hex(20), secrets.token_bytes(size)) for size in (0, 4, 36, 133)]
    signature = await SIGNER.sign(batch_digest(wallet, 12, 1_777_374_600, batch, 137))
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
    signature = await sign_personal(SIGNER, digest)
    assert Account.recover_message(encode_defunct(digest), signature=signature) == ADDRESS
    packed = await sign_safe(SIGNER, digest)
    assert packed == signature[:64] + bytes((signature[64] + 4,))
