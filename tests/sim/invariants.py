"""What must hold, each as a small check with a name: after every event that changed the account (`EVENT`), after every step (`STEP`), and once
everything has come to rest (`REST`).

A check gets the simulation and the kernel that holds the lease and returns what is wrong in words. It looks at the venue and at the disk as
they are, and recomputes; it does not ask the code it checks. `Witness` sees what leaves at the moment it leaves. Add one line to a list for
another check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from runtime.kernel import Kernel
from tests.sim.book_checks import books_agree, ledger_balances
from tests.sim.groups import groups_end
from tests.sim.halt_checks import commands_end_once, halts_are_followed, halts_expected, halts_stand
from tests.sim.order_checks import (
    fills_count_once,
    fills_equal_the_venues,
    no_trade_with_ourselves,
    nothing_released_early,
    one_order_for_an_intent,
    orders_explained,
    positions_equal_the_venues,
    replacements_follow,
)
from tests.sim.stakes import available, caps

if TYPE_CHECKING:
    from tests.sim.simulation import Simulation


class Invariant(NamedTuple):
    name: str
    check: Callable[[Simulation, Kernel], Iterator[str]]


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
    Invariant("a halt is followed", halts_are_followed),
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
