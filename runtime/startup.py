"""Start is recovery: take the lease, load what was journaled, listen to the account channel and hold its news back, read the venue, apply
both, and only then trade. A step that fails ends the start; the caller stops the kernel and builds a new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from domain.errors import LeaseLostError, VenueError
from trading.damage import act_on, contradictions, with_proof
from trading.risk.losses import Loss, day_start

if TYPE_CHECKING:
    from runtime.kernel import Kernel

_log = structlog.get_logger(__name__)


async def start_up(kernel: Kernel) -> None:
    """Recover, reconcile, then trade.

    Raises:
        VenueError, JournalError, LeaseLostError: the state could not be established; nothing trades.
    """
    config, watch = kernel.config, kernel.watch
    await _take_lease(kernel)
    await watch.load()
    await watch.discover()
    if config.mode.places_orders:
        await _recover(kernel)
    for sink in watch.sinks:
        kernel.books.listen(sink)
    kernel.books.listen(kernel.news)
    await kernel.ports.feed.start(kernel.books)
    await watch.watch()
    kernel.engine.registry.start_enabled()
    kernel.ready = not kernel.stopped.done()
    kernel.upkeep.begin()
    kernel.legs.resume()
    kernel.executions.begin()
    _log.info("trader ready", account=config.account, mode=config.mode.value, epoch=kernel.lease.epoch)


async def _take_lease(kernel: Kernel) -> None:
    ports, config = kernel.ports, kernel.config
    leases = ports.storage.leases(kernel.journal)
    kernel.lease.lease = await leases.acquire(config.account, config.holder, config.lease_ttl)
    for begin in ports.on_epoch:
        begin(kernel.lease.epoch)

    async def keep() -> None:
        try:
            await kernel.lease.keep(ports.storage.leases(kernel.journal), config.lease_ttl)
        except LeaseLostError as error:
            kernel.desk.fail(str(error))

    kernel.tasks.spawn("lease", keep)


async def _recover(kernel: Kernel) -> None:
    portfolio = kernel.portfolio
    state = await kernel.journal.load()
    if kernel.ports.contradiction is not None:
        state = with_proof(state, kernel.ports.contradiction)
    portfolio.restore(state)
    kernel.halts.restore(state.halts)
    act_on(kernel.desk, (*state.bad, *contradictions(state)))
    await _restore_losses(kernel)
    kernel.legs.restore(state.groups)
    for own in portfolio.orders.open():
        kernel.own_depth.order_changed(own)
    await kernel.ports.account_feed.start(kernel.account_events)
    first = not state.ledger and not state.orders
    outcome = await kernel.reconciler.run(first=first)
    if not outcome.complete:
        raise VenueError("the venue could not be read at start")
    unexplained = len(portfolio.orders.open())
    if not await kernel.resolver.explain():
        raise VenueError("orders could not be read at start")
    kernel.account_events.release()
    kernel.watch.settle_resolved()
    _log.info("recovered", orders=len(state.orders), fills=len(state.fills), unexplained=unexplained)


async def _restore_losses(kernel: Kernel) -> None:
    now_ns, session_ns = kernel.ports.clock.now_ns(), kernel.config.session_ns
    since = {Loss.DAY: day_start(now_ns), Loss.SESSION: session_ns, Loss.DRAWDOWN: session_ns}
    spans = {loss: await kernel.journal.profits(moment, loss) for loss, moment in since.items()}
    kernel.losses.restore(spans, now_ns)
