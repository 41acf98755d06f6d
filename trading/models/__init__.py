"""The trading tables, named as in the specification. The trader's journal writer fills them; everything else reads.

Integers in micro-units are canonical (`price_ticks`, `size_units`, `…_units`); the decimal columns `price` and `size` are generated from them by
PostgreSQL and cannot disagree. Only `commands` rows are created outside the trader.
"""

from trading.models.control import AuditLog, Command, CommandStatus, Halt, Lease
from trading.models.money import EquitySnapshot, LedgerEntry, VenueBalance
from trading.models.orders import Fill, LegGroup, Order, Position

__all__ = [
    "AuditLog",
    "Command",
    "CommandStatus",
    "EquitySnapshot",
    "Fill",
    "Halt",
    "Lease",
    "LedgerEntry",
    "LegGroup",
    "Order",
    "Position",
    "VenueBalance",
]
