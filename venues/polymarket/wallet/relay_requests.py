"""What is submitted to the relayer for each kind of wallet: signed once, and from then on these exact bytes.

A nonce can be used up once, on the chain: the same bytes submitted again can never be carried out twice. Source: the venue's relayer documentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from domain.wallet import ContractCall
from venues.polymarket.signer import Signer
from venues.polymarket.signing import SignatureType
from venues.polymarket.wallet.contracts import (
    DEPOSIT_WALLET_FACTORY,
    PROXY_FACTORY,
    RELAY_HUB,
    ZERO_ADDRESS,
)
from venues.polymarket.wallet.relay_signing import safe_signature
from venues.polymarket.wallet.statements import DepositBatch, ProxyBatch, SafeBatch, signed_calls

BATCH_SECONDS = 600
"""How long a deposit wallet's batch may be carried out."""
RELAY_TYPES = {
    SignatureType.POLY_PROXY: "PROXY",
    SignatureType.POLY_GNOSIS_SAFE: "SAFE",
    SignatureType.POLY_1271: "WALLET",
}
"""What the relayer calls the kinds of wallets."""


@dataclass(frozen=True, slots=True)
class RelayRequest:
    """A signed submission. `expires_s` is the Unix time after which it cannot be carried out, 0 for never."""

    body: bytes
    nonce: int
    signature: str
    expires_s: int = 0


def signature_of(body: bytes) -> str:
    """Return the signature inside a submission's bytes."""
    return str(msgspec.json.decode(body)["signature"])


async def deposit_wallet_request(
    signer: Signer, wallet: str, calls: Sequence[ContractCall], nonce: int, now_s: int, chain_id: int
) -> RelayRequest:
    """Return a batch of a deposit wallet: all calls happen, or none."""
    deadline = now_s + BATCH_SECONDS
    signature = _hex(await signer.sign(DepositBatch(wallet, nonce, deadline, signed_calls(calls), chain_id)))
    batch = [{"target": call.target, "value": "0", "data": _hex(call.data)} for call in calls]
    return _request(
        {
            "type": RELAY_TYPES[SignatureType.POLY_1271],
            "from": signer.address,
            "to": DEPOSIT_WALLET_FACTORY,
            "nonce": str(nonce),
            "signature": signature,
            "metadata": "",
            "depositWalletParams": {"depositWallet": wallet, "deadline": str(deadline), "calls": batch},
        },
        nonce,
        expires_s=deadline,
    )


def creation_body(owner: str) -> bytes:
    """Return the request that creates an owner's deposit wallet; it may be made any number of times."""
    content = {"type": "WALLET-CREATE", "from": owner, "to": DEPOSIT_WALLET_FACTORY, "metadata": ""}
    return msgspec.json.encode(content)


async def safe_request(
    signer: Signer, wallet: str, calls: Sequence[ContractCall], nonce: int, chain_id: int
) -> RelayRequest:
    """Return a transaction of a Safe; several calls go through MultiSend and happen all or not at all."""
    statement = SafeBatch(wallet, nonce, signed_calls(calls), chain_id)
    signature = _hex(safe_signature(await signer.sign(statement)))
    return _request(
        {
            "type": RELAY_TYPES[SignatureType.POLY_GNOSIS_SAFE],
            "from": signer.address,
            "to": statement.to,
            "proxyWallet": wallet,
            "data": _hex(statement.data),
            "nonce": str(nonce),
            "signature": signature,
            "metadata": "",
            "signatureParams": {
                "gasPrice": "0",
                "operation": str(statement.operation),
                "safeTxnGas": "0",
                "baseGas": "0",
                "gasToken": ZERO_ADDRESS,
                "refundReceiver": ZERO_ADDRESS,
            },
        },
        nonce,
    )


async def proxy_request(
    signer: Signer, wallet: str, calls: Sequence[ContractCall], nonce: int, *, relay: str, gas_limit: int
) -> RelayRequest:
    """Return a relayed call of an owner's proxy."""
    statement = ProxyBatch(signer.address, nonce, signed_calls(calls), gas_limit, relay)
    return _request(
        {
            "type": RELAY_TYPES[SignatureType.POLY_PROXY],
            "from": signer.address,
            "to": PROXY_FACTORY,
            "proxyWallet": wallet,
            "data": _hex(statement.data),
            "nonce": str(nonce),
            "signature": _hex(await signer.sign(statement)),
            "metadata": "",
            "signatureParams": {
                "gasLimit": str(gas_limit),
                "gasPrice": "0",
                "relay": relay,
                "relayHub": RELAY_HUB,
                "relayerFee": "0",
            },
        },
        nonce,
    )


def _request(content: dict[str, Any], nonce: int, expires_s: int = 0) -> RelayRequest:
    return RelayRequest(msgspec.json.encode(content), nonce, content["signature"], expires_s)


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
