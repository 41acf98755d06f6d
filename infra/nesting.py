"""How deeply calls may nest in this process.

`py_ecc`, which eth_account and web3 bring along, raises Python's limit a hundredfold when it is imported. A few hundred KB of opening brackets
are then no `RecursionError` any more: reading them overflows the C stack and ends the process. Whoever loads those libraries and reads what
strangers send restores the limit.
"""

from __future__ import annotations

import sys

LIMIT = 1000


def bound_nesting() -> None:
    """Give the process Python's own limit again. Call it after the imports."""
    sys.setrecursionlimit(LIMIT)
