"""Gas: what a transaction uses and what a unit costs. Figures of the right size, the same for the same transaction; nothing is metered."""

from __future__ import annotations

GWEI = 10**9
BASE_FEE = 25 * GWEI
PRIORITY_FEE = 30 * GWEI
GAS_PRICE = BASE_FEE + PRIORITY_FEE
LEAST_PRIORITY_FEE = 25 * GWEI
BLOCK_LIMIT = 45_000_000
_TRANSACTION = 21_000
_CALL = 25_000
_LOG = 22_000


def intrinsic_gas(data: bytes) -> int:
    """Return what a transaction costs before it does anything: 21000, and 16 a byte of data, 4 a zero (EIP-2028)."""
    zeroes = data.count(0)
    return _TRANSACTION + 4 * zeroes + 16 * (len(data) - zeroes)


def gas_used(data: bytes, logs: int) -> int:
    """Return what a transaction uses that writes so many logs; a transfer of POL alone uses the intrinsic gas."""
    return intrinsic_gas(data) + (_CALL if data else 0) + _LOG * logs
