"""What can be halted while no trader runs that could tell: the markets and venues of the tables, the strategies of the tables and the catalogue.

A halt of what is not there would stop nothing and be believed: it is refused with the names that are there, or where they are listed.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import QuerySet

from domain.halt import HaltScope
from domain.position import PositionStatus
from markets.models import Market
from trading.executor import MANUAL
from trading.models import Order, Position
from trading.store import OPEN_ORDER

_catalogue: set[str] = set()


def know_strategies(names: Collection[str]) -> None:
    """Take over the names of all strategies that a trader may run; their package tells them when it is loaded."""
    _catalogue.update(names)


def missing(account: str, scope: str, target: str) -> str:
    """Return why a scope of an account cannot be halted, or ''."""
    if scope == HaltScope.MARKET and not Market.objects.filter(pk=target).exists():
        return f"market {target!r} is not known; look it up with GET /api/markets"
    if scope == HaltScope.VENUE and target not in (venues := _venues(account)):
        return f"venue was {target!r}, this account trades at {_listed(venues)}"
    if scope == HaltScope.STRATEGY and target not in (strategies := _strategies(account)):
        return f"strategy was {target!r}, known are {_listed(strategies)}"
    return ""


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _open(account: str) -> tuple[QuerySet[Order], QuerySet[Position]]:
    """Return what the account has open, in no order."""
    orders = Order.objects.filter(OPEN_ORDER, account=account).order_by()
    return orders, Position.objects.filter(account=account, status=PositionStatus.OPEN).order_by()


def _venues(account: str) -> set[str]:
    """Return where the account has orders or positions open; where it has none, every venue of which a market is known."""
    found = {venue for rows in _open(account) for venue in rows.values_list("market__venue", flat=True).distinct()}
    return found or set(Market.objects.order_by().values_list("venue", flat=True).distinct())


def _strategies(account: str) -> set[str]:
    """Return the names under which orders may be placed, are open, or positions are held."""
    active = {name for rows in _open(account) for name in rows.values_list("strategy_name", flat=True).distinct()}
    return _catalogue | {MANUAL} | active - {""}
