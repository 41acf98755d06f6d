"""The JSON that is posted to the relayer, by type. Numbers travel as decimal text, data as 0x-prefixed hexadecimal."""

from __future__ import annotations

from typing import Literal

import msgspec


class WireCall(msgspec.Struct):
    target: str
    value: str
    data: str


class BatchParams(msgspec.Struct, rename="camel"):
    deposit_wallet: str
    deadline: str
    calls: list[WireCall]


class Batch(msgspec.Struct, rename="camel", tag="WALLET"):
    """A deposit wallet's calls."""

    to: str
    nonce: str
    signature: str
    deposit_wallet_params: BatchParams
    sender: str = msgspec.field(name="from")
    metadata: str = ""


class WalletCreate(msgspec.Struct, rename="camel", tag="WALLET-CREATE"):
    to: str
    sender: str = msgspec.field(name="from")
    metadata: str = ""


class SafeParams(msgspec.Struct, rename="camel"):
    gas_price: str
    operation: Literal["0", "1"]
    safe_txn_gas: str
    base_gas: str
    gas_token: str
    refund_receiver: str


class SafeTransaction(msgspec.Struct, rename="camel", tag="SAFE"):
    to: str
    proxy_wallet: str
    data: str
    nonce: str
    signature: str
    signature_params: SafeParams
    sender: str = msgspec.field(name="from")
    value: str = "0"
    metadata: str = ""


class CreateParams(msgspec.Struct, rename="camel"):
    payment_token: str
    payment: str
    payment_receiver: str


class SafeCreate(msgspec.Struct, rename="camel", tag="SAFE-CREATE"):
    to: str
    proxy_wallet: str
    signature: str
    signature_params: CreateParams
    sender: str = msgspec.field(name="from")
    metadata: str = ""


class ProxyParams(msgspec.Struct, rename="camel"):
    gas_price: str
    gas_limit: str
    relayer_fee: str
    relay_hub: str
    relay: str


class ProxyTransaction(msgspec.Struct, rename="camel", tag="PROXY"):
    to: str
    proxy_wallet: str
    data: str
    nonce: str
    signature: str
    signature_params: ProxyParams
    sender: str = msgspec.field(name="from")
    metadata: str = ""


Payload = Batch | WalletCreate | SafeTransaction | SafeCreate | ProxyTransaction
decode_payload = msgspec.json.Decoder(Payload).decode
"""Raises `msgspec.DecodeError` for anything else."""
