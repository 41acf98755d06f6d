"""The statement of an account: what it had, everything that moved, what it has, and how that stands to what the venue says it holds.

Every line obeys cash + inventory + receivable = deposits + realised − fees + rewards + rounding, because every journal of the ledger balances. The
closing cash is reconciled with the venue's to the micro-unit: the venue's last word, what was booked since, and the difference that nothing explains.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import NamedTuple

from domain.ledger import EntryKind, LedgerAccount
from trading import models
from trading import report_queries as queries
from trading.report_queries import Span

_TITLES = {
    EntryKind.DEPOSIT: "Deposits",
    EntryKind.WITHDRAWAL: "Withdrawals",
    EntryKind.BUY: "Purchases",
    EntryKind.SELL: "Sales",
    EntryKind.EXTERNAL_BUY: "Purchases made outside polybot",
    EntryKind.EXTERNAL_SELL: "Sales made outside polybot",
    EntryKind.VOID: "Trades that failed to settle, taken back",
    EntryKind.SETTLE: "Trades that settled differently",
    EntryKind.SPLIT: "Splits",
    EntryKind.MERGE: "Merges",
    EntryKind.CONVERSION: "Conversions",
    EntryKind.CONVERSION_FEE: "Fees of conversions",
    EntryKind.TRANSFER_IN: "Shares transferred in",
    EntryKind.TRANSFER_OUT: "Shares transferred out",
    EntryKind.RESOLUTION: "Markets resolved",
    EntryKind.PAYOUT: "Payouts",
    EntryKind.REWARD: "Rewards",
    EntryKind.REBATE: "Rebates",
    EntryKind.ROUNDING: "Rounding, as the venue has it",
    EntryKind.MISBOOKED: "Missing after trades",
}
_ORDER = {kind.value: place for place, kind in enumerate(_TITLES)}
_DIFFERENCES = (EntryKind.ROUNDING, EntryKind.MISBOOKED)

_COLUMN = {
    LedgerAccount.CASH: ("cash", 1),
    LedgerAccount.INVENTORY: ("inventory", 1),
    LedgerAccount.RECEIVABLE: ("receivable", 1),
    LedgerAccount.EQUITY: ("deposits", -1),
    LedgerAccount.TRANSFERS: ("deposits", -1),
    LedgerAccount.REALISED: ("realised", -1),
    LedgerAccount.FEES: ("fees", 1),
    LedgerAccount.REWARDS: ("rewards", -1),
    LedgerAccount.ROUNDING: ("rounding", -1),
}
"""How a ledger account is shown, and the sign that makes what is good for the owner positive (fees are shown as what was paid)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """Balances, or what moved them, in micro-dollars; `deposits` are net of withdrawals, in cash and in kind,
    `rounding` is negative where money was missing.
    """

    cash: int = 0
    inventory: int = 0
    receivable: int = 0
    deposits: int = 0
    realised: int = 0
    fees: int = 0
    rewards: int = 0
    rounding: int = 0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(**{name: getattr(self, name) + getattr(other, name) for name in AMOUNTS})

    @property
    def imbalance(self) -> int:
        """Return by how much the two sides differ: 0, always."""
        held = self.cash + self.inventory + self.receivable
        return held - self.deposits - self.realised + self.fees - self.rewards - self.rounding


AMOUNTS = tuple(field.name for field in fields(Amounts))


class Line(NamedTuple):
    """One class of movements."""

    kind: str
    title: str
    amounts: Amounts


class TokenLine(NamedTuple):
    """Shares of one token: held before, what came and went, and the venue's word where it differs (micro-shares)."""

    token_id: str
    market_id: str
    question: str
    outcome: str
    opening: int
    came: int
    went: int
    venue: int | None

    @property
    def closing(self) -> int:
        return self.opening + self.came - self.went


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueWord:
    """What the venue last said within the span: its cash, ours when all that is explicable was booked, and what was booked since.

    closing cash = `cash` − `unexplained` + `booked_since`, to the micro-unit.
    """

    read_at: datetime
    cash: int
    unexplained: int
    booked_since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """`closing` = `opening` + all `lines`. `differences` are the lines that took a difference to the venue over, `venue` None before it was read."""

    account: str
    span: Span
    opening: Amounts
    lines: list[Line]
    closing: Amounts
    tokens: list[TokenLine]
    differences: list[Line]
    venue: VenueWord | None

    @property
    def agrees(self) -> bool:
        """Whether the books are the venue's, to the micro-unit and the micro-share."""
        no_token_differs = all(token.venue is None for token in self.tokens)
        return self.venue is not None and self.venue.unexplained == 0 and no_token_differs


def statement(account: str, span: Span) -> Statement:
    """Return the statement of an account over a span, in three statements of SQL; a fourth where the venue holds shares that the books never had."""
    opening, lines = _lines(queries.movements(account, span))
    closing = sum((line.amounts for line in lines), opening)
    word = models.VenueBalance.objects.filter(account=account, created_at__lt=span.end).order_by("-created_at").first()
    differing: dict[str, list[int]] = word.tokens if word is not None else {}
    return Statement(
        account=account,
        span=span,
        opening=opening,
        lines=lines,
        closing=closing,
        tokens=_tokens(account, span, differing),
        differences=[line for line in lines if line.kind in _DIFFERENCES],
        venue=None
        if word is None
        else VenueWord(
            read_at=word.created_at,
            cash=word.venue_cash_units,
            unexplained=word.venue_cash_units - word.book_cash_units,
            booked_since=closing.cash - word.book_cash_units,
        ),
    )


def _tokens(account: str, span: Span, differing: dict[str, list[int]]) -> list[TokenLine]:
    """Return a line for each token that was held or moved, and for each on which the venue differs."""
    venue = {token_id: both[0] for token_id, both in differing.items()}
    lines = [TokenLine(*row, venue.pop(row[0], None)) for row in queries.tokens(account, span)]
    unbooked = queries.token_names(list(venue)) if venue else []
    return lines + [TokenLine(*names, 0, 0, 0, venue[names[0]]) for names in unbooked]


def _lines(moved: Iterable[tuple[str, str, int, int]]) -> tuple[Amounts, list[Line]]:
    """Return the opening balances and one line for each kind of movement, in the order of `_TITLES`."""
    opening = Amounts()
    within: dict[str, Amounts] = {}
    for kind, ledger_account, amount, before in moved:
        column, sign = _COLUMN[LedgerAccount(ledger_account)]
        opening += Amounts(**{column: sign * before})
        within[kind] = within.get(kind, Amounts()) + Amounts(**{column: sign * amount})
    for kind in (EntryKind.REWARD, EntryKind.REBATE):
        _take_from_deposits(within, kind)
    shown = [(kind, amounts) for kind, amounts in within.items() if amounts != Amounts()]
    shown.sort(key=lambda each: (_ORDER.get(each[0], len(_ORDER)), each[0]))
    return opening, [Line(kind, _TITLES.get(EntryKind(kind), kind) if kind in _ORDER else kind, a) for kind, a in shown]


def _take_from_deposits(within: dict[str, Amounts], kind: EntryKind) -> None:
    """Show a payment's cash with the payment: it was booked as a deposit before the venue's index named it."""
    paid = within.get(kind)
    if paid is None:
        return
    within[kind] = replace(paid, cash=paid.cash + paid.rewards, deposits=paid.deposits + paid.rewards)
    cash = Amounts(cash=-paid.rewards, deposits=-paid.rewards)
    within[EntryKind.DEPOSIT] = within.get(EntryKind.DEPOSIT, Amounts()) + cash
