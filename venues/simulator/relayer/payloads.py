"""What is posted to the relayer, checked to the letter: types, wallet, signature, nonce, and whether its calls are allowed.

What passes is a `RelayRequest` for the world. Only functions that the chain knows and that change something may be called; the legacy
neg-risk adapter's are not among them.
"""

from __future__ import annotations

from typing import assert_never

from eth_utils.address import is_hex_address, to_checksum_address

from venues.simulator.chain.abi import Function, RevertError
from venues.simulator.chain.chain import RELAYER, Chain
from venues.simulator.chain.machine import Call, entry_of
from venues.simulator.chain.relays import RelayCall, RelayRequest
from venues.simulator.chain.wallet_addresses import (
    deposit_wallet,
    legacy_deposit_wallet,
    proxy_wallet,
    safe_wallet,
)
from venues.simulator.clob.signatures import SignatureError
from venues.simulator.contracts import DEPOSIT_WALLET_FACTORY, MULTISEND, PROXY_FACTORY, RELAY_HUB, SAFE_FACTORY
from venues.simulator.http import UNREADABLE
from venues.simulator.refusals import bad_request
from venues.simulator.relayer.signatures import batch_signer, proxy_signer, safe_create_signer, safe_signer
from venues.simulator.relayer.wire import (
    Batch,
    Payload,
    ProxyTransaction,
    SafeCreate,
    SafeTransaction,
    WalletCreate,
    decode_payload,
)
from venues.simulator.world.wallets import Wallets

METADATA_LIMIT = 500
MAX_CALLS = 100
_PROXY = Function("proxy", ("(uint8,address,uint256,bytes)[]",))
_MULTISEND = Function("multiSend", ("bytes",))
_PLAIN_CALL = 1
_DELEGATE = "1"


def check_payload(body: bytes, submitter: str, chain: Chain, wallets: Wallets) -> RelayRequest:
    """Return the request once everything about it is proven; `submitter` is the key's address. Raises `RefusalError` 400."""
    try:
        payload = decode_payload(body)
    except UNREADABLE as error:
        raise bad_request(f"invalid payload: {error}") from None
    if len(payload.metadata) > METADATA_LIMIT:
        raise bad_request(f"metadata must be at most {METADATA_LIMIT} characters")
    try:
        request = _check(payload, submitter, chain, wallets)
    except SignatureError:
        raise bad_request("invalid signature") from None
    _check_calls(request)
    active = chain.relays.busy(request.wallet)
    if active is not None:
        raise bad_request(_busy(active.transaction_hash, request.wallet, active.id))
    return request


def wallet_of(owner: str, kind: str, chain: Chain, wallets: Wallets) -> str:
    """Return the wallet of a type (WALLET, SAFE, PROXY) that `owner` uses. Raises `RefusalError` 400 for another type."""
    derived = {"WALLET": deposit_wallet, "SAFE": safe_wallet, "PROXY": proxy_wallet}
    types = {"WALLET": 3, "SAFE": 2, "PROXY": 1}
    if kind not in derived:
        raise bad_request("invalid type")
    legacy = legacy_deposit_wallet(owner)
    if kind == "WALLET" and legacy in chain.accounts.deployed:
        return legacy
    return wallets.wallet(owner, types[kind]) or derived[kind](owner)


def address_of(text: str) -> str:
    """Return a checksummed address. Raises `RefusalError` 400."""
    if not is_hex_address(text):
        raise bad_request("invalid address")
    return to_checksum_address(text)


def _check(payload: Payload, submitter: str, chain: Chain, wallets: Wallets) -> RelayRequest:
    owner = address_of(payload.sender)
    match payload:
        case Batch():
            return _batch(payload, owner, submitter, chain, wallets)
        case SafeTransaction():
            return _safe(payload, owner, submitter, chain, wallets)
        case ProxyTransaction():
            return _proxy(payload, owner, submitter, wallets)
        case WalletCreate():
            _expect(payload.to, DEPOSIT_WALLET_FACTORY)
            return _create("WALLET-CREATE", owner, deposit_wallet(owner), DEPOSIT_WALLET_FACTORY, submitter, payload)
        case SafeCreate():
            _expect(payload.to, SAFE_FACTORY)
            params = payload.signature_params
            payment = (address_of(params.payment_token), _number(params.payment), address_of(params.payment_receiver))
            if safe_create_signer(*payment, payload.signature) != owner:
                raise SignatureError
            return _create("SAFE-CREATE", owner, safe_wallet(owner), SAFE_FACTORY, submitter, payload)
        case _:
            assert_never(payload)


def _batch(payload: Batch, owner: str, submitter: str, chain: Chain, wallets: Wallets) -> RelayRequest:
    _expect(payload.to, DEPOSIT_WALLET_FACTORY)
    params = payload.deposit_wallet_params
    wallet = _owned(address_of(params.deposit_wallet), owner, wallets)
    _require_deployed(wallet, chain)
    calls = [Call(address_of(call.target), _data(call.data), _number(call.value)) for call in params.calls]
    nonce, deadline = _number(payload.nonce), _number(params.deadline)
    if batch_signer(wallet, nonce, deadline, calls, payload.signature) != owner:
        raise SignatureError
    expected = chain.accounts.nonce(wallet)
    if nonce != expected:
        raise bad_request(f"batch nonce {nonce} does not match on-chain nonce {expected}")
    return RelayRequest(
        kind="WALLET",
        owner=owner,
        wallet=wallet,
        to=DEPOSIT_WALLET_FACTORY,
        nonce=nonce,
        signature=payload.signature,
        submitter=submitter,
        metadata=payload.metadata,
        deadline=min(deadline, 2**53),
        calls=_stored(calls),
    )


def _safe(payload: SafeTransaction, owner: str, submitter: str, chain: Chain, wallets: Wallets) -> RelayRequest:
    wallet = _owned(address_of(payload.proxy_wallet), owner, wallets)
    _require_deployed(wallet, chain)
    params, to, data = payload.signature_params, address_of(payload.to), _data(payload.data)
    nonce, value = _number(payload.nonce), _number(payload.value)
    signed = {
        "to": to,
        "value": value,
        "data": data,
        "operation": int(params.operation),
        "safeTxGas": _number(params.safe_txn_gas),
        "baseGas": _number(params.base_gas),
        "gasPrice": _number(params.gas_price),
        "gasToken": address_of(params.gas_token),
        "refundReceiver": address_of(params.refund_receiver),
        "nonce": nonce,
    }
    if safe_signer(wallet, signed, payload.signature) != owner:
        raise SignatureError
    calls = [Call(to, data, value)] if params.operation != _DELEGATE else _multisend(to, data)
    return RelayRequest(
        kind="SAFE",
        owner=owner,
        wallet=wallet,
        to=to,
        nonce=nonce,
        signature=payload.signature,
        submitter=submitter,
        data=payload.data,
        metadata=payload.metadata,
        value=payload.value,
        calls=_stored(calls),
    )


def _proxy(payload: ProxyTransaction, owner: str, submitter: str, wallets: Wallets) -> RelayRequest:
    _expect(payload.to, PROXY_FACTORY)
    params, data, nonce = payload.signature_params, _data(payload.data), _number(payload.nonce)
    wallet = address_of(payload.proxy_wallet)
    if wallet != proxy_wallet(owner):
        _owned(wallet, owner, wallets)
    _expect(params.relay_hub, RELAY_HUB)
    _expect(params.relay, RELAYER)
    numbers = (_number(params.relayer_fee), _number(params.gas_price), _number(params.gas_limit), nonce)
    if proxy_signer(owner, PROXY_FACTORY, data, numbers, RELAY_HUB, RELAYER, payload.signature) != owner:
        raise SignatureError
    return RelayRequest(
        kind="PROXY",
        owner=owner,
        wallet=wallet,
        to=PROXY_FACTORY,
        nonce=nonce,
        signature=payload.signature,
        submitter=submitter,
        data=payload.data,
        metadata=payload.metadata,
        calls=_stored(_proxied(data)),
    )


def _create(
    kind: str, owner: str, wallet: str, factory: str, submitter: str, payload: WalletCreate | SafeCreate
) -> RelayRequest:
    return RelayRequest(
        kind=kind,
        owner=owner,
        wallet=wallet,
        to=factory,
        nonce=0,
        signature=payload.signature if isinstance(payload, SafeCreate) else "",
        submitter=submitter,
        metadata=payload.metadata,
    )


def _multisend(to: str, data: bytes) -> list[Call]:
    """Return the calls packed for the multisend contract: operation, target, value, length, data, one after the other."""
    if to != MULTISEND or data[:4] != _MULTISEND.selector:
        raise bad_request(f"call blocked: delegate call to {to}")
    try:
        (packed,) = _MULTISEND.decode(data[4:])
    except RevertError:
        raise bad_request("invalid payload: data") from None
    calls: list[Call] = []
    while packed:
        size = int.from_bytes(packed[53:85], "big")
        if len(packed) < 85 + size or packed[0] != 0:
            raise bad_request("invalid payload: data")
        value = int.from_bytes(packed[21:53], "big")
        calls.append(Call(to_checksum_address(packed[1:21]), packed[85 : 85 + size], value))
        packed = packed[85 + size :]
    return calls


def _proxied(data: bytes) -> list[Call]:
    if data[:4] != _PROXY.selector:
        raise bad_request("call blocked: proxies only take proxy((uint8,address,uint256,bytes)[])")
    try:
        (listed,) = _PROXY.decode(data[4:])
    except RevertError:
        raise bad_request("invalid payload: data") from None
    if any(code != _PLAIN_CALL for code, *_ in listed):
        raise bad_request("call blocked: only plain calls are allowed")
    return [Call(to_checksum_address(target), inner, value) for _, target, value, inner in listed]


def _check_calls(request: RelayRequest) -> None:
    if not request.kind.endswith("CREATE") and not 0 < len(request.calls) <= MAX_CALLS:
        raise bad_request(f"invalid payload: {len(request.calls)} calls, expected 1 to {MAX_CALLS}")
    for call in request.calls:
        entry = entry_of(Call(call.target, bytes.fromhex(call.data[2:])))
        if entry is None or not entry.writes or call.value != "0":
            raise bad_request(f"call blocked: {call.data[:10]} on {call.target} is not allowed")


def _owned(wallet: str, owner: str, wallets: Wallets) -> str:
    if wallets.owner(wallet) != owner or wallet == owner:
        raise bad_request(f"wallet {wallet} is not deployed for {owner}")
    return wallet


def _require_deployed(wallet: str, chain: Chain) -> None:
    if wallet not in chain.accounts.deployed:
        raise bad_request(f"wallet {wallet} is not deployed")


def _busy(transaction_hash: str, wallet: str, active: str) -> str:
    """Say that a wallet must wait: its action is not sent yet, or sent and not in a block."""
    if transaction_hash:
        return f"wallet has in-flight action: {active}"
    return f"wallet busy: {wallet} has an active action {active}"


def _stored(calls: list[Call]) -> tuple[RelayCall, ...]:
    return tuple(RelayCall(call.target, "0x" + call.data.hex(), str(call.value)) for call in calls)


def _expect(text: str, address: str) -> None:
    if address_of(text) != address:
        raise bad_request(f"invalid payload: {text} given, expected {address}")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 78):
        raise bad_request(f"invalid payload: {text[:80]!r} is not a number")
    number = int(text)
    if number >= 2**256:
        raise bad_request("invalid payload: a number does not fit 256 bits")
    return number


def _data(text: str) -> bytes:
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        raise bad_request("invalid payload: data is not hexadecimal") from None
