"""Why something is not signed: one word for each reason, and the error that carries it back to who asked."""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """One word for each reason, counted and shown."""

    MALFORMED = "malformed"
    VERSION = "version"
    PEER = "peer"
    SLOW = "slow"
    CHAIN = "chain"
    EXCHANGE = "exchange"
    WALLET = "wallet"
    SIGNER = "signer"
    SIGNATURE_TYPE = "signature_type"
    AMOUNTS = "amounts"
    PRICE = "price"
    METADATA = "metadata"
    BUILDER = "builder"
    ORDER_NOTIONAL = "order_notional"
    ORDER_SHARES = "order_shares"
    DAY_NOTIONAL = "day_notional"
    DAY_SHARES = "day_shares"
    RATE = "rate"
    TIME = "time"
    WALLET_OPERATIONS = "wallet_operations"
    CONTRACT = "contract"
    FUNCTION = "function"
    ARGUMENT = "argument"
    GAS = "gas"
    MEMORY = "memory"


class RefusedError(Exception):
    """Not signed; the text says what was asked and what is allowed."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.code = code
