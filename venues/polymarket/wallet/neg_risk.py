"""Which questions exclude each other: what a conversion of NO shares gives and takes, read from the catalogue's event.

An event that cannot be read raises `VenueError`, markets that do not belong together raise `WalletError`. Source: the venue's Gamma documentation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from domain.errors import VenueError, WalletError
from domain.market import Market
from venues.polymarket.decoding import UNDECODABLE
from venues.polymarket.eip712 import bytes32
from venues.polymarket.gamma_wire import ItemError, whole_bips
from venues.polymarket.http import HttpClient


class _Question(msgspec.Struct, rename="camel"):
    condition_id: str = ""
    question: str = ""
    group_item_title: str = ""
    question_id: str = msgspec.field(name="questionID", default="")
    market_id: str = msgspec.field(name="negRiskMarketID", default="")
    clob_token_ids: str | None = None


class _Event(msgspec.Struct, rename="camel"):
    neg_risk_fee_bips: float | None = None
    markets: list[_Question] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class ExclusiveEvent:
    """One set of excluding questions: `titles` by question index, `indices` by condition id, `fee_bips` of a conversion's proceeds.

    `tokens` are all their shares.
    """

    market_id: str
    fee_bips: int
    indices: dict[str, int]
    titles: dict[int, str]
    tokens: tuple[str, ...]


class ExclusiveEvents:
    """Reads events from the catalogue."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def of(self, markets: Sequence[Market]) -> ExclusiveEvent:
        """Return the event to which all of `markets` belong."""
        groups = {market.group_id for market in markets}
        group = next(iter(groups)) if len(groups) == 1 else None
        if not group or not all(market.neg_risk for market in markets):
            raise WalletError(
                "only NO shares of one exclusive event can be converted: these markets are not all of one"
            )
        path = f"/events/{group}"
        content = await self._http.get(path)
        try:
            event = msgspec.json.decode(content, type=_Event)
            questions = [question for question in event.markets if question.market_id]
            ids = {question.market_id for question in questions}
            indices = {question.condition_id: _index(question) for question in questions}
            titles = {_index(question): question.group_item_title or question.question for question in questions}
            fee_bips = whole_bips(event.neg_risk_fee_bips)
            tokens = [token for question in questions for token in _texts(question.clob_token_ids or "[]")]
        except (*UNDECODABLE, ItemError, ValueError) as error:
            raise VenueError(f"GET {path}: the event was malformed: {error}") from error
        unknown = [market.condition_id for market in markets if market.condition_id not in indices]
        if len(ids) != 1 or unknown or len(titles) != len(indices):
            raise VenueError(f"GET {path}: the event does not name its questions: {', '.join(unknown) or sorted(ids)}")
        return ExclusiveEvent(
            market_id=ids.pop(),
            fee_bips=fee_bips,
            indices=indices,
            titles=titles,
            tokens=tuple(tokens),
        )


_texts = msgspec.json.Decoder(list[str]).decode


def _index(question: _Question) -> int:
    """Return a question's place in its event: the last byte of its id."""
    return bytes32(question.question_id)[-1]
