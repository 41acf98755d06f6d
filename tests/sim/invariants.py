"""What must hold, each as a small check with a name: after every event that changed the account (`EVENT`), after every step (`STEP`), and once
everything has come to rest (`REST`).

A check gets the simulation and the kernel that holds the lease and returns what is wrong in words. It looks at the venue and at the disk as
they are, and recomputes; it does not ask the code it checks. `Witness` sees what leaves at the moment it leaves. Add one line to a list for
another check.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from domain.fill import FillStatus
from domain.halt import HaltScope
from domain.ledger import COLLATERAL, EntryKind, LedgerAccount, LedgerEntry
from domain.money import MICRO, multiply_ceil
from domain.order import Effect, OrderDraft, OrderSide, OrderStatus, PreparedOrder
from domain.ports import JournalRow
from runtime.kernel import Kernel
from tests.sim.groups import groups_wrong
from tests.sim.world import TRADER, Dead
from trading.cash_differences import ROUNDING_PER_FILL
from trading.halts import covers
from trading.own_orders import OwnOrder
from trading.portfolio import Portfolio

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation


VOIDED = (EntryKind.VOID, LedgerAccount.INVENTORY)


class Invariant(NamedTuple):
    name: str
    check: Callable[[Simulation, Kernel], Iterator[str]]


class Witness:
    """Watches decisions, rows and orders on their way out; what must not happen is said in the world's `complaints`.

    `decided` are the decisions there were, `left` the orders whose bytes left. `doubtful` are, for each decision to reduce, the orders of which it
    was not known then whether they exist. `taken_back` is what the failed sales of each market put back into the inventory at cost, by journal.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self.left: set[str] = set()
        self.decided: set[str] = set()
        self.doubtful: dict[str, set[str]] = {}
        self.taken_back: defaultdict[str, dict[str, int]] = defaultdict(dict)

    def __call__(self, moment: str, life: Dead, draft: OrderDraft, prepared: PreparedOrder) -> None:
        wrong = self._handed(life, draft) if moment == "handed" else self._leaves(draft, prepared)
        self._simulation.world.complaints += [f"{each}: order {prepared.order_id[:10]}" for each in wrong]

    def decides(self, draft: OrderDraft, kernel: Kernel) -> None:
        """Hear of a decision, before it is reserved for."""
        self.decided.add(draft.decision_id)
        if draft.effect is Effect.REDUCE:
            tracked = kernel.portfolio.orders.open_in_market(draft.market.id)
            self.doubtful[draft.decision_id] = {own.id for own in tracked if own.status is OrderStatus.UNKNOWN}

    def written(self, rows: Iterable[JournalRow]) -> None:
        """Hear of rows that a trader wants written."""
        for row in rows:
            if isinstance(row, LedgerEntry) and (row.kind, row.ledger_account) == VOIDED and row.amount > 0:
                self.taken_back[row.market_id][row.journal_id] = row.amount

    def _handed(self, life: Dead, draft: OrderDraft) -> Iterator[str]:
        kernel = self._simulation.kernel_of(life)
        arbitrage = bool(draft.leg_group)
        if draft.effect is Effect.OPEN and kernel.halts.blocking(draft.market, draft.strategy, arbitrage=arbitrage):
            yield "halts hold: it opens risk under a halt"

    def _leaves(self, draft: OrderDraft, prepared: PreparedOrder) -> Iterator[str]:
        simulation = self._simulation
        row = simulation.order_row(prepared.order_id)
        if row is None:
            yield "no send without a committed row: it leaves without one"
        else:
            if row["lease_epoch"] != simulation.epoch:
                yield f"one writer: it leaves under epoch {row['lease_epoch']}, now is {simulation.epoch}"
            if any(row[name] != value for name, value in _bytes_of(prepared).items()):
                yield "no send without a committed row: the row says other bytes"
            if row["decision_id"] != draft.decision_id:
                yield "no row without a decision: the row names another one"
        if draft.decision_id not in self.decided:
            yield "no row without a decision: nobody decided on it"
        if prepared.order_id in self.left:
            yield "nothing is sent twice: it leaves again"
        self.left.add(prepared.order_id)


def _bytes_of(prepared: PreparedOrder) -> dict[str, object]:
    """Return what an order's row must say so that its bytes can be repeated."""
    return {
        "salt": prepared.salt,
        "maker_amount": prepared.maker_amount,
        "taker_amount": prepared.taker_amount,
        "signature": prepared.signature,
    }


def never_left(simulation: Simulation, own: OwnOrder) -> bool:
    """Tell whether an order has not left and cannot leave any more: whoever wrote it down has died. The trader cannot know, and reserves for it."""
    return own.id not in simulation.witness.left and own.order.lease_epoch < simulation.epoch


# After every event


def caps(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    """What is held at cost, decided, or may still be bought stays within the caps, for each order, each market and in all.

    Two things come on top, and are counted exactly: shares that a failed settlement took back out of the buyer's hands, at their cost, and what was
    bought to leave a broken group, which no cap may stop.
    """
    limits, portfolio = kernel.config.limits, kernel.portfolio
    at_stake: defaultdict[str, int] = defaultdict(int)
    for position in portfolio.positions.held():
        at_stake[position.market_id] += max(0, position.holding.cost)
    for own in portfolio.orders.open():
        draft = own.order.draft
        if not own.status.terminal and _opens(draft) and not never_left(simulation, own):
            at_stake[draft.market.id] += draft.price * max(0, draft.size - own.filled) // MICRO
            if draft.price * draft.size // MICRO > limits.max_order_notional:
                yield f"order {own.id[:10]} is for {draft.price * draft.size // MICRO}"
    for draft in kernel.risk.reservations.drafts():
        if _opens(draft):
            at_stake[draft.market.id] += draft.price * draft.size // MICRO
    beyond = _beyond_the_caps(simulation, portfolio)
    for market_id, stake in at_stake.items():
        if stake > limits.max_market_notional + beyond[market_id]:
            yield f"{stake} are at stake in market {market_id}"
    if sum(at_stake.values()) > limits.max_total_notional + sum(beyond.values()):
        yield f"{sum(at_stake.values())} are at stake in all"


def _beyond_the_caps(simulation: Simulation, portfolio: Portfolio) -> defaultdict[str, int]:
    beyond: defaultdict[str, int] = defaultdict(int)
    for market_id, journals in simulation.witness.taken_back.items():
        beyond[market_id] += sum(journals.values())
    for fill in portfolio.fills.values():
        bought = portfolio.orders.get(fill.key.order_id) if fill.side is OrderSide.BUY else None
        if bought is not None and bought.order.draft.effect is Effect.REDUCE:
            beyond[fill.market_id] += multiply_ceil(fill.price, fill.size)
    return beyond


def _opens(draft: OrderDraft) -> bool:
    return draft.effect is Effect.OPEN and draft.side is OrderSide.BUY


def available(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    """Nobody offers or spends what is not there: open orders and decisions hold no more than what has settled."""
    portfolio = kernel.portfolio
    offered: defaultdict[tuple[str, str], int] = defaultdict(int)
    spent = 0
    for own in portfolio.orders.open():
        draft = own.order.draft
        if own.status.terminal or never_left(simulation, own):
            continue
        if draft.side is OrderSide.SELL:
            offered[draft.token_id, draft.strategy] += max(0, draft.size - own.filled)
        elif draft.spends_cash_amount:
            spent += max(0, own.order.prepared.maker_amount - own.spent)
        else:
            spent += draft.price * max(0, draft.size - own.filled) // MICRO
    for draft in kernel.risk.reservations.drafts():
        if draft.side is OrderSide.SELL:
            offered[draft.token_id, draft.strategy] += draft.size
        else:
            spent += draft.price * draft.size // MICRO
    for (token_id, strategy), size in offered.items():
        position = portfolio.positions.get(token_id, strategy)
        held = position.holding.settled if position is not None else 0
        if size > held:
            yield f"{size} of token {token_id} are on offer by {strategy}, {held} are held"
    cash = portfolio.ledger.cash - portfolio.positions.unsettled_proceeds - spent
    if cash < 0:
        yield f"cash: {cash}"


# After every step


def nothing_released_early(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    """Whoever is open at the venue is open here, and what is over here was counted to the last share."""
    exchange, orders = simulation.world.exchange, kernel.portfolio.orders
    for view in exchange.open_orders(TRADER):
        own = orders.get(view.id)
        if own is None or own.explained:
            yield f"order {view.id[:10]} rests at the venue and is {own.status if own else 'unknown'} here"
    for own in orders.all():
        yield from counted_whole(simulation, own)


def counted_whole(simulation: Simulation, own: OwnOrder) -> Iterator[str]:
    """An order that is over here holds nothing any more, so every share of it must be here."""
    told = simulation.world.exchange.order(own.id) if own.explained else None
    if told is not None and told.size_matched != own.seen:
        yield f"order {own.id[:10]} is over with {own.seen}, the venue matched {told.size_matched}"


def one_order_for_an_intent(simulation: Simulation, _: Kernel) -> Iterator[str]:
    """No two orders of one intent ever come to the venue, whatever became of the first."""
    intents: dict[str, str] = {}
    for view in simulation.world.exchange.orders(TRADER):
        row = simulation.row_of(view.id)
        if row is None:
            yield f"order {view.id[:10]} is at the venue without a row"
        elif intents.setdefault(row["intent_id"], view.id) != view.id:
            yield f"orders {view.id[:10]} and {intents[row['intent_id']][:10]} are both of intent {row['intent_id']}"


def fills_count_once(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    """Every fill is one of the venue's, whole and once, in its order and in its position."""
    portfolio, venue = kernel.portfolio, venue_fills(simulation)
    sizes: defaultdict[str, int] = defaultdict(int)
    filled: defaultdict[str, int] = defaultdict(int)
    for fill in portfolio.fills.values():
        _, size = venue.get((fill.key.trade_id, fill.key.order_id), (None, 0))
        if fill.size != size:
            yield f"fill {tuple(fill.key)} is of {fill.size}, the venue says {size}"
        if fill.status is not FillStatus.FAILED:
            sizes[fill.token_id] += fill.size if fill.side is OrderSide.BUY else -fill.size
            filled[fill.key.order_id] += fill.size
    for token_id, size in sizes.items():
        if portfolio.positions.size(token_id) != size:
            yield f"token {token_id}: {portfolio.positions.size(token_id)} held, the fills say {size}"
    for own in portfolio.orders.all():
        if own.filled != filled[own.id]:
            yield f"order {own.id[:10]}: {own.filled} filled, the fills say {filled[own.id]}"


def ledger_balances(_: Simulation, kernel: Kernel) -> Iterator[str]:
    """Cash, inventory at cost, fees and what was realised are what was deposited, to the micro-unit; each is what the fills make of it."""
    portfolio, ledger = kernel.portfolio, kernel.portfolio.ledger
    beside = (LedgerAccount.EQUITY, LedgerAccount.TOKENS, LedgerAccount.COUNTERPARTY)
    held = sum(ledger.balance(account) for account in LedgerAccount if account not in beside)
    if held != ledger.deposits:
        yield f"{held} held, {ledger.deposits} deposited"
    if ledger.balance(LedgerAccount.INVENTORY) != portfolio.positions.total_cost:
        yield f"inventory is {ledger.balance(LedgerAccount.INVENTORY)}, held at cost {portfolio.positions.total_cost}"
    fees = sum(fill.fee for fill in portfolio.fills.values() if fill.status is not FillStatus.FAILED)
    if ledger.balance(LedgerAccount.FEES) != fees:
        yield f"fees are {ledger.balance(LedgerAccount.FEES)}, the fills paid {fees}"


def halts_stand(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    """Once a halt was confirmed, the venue has no order left that opens risk in its scope."""
    for row in simulation.commands.rows.values():
        if row.kind != "halt" or row.status != "done" or not row.result["confirmed"] or row.result["open_after"]:
            continue
        scope, target = HaltScope(row.payload["scope"]), row.payload["target"]
        halt = kernel.halts.get(scope, target)
        if halt is None or halt.set_ns > simulation.world.clock.at_ns(row.ended):
            continue
        for view in simulation.world.exchange.open_orders(TRADER):
            own = kernel.portfolio.orders.get(view.id)
            draft = own.order.draft if own is not None else None
            if draft is None or draft.effect is not Effect.OPEN:
                continue
            if covers(scope, target, draft.market, draft.strategy, arbitrage=bool(draft.leg_group)):
                yield f"order {view.id[:10]} rests, {scope} {target} was halted and confirmed to be empty"


def commands_end_once(simulation: Simulation, _: Kernel) -> Iterator[str]:
    """A command places one order at the most, and none once it has expired."""
    placed: defaultdict[str, int] = defaultdict(int)
    for view in simulation.world.exchange.orders(TRADER):
        row = simulation.row_of(view.id)
        command = simulation.commands.rows.get(row["intent_id"]) if row is not None else None
        if command is not None:
            placed[command.id] += 1
            if command.id not in simulation.commands.taken:
                yield f"command {command.id} had expired, and placed order {view.id[:10]}"
    yield from (f"command {each} placed {number} orders" for each, number in placed.items() if number > 1)


def no_trade_with_ourselves(simulation: Simulation, _: Kernel) -> Iterator[str]:
    """No two orders of ours meet, but for one that reduces: it does not wait for an order that perhaps never comes."""
    for trade in simulation.world.exchange.trades(TRADER):
        if trade.account != TRADER:
            continue
        for maker in trade.makers:
            if maker.account == TRADER and not _in_doubt(simulation, trade.taker_order_id, maker.order_id):
                yield f"trade {trade.id}"


def _in_doubt(simulation: Simulation, one: str, other: str) -> bool:
    rows = {order_id: simulation.row_of(order_id) for order_id in (one, other)}
    doubtful = simulation.witness.doubtful
    return any(
        row is not None and (rows.keys() - {order_id}) & doubtful.get(row["decision_id"], set())
        for order_id, row in rows.items()
    )


# At rest


def orders_explained(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    journaled = {row["id"]: row for row in simulation.rows("orders")}
    for view in simulation.world.exchange.orders(TRADER):
        if view.id not in journaled:
            yield f"order {view.id} is at the venue without a journaled row"
        if view.status.open:
            yield f"order {view.id} is still open at the venue"
    decisions = [row["decision_id"] for row in journaled.values()]
    yield from (f"nobody decided {each}" for each in decisions if each not in simulation.witness.decided)
    if len(decisions) != len(set(decisions)):
        yield "two orders share one decision"
    yield from (f"order {own.id} is {own.status} and not explained" for own in kernel.portfolio.orders.open())
    if kernel.portfolio.quarantine:
        yield f"quarantined: {list(kernel.portfolio.quarantine)}"


def halts_expected(_: Simulation, kernel: Kernel) -> Iterator[str]:
    """The venue takes back fills that were sold on already, and broken groups leave something; nothing else may stop a market."""
    expected = ("negative inventory", "residual inventory", "chaos")
    for halt in kernel.halts.active():
        if not any(each in halt.reason for each in expected):
            yield f"halted: {halt.reason}"


def replacements_follow(simulation: Simulation, _: Kernel) -> Iterator[str]:
    """A successor is at the venue only after its predecessor was over there, and only for what that one left: what failed to settle is not had."""
    failed: defaultdict[str, int] = defaultdict(int)
    for (_trade, order_id), (status, size) in venue_fills(simulation).items():
        failed[order_id] += size if status is FillStatus.FAILED else 0
    at_venue = {view.id: view for view in simulation.world.exchange.orders(TRADER)}
    for row in simulation.rows("orders"):
        old_id, size = simulation.successors.get(row["intent_id"], ("", 0))
        old, new = at_venue.get(old_id), at_venue.get(row["id"])
        if old is None or new is None:
            continue
        if old.updated_ns > new.created_ns:
            yield f"order {new.id} replaced {old.id} before that was over"
        if old.size_matched - failed[old.id] + new.size > size:
            yield f"order {new.id} is for more than {old.id} left"


def groups_end(simulation: Simulation, _: Kernel) -> Iterator[str]:
    groups, orders, halts = (simulation.rows(table) for table in ("leg_groups", "orders", "halts"))
    yield from groups_wrong(groups, orders, halts, simulation.witness.left)


def venue_fills(simulation: Simulation) -> dict[tuple[str, str], tuple[FillStatus, int]]:
    """Return the venue's word on our parts of trades: status and size by (trade, order)."""
    venue: dict[tuple[str, str], tuple[FillStatus, int]] = {}
    for trade in simulation.world.exchange.trades(TRADER):
        if trade.account == TRADER:
            venue[trade.id, trade.taker_order_id] = (trade.status, trade.size)
        for maker in trade.makers:
            if maker.account == TRADER:
                _, size = venue.get((trade.id, maker.order_id), (trade.status, 0))
                venue[trade.id, maker.order_id] = (trade.status, size + maker.size)
    return venue


def fills_equal_the_venues(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    venue = venue_fills(simulation)
    ours = {
        (fill.key.trade_id, fill.key.order_id): (fill.status, fill.size) for fill in kernel.portfolio.fills.values()
    }
    for key in sorted(venue.keys() | ours.keys()):
        if venue.get(key) != ours.get(key):
            yield f"fill {key}: the venue says {venue.get(key)}, we {ours.get(key)}"


def positions_equal_the_venues(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    for market in simulation.world.exchange.markets():
        for token in market.token_ids:
            held, ours = (
                simulation.world.exchange.balance(TRADER, token).settled,
                kernel.portfolio.positions.size(token),
            )
            if held != ours:
                yield f"token {token}: the venue holds {held}, we think {ours}"


def books_agree(simulation: Simulation, kernel: Kernel) -> Iterator[str]:
    """Every journal sums to zero, the disk says what memory says, and the venue's cash differs by no more than its rounding."""
    rows, ledger = simulation.rows("ledger_entries"), kernel.portfolio.ledger
    sums: defaultdict[tuple[str, str], int] = defaultdict(int)
    on_disk: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        sums[row["journal_id"], row["asset"]] += row["amount_units"]
        if row["asset"] == COLLATERAL:
            on_disk[row["ledger_account"]] += row["amount_units"]
    yield from (f"journal {key} does not balance: {total}" for key, total in sums.items() if total)
    if on_disk["cash"] != ledger.cash:
        yield f"cash is {ledger.cash} in memory and {on_disk['cash']} on disk"
    cash = simulation.world.exchange.balance(TRADER).settled
    if abs(cash - ledger.cash) > ROUNDING_PER_FILL * len(kernel.portfolio.fills):
        yield f"cash: the venue holds {cash}, we think {ledger.cash}"
    kinds = [row["kind"] for row in rows]
    if {"withdrawal", "external_buy", "external_sell"} & set(kinds) or kinds.count("deposit") != 2:
        yield f"money was explained away as {sorted(set(kinds))}"
    if kernel.portfolio.orders.reserved_cash:
        yield f"{kernel.portfolio.orders.reserved_cash} is still reserved"


EVENT = [
    Invariant("caps hold", caps),
    Invariant("available is never negative", available),
]
STEP = [
    *EVENT,
    Invariant("nothing is released early", nothing_released_early),
    Invariant("one order for an intent", one_order_for_an_intent),
    Invariant("a fill is applied once", fills_count_once),
    Invariant("the ledger balances", ledger_balances),
    Invariant("no trade with ourselves", no_trade_with_ourselves),
    Invariant("a halt that was confirmed stands", halts_stand),
    Invariant("a command is carried out once", commands_end_once),
]
REST = [
    *STEP,
    Invariant("orders are explained", orders_explained),
    Invariant("halts are expected", halts_expected),
    Invariant("a replacement follows", replacements_follow),
    Invariant("groups end", groups_end),
    Invariant("fills equal the venue's", fills_equal_the_venues),
    Invariant("positions equal the venue's", positions_equal_the_venues),
    Invariant("the books agree", books_agree),
]
