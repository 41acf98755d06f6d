"""An order signed by `manage.py runsigner` over its socket, next to a key in this process: what isolation costs.

The peer is the key in this process, so the ratio is below 1 on purpose. Both run in one loop and take turns.
"""

from __future__ import annotations

import asyncio
from statistics import median, quantiles
from time import perf_counter

import uvloop

from benchmarks.measure import Result
from tests.venues.polymarket.isolated_signer.kit import order
from tests.venues.polymarket.isolated_signer.serving import signer_process
from tests.venues.polymarket.vectors import PRIVATE_KEY
from venues.polymarket.isolated_signer.client import RemoteSigner
from venues.polymarket.signer import LocalSigner, Signer
from venues.polymarket.signing import sign_order

ROUNDS, ORDERS = 10, 150


def run() -> list[Result]:
    # Every order of the measurement must be allowed: a thousand a second, and dollars for all of them.
    limits = {"POLYBOT_SIGNER__ORDERS_PER_SECOND": "1000", "POLYBOT_SIGNER__MAX_DAY_NOTIONAL": "1000000"}
    with signer_process(**limits) as process, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        remote, local = runner.run(_measure(RemoteSigner(process.socket, process.address, patience=30.0)))
    return [
        Result("sign_order_isolated", "µs, median", median(remote), median(local), "key in the trader"),
        Result("sign_order_isolated_p99", "µs", quantiles(remote, n=100)[98], quantiles(local, n=100)[98], "same"),
    ]


async def _measure(remote: RemoteSigner) -> tuple[list[float], list[float]]:
    """Return the microseconds of every order, signed there and here."""
    times: dict[str, list[float]] = {"remote": [], "local": []}
    signers: dict[str, Signer] = {"remote": remote, "local": LocalSigner(PRIVATE_KEY)}
    for number in range(ROUNDS):
        for name, signer in signers.items():
            for salt in range(ORDERS):
                statement = order(salt=number * ORDERS + salt)
                start = perf_counter()
                await sign_order(statement.order, statement.exchange, statement.chain_id, signer)
                times[name].append((perf_counter() - start) * 1e6)
        # The signer's rate is a limit like any other.
        await asyncio.sleep(ORDERS / 1000)
    await remote.close()
    return times["remote"], times["local"]
