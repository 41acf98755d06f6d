"""A synchronous, pure exchange for binary outcome markets: the core of the simulated venue, of paper trading and of backtests.

`Exchange.step(now_ns, command)` is the only way to change it; there is no I/O, no clock and no randomness inside, so the same log of
commands always leads to the same state. Imports only `domain`.
"""

from venues.exchange.exchange import Exchange

__all__ = ["Exchange"]
