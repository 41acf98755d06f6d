"""A policy, statements that it allows, and a signer in this process or beside it."""

from __future__ import annotations

from typing import Any

from domain.order import OrderSide
from tests.venues.polymarket.vectors import ADDRESS
from venues.polymarket.auth import KeyRequest
from venues.polymarket.contracts import POLYGON, STANDARD_EXCHANGE, Exchange
from venues.polymarket.eip712 import ZERO_WORD
from venues.polymarket.isolated_signer.policy import Policy
from venues.polymarket.signing import OrderStatement, SignatureType, SignedFields
from venues.polymarket.wallet.contracts import CTF_EXCHANGE, PUSD
from venues.polymarket.wallet.statements import DepositBatch, PlainTransaction, ProxyBatch, SafeBatch, SignedCall

WALLET = "0x" + "12" * 20
STRANGER = "0x" + "99" * 20
FIVE_WITH_FEES = 5_500_000
TOKEN = 71321045679252212594626385532706912750332728571942532289631379312455583992563
DOLLAR = SHARE = 1_000_000
NOW_S = 1_790_000_000
APPROVE = bytes.fromhex("095ea7b3")
TRANSFER = bytes.fromhex("a9059cbb")


class Watch:
    """Time that passes when told."""

    def __init__(self, seconds: float = NOW_S) -> None:
        self.seconds = seconds

    def now_ns(self) -> int:
        return int(self.seconds * 1_000_000_000)

    def monotonic(self) -> float:
        return self.seconds


def policy(**changes: Any) -> Policy:
    values: dict[str, Any] = {
        "address": ADDRESS,
        "wallet": ADDRESS,
        "signature_type": SignatureType.EOA,
        "chain_id": POLYGON,
        "builder": ZERO_WORD,
        "max_order_notional": 55 * DOLLAR,
        "max_day_notional": 220 * DOLLAR,
        "max_order_shares": 500 * SHARE,
        "max_day_shares": 2_000 * SHARE,
        "max_fee_rate": 100_000,
        "max_buy_price": 980_000,
        "min_sell_price": 10_000,
        "orders_per_second": 1_000,
        "wallet_contracts": frozenset(),
        "max_gas_cost": 10**18,
    }
    return Policy(**(values | changes))


def order(*, exchange: Exchange = STANDARD_EXCHANGE, chain_id: int = POLYGON, **changes: Any) -> OrderStatement:
    """Return a BUY of ten shares for five dollars, or what `changes` make of it."""
    values: dict[str, Any] = {
        "salt": 1,
        "maker": ADDRESS,
        "signer": ADDRESS,
        "token_id": TOKEN,
        "maker_amount": 5 * DOLLAR,
        "taker_amount": 10 * SHARE,
        "side": OrderSide.BUY,
        "signature_type": SignatureType.EOA,
        "timestamp": NOW_S * 1000,
    }
    return OrderStatement(SignedFields(**(values | changes)), exchange, chain_id)


def sale(shares: int, cash: int, **changes: Any) -> OrderStatement:
    return order(side=OrderSide.SELL, maker_amount=shares, taker_amount=cash, **changes)


def key_request(**changes: Any) -> KeyRequest:
    values: dict[str, Any] = {"address": ADDRESS, "timestamp": NOW_S, "nonce": 0, "chain_id": POLYGON}
    return KeyRequest(**(values | changes))


def call(data: bytes | None = None, *, target: str = PUSD.address, to: str = CTF_EXCHANGE.address) -> SignedCall:
    """Return an approval of collateral to the exchange, or what the arguments make of it."""
    return SignedCall(target, APPROVE + bytes(12) + bytes.fromhex(to[2:]) + b"\xff" * 32 if data is None else data)


def wallet_statements(wallet: str, *calls: SignedCall) -> dict[SignatureType, Any]:
    """Return the same calls as each kind of wallet has them signed."""
    return {
        SignatureType.EOA: PlainTransaction(1, 30 * 10**9, 100_000, calls[0], POLYGON),
        SignatureType.POLY_PROXY: ProxyBatch(ADDRESS, 1, calls, 200_000, STRANGER),
        SignatureType.POLY_GNOSIS_SAFE: SafeBatch(wallet, 1, calls, POLYGON),
        SignatureType.POLY_1271: DepositBatch(wallet, 1, NOW_S, calls, POLYGON),
    }
