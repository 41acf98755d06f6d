"""What the signer signs, and what it counts for: pure rules over a statement, no memory and no key.

A BUY counts what it pays and the most that fees may add: they are set when an order is matched, and nothing that is signed bounds them. A SELL counts
its shares, whatever it gets for them: who sells far too cheaply gives away shares, and nobody tells the signer what they are worth. A day can
therefore lose at most the day's dollars and the day's shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from domain.money import MICRO, format_micros, multiply_ceil
from domain.order import OrderSide
from venues.polymarket.auth import KeyRequest
from venues.polymarket.contracts import (
    NEG_RISK_EXCHANGE,
    POSITION_EXCHANGE,
    STANDARD_EXCHANGE,
    is_position_id,
)
from venues.polymarket.eip712 import ZERO_WORD
from venues.polymarket.isolated_signer.refusal import Code, RefusedError
from venues.polymarket.isolated_signer.wallet_calls import check_calls
from venues.polymarket.isolated_signer.wire import Signable
from venues.polymarket.signing import OrderStatement, SignatureType
from venues.polymarket.wallet.statements import DepositBatch, PlainTransaction, ProxyBatch, SafeBatch

KEY_REQUEST_SECONDS = 60
"""How far from the signer's own time a key request may be dated: one for later could be kept for later."""
_EXCHANGES = (STANDARD_EXCHANGE, NEG_RISK_EXCHANGE, POSITION_EXCHANGE)
_MAX_UINT256 = (1 << 256) - 1


class Charge(NamedTuple):
    """What a signature counts for, micro-units: dollars that it may pay, fees included, and shares that it may give."""

    notional: int = 0
    shares: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The limits of one signer. Amounts and prices are micro-units, `max_gas_cost` is wei, `builder` 32 bytes.

    `max_fee_rate` is the most that fees may add to what an order pays, as a micro-fraction of it.

    `address` is the key's own, `wallet` the one that holds the money. `wallet_contracts` are the addresses that operations of the wallet may call,
    in small letters; none means that no operation is signed.
    """

    address: str
    wallet: str
    signature_type: SignatureType
    chain_id: int
    builder: bytes
    max_order_notional: int
    max_day_notional: int
    max_order_shares: int
    max_day_shares: int
    max_fee_rate: int
    max_buy_price: int
    min_sell_price: int
    orders_per_second: int
    wallet_contracts: frozenset[str]
    max_gas_cost: int

    def judge(self, statement: Signable, now_s: int) -> Charge:
        """Return what a statement counts for; raises `RefusedError` when it is not allowed whatever was signed before."""
        match statement:
            case OrderStatement():
                return self._order(statement)
            case KeyRequest():
                self._key_request(statement, now_s)
            case DepositBatch() | SafeBatch():
                kind = (
                    SignatureType.POLY_1271 if isinstance(statement, DepositBatch) else SignatureType.POLY_GNOSIS_SAFE
                )
                self._account(statement.wallet, kind)
                self._chain(statement.chain_id)
                check_calls(statement.calls, self.wallet_contracts, self.wallet)
            case ProxyBatch():
                self._account(self.wallet, SignatureType.POLY_PROXY)
                self._own(statement.owner)
                check_calls(statement.calls, self.wallet_contracts, self.wallet)
            case PlainTransaction():
                self._account(self.wallet, SignatureType.EOA)
                self._chain(statement.chain_id)
                check_calls((statement.call,), self.wallet_contracts, self.wallet)
                self._gas(statement)
        return Charge()

    def _order(self, statement: OrderStatement) -> Charge:
        order = statement.order
        self._chain(statement.chain_id)
        position = statement.exchange == POSITION_EXCHANGE
        if (
            statement.exchange not in _EXCHANGES
            or not 0 < order.token_id <= _MAX_UINT256
            or is_position_id(order.token_id) != position
        ):
            raise RefusedError(Code.EXCHANGE, f"{statement.exchange.address} does not settle this token")
        self._account(order.maker, order.signature_type)
        signer = self.wallet if order.signature_type is SignatureType.POLY_1271 else self.address
        if not _same(order.signer, signer):
            raise RefusedError(Code.SIGNER, f"the order's signer is {order.signer}, allowed is {signer}")
        if order.metadata != ZERO_WORD:
            raise RefusedError(Code.METADATA, "the order carries metadata, allowed is none")
        if order.builder not in (ZERO_WORD, self.builder):
            raise RefusedError(Code.BUILDER, "the order credits a builder that is not the configured one")
        return self._amounts(statement)

    def _amounts(self, statement: OrderStatement) -> Charge:
        order = statement.order
        buys = order.side is OrderSide.BUY
        cash, shares = (order.maker_amount, order.taker_amount) if buys else (order.taker_amount, order.maker_amount)
        if not (0 < cash <= _MAX_UINT256 and 0 < shares <= _MAX_UINT256):
            raise RefusedError(Code.AMOUNTS, "both amounts of an order must be positive")
        if cash >= shares:
            raise RefusedError(Code.PRICE, "the price is a dollar or more")
        if buys:
            if cash * MICRO > self.max_buy_price * shares:
                raise RefusedError(Code.PRICE, f"the order buys above {format_micros(self.max_buy_price)}")
            notional = cash + multiply_ceil(cash, self.max_fee_rate)
            if notional > self.max_order_notional:
                paid, allowed = format_micros(notional), format_micros(self.max_order_notional)
                raise RefusedError(Code.ORDER_NOTIONAL, f"the order may pay ${paid} with fees, allowed are ${allowed}")
            return Charge(notional=notional)
        if cash * MICRO < self.min_sell_price * shares:
            raise RefusedError(Code.PRICE, f"the order sells below {format_micros(self.min_sell_price)}")
        if shares > self.max_order_shares:
            allowed = format_micros(self.max_order_shares)
            raise RefusedError(
                Code.ORDER_SHARES, f"the order sells {format_micros(shares)} shares, allowed are {allowed}"
            )
        return Charge(shares=shares)

    def _key_request(self, statement: KeyRequest, now_s: int) -> None:
        self._chain(statement.chain_id)
        self._own(statement.address)
        if abs(statement.timestamp - now_s) > KEY_REQUEST_SECONDS:
            raise RefusedError(Code.TIME, f"the key request is dated more than {KEY_REQUEST_SECONDS} s from now")

    def _chain(self, chain_id: int) -> None:
        if chain_id != self.chain_id:
            raise RefusedError(Code.CHAIN, f"chain {chain_id} was asked for, allowed is {self.chain_id}")

    def _own(self, address: str) -> None:
        if not _same(address, self.address):
            raise RefusedError(Code.SIGNER, f"{address} was named as the signer, allowed is {self.address}")

    def _account(self, wallet: str, kind: SignatureType) -> None:
        if kind is not self.signature_type:
            raise RefusedError(
                Code.SIGNATURE_TYPE, f"the wallet's kind was {kind.name}, allowed is {self.signature_type.name}"
            )
        if not _same(wallet, self.wallet):
            raise RefusedError(Code.WALLET, f"the wallet is {wallet}, allowed is {self.wallet}")

    def _gas(self, transaction: PlainTransaction) -> None:
        if not 0 <= transaction.gas_price * transaction.gas <= self.max_gas_cost:
            raise RefusedError(Code.GAS, "the transaction may cost more gas than wallet.max_gas_cost allows")


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()
