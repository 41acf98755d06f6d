"""Places, cancels and reads the orders of one account (implements `domain.ports.OrderGateway`).

`prepare` builds the exact bytes; `send` writes them once and says what the answer proves, and nothing more than that (`order_answers`).
Cancels may be repeated safely, so one that went unanswered is sent once more; what no answer settles is uncertain, to be read again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import structlog

from domain.errors import InvalidOrderError, WrongAccountError
from domain.order import OrderDraft, PreparedOrder
from domain.ports import Clock, Ids
from domain.reports import Balances, CancelOutcome, OrderReport, Rejected, SendOutcome, TradeReport, Uncertain
from venues.polymarket.account_reader import AccountReader
from venues.polymarket.account_wire import Identity
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.contracts import exchange_for
from venues.polymarket.decoding import UNDECODABLE
from venues.polymarket.http import HttpClient, error_text
from venues.polymarket.http1 import Answer
from venues.polymarket.order_answers import read_answer
from venues.polymarket.order_body import order_amounts, request_body, venue_expiration
from venues.polymarket.order_connection import NotSentError, OrderConnection, UnansweredError
from venues.polymarket.signer import Signer
from venues.polymarket.signing import SignatureType, SignedFields, sign_order

_log = structlog.get_logger(__name__)

CANCELS_PER_REQUEST = 1_000
EVERY_ORDER = "every open order"
"""Stands in `CancelOutcome.uncertain` for a cancel-all that was not answered."""


class _CancelAnswer(msgspec.Struct):
    canceled: list[str]
    not_canceled: dict[str, str] = {}


_decode_cancel = msgspec.json.Decoder(_CancelAnswer).decode


class PolymarketGateway:
    """Orders of one wallet. Made by `connect.open_trading`, which obtains the API key."""

    def __init__(
        self,
        config: PolymarketConfig,
        signer: Signer,
        credentials: ApiCredentials,
        *,
        http: HttpClient,
        connection: OrderConnection,
        clock: Clock,
        ids: Ids,
    ) -> None:
        wallet = config.funder or signer.address
        self.identity = Identity(credentials.key, wallet)
        self._config = config
        self._signer = signer
        self._credentials = credentials
        self._wallet = wallet
        # A deposit wallet is its own signer; its owner's key signs inside the wrap.
        self._signer_field = wallet if config.signature_type is SignatureType.POLY_1271 else signer.address
        self._connection = connection
        self._clock = clock
        self._ids = ids
        self._reader = AccountReader(http, credentials, self.identity, config.signature_type, clock)

    @property
    def account(self) -> str:
        return self._config.account

    async def prepare(self, draft: OrderDraft) -> PreparedOrder:
        """Build, validate and sign."""
        if draft.account != self.account:
            raise WrongAccountError(f"the order is {draft.account}'s, this gateway is {self.account}'s")
        market, venue = draft.market, self._config.venue
        if market.venue != venue:
            raise InvalidOrderError(f"market {market.id} is of {market.venue}, expected {venue}")
        amounts = order_amounts(draft)
        now_ns = self._clock.now_ns()
        expiration = venue_expiration(draft, now_ns)
        token_id = int(draft.token_id)
        fields = SignedFields(
            salt=self._ids.salt(),
            maker=self._wallet,
            signer=self._signer_field,
            token_id=token_id,
            maker_amount=amounts.maker,
            taker_amount=amounts.taker,
            side=draft.side,
            signature_type=self._config.signature_type,
            timestamp=now_ns // 1_000_000,
        )
        exchange = exchange_for(token_id, neg_risk=draft.market.neg_risk)
        signed = await sign_order(fields, exchange, self._config.chain_id, self._signer)
        return PreparedOrder(
            order_id=signed.order_id,
            payload=request_body(
                fields,
                signed,
                owner=self._credentials.key,
                order_type=draft.order_type,
                expiration=expiration,
                post_only=draft.post_only,
            ),
            salt=fields.salt,
            timestamp_ms=fields.timestamp,
            maker_amount=amounts.maker,
            taker_amount=amounts.taker,
            signature=signed.signature,
            signature_type=int(fields.signature_type),
            venue_expiration=expiration,
        )

    async def send(self, prepared: PreparedOrder, deadline: float) -> SendOutcome:
        """Send the exact bytes once."""
        order_id = prepared.order_id
        headers = self._headers("POST", "/order", prepared.payload)
        try:
            answer = await self._connection.request("POST", "/order", headers, prepared.payload, deadline=deadline)
        except NotSentError as error:
            return Rejected(order_id=order_id, code="deadline" if error.deadline else "not_sent", text=str(error))
        except UnansweredError as error:
            return Uncertain(order_id=order_id, reason=str(error))
        return read_answer(order_id, answer)

    async def cancel(self, order_ids: Sequence[str]) -> CancelOutcome:
        """Cancel orders. Never raises for what the venue or the network does."""
        cancelled: list[str] = []
        refused: dict[str, str] = {}
        uncertain: list[str] = []
        unique = list(dict.fromkeys(order_ids))
        for start in range(0, len(unique), CANCELS_PER_REQUEST):
            part = unique[start : start + CANCELS_PER_REQUEST]
            if len(part) == 1:
                answer = await self._delete("/order", msgspec.json.encode({"orderID": part[0]}))
            else:
                answer = await self._delete("/orders", msgspec.json.encode(part))
            gone = frozenset(answer.canceled) if answer is not None else frozenset()
            kept = answer.not_canceled if answer is not None else {}
            cancelled += [order_id for order_id in part if order_id in gone]
            refused |= {order_id: kept[order_id] for order_id in part if order_id in kept and order_id not in gone}
            uncertain += [order_id for order_id in part if order_id not in gone and order_id not in kept]
        return CancelOutcome(cancelled=tuple(cancelled), refused=refused, uncertain=tuple(uncertain))

    async def cancel_all(self) -> CancelOutcome:
        """Cancel every open order of the API key; an unanswered request is `uncertain` about `EVERY_ORDER`."""
        answer = await self._delete("/cancel-all")
        if answer is None:
            return CancelOutcome(uncertain=(EVERY_ORDER,))
        return CancelOutcome(cancelled=tuple(answer.canceled), refused=answer.not_canceled)

    async def order(self, order_id: str) -> OrderReport | None:
        return await self._reader.order(order_id)

    async def open_orders(self) -> list[OrderReport]:
        return await self._reader.open_orders()

    async def trades(self, after_ns: int = 0) -> list[TradeReport]:
        return await self._reader.trades(after_ns)

    async def balances(self, token_ids: Sequence[str]) -> Balances:
        return await self._reader.balances(token_ids)

    async def close(self) -> None:
        """End the order connections; an order in flight becomes uncertain."""
        await self._connection.close()

    async def _delete(self, path: str, body: bytes = b"") -> _CancelAnswer | None:
        """Send a cancel, a second time if the first went unanswered; None when no answer says what became of it."""
        for attempt in (1, 2):
            try:
                answer = await self._connection.request("DELETE", path, self._headers("DELETE", path, body), body)
            except (NotSentError, UnansweredError) as error:
                _log.warning("cancel not answered", path=path, attempt=attempt, reason=str(error))
                continue
            return _read_cancel(path, answer)
        return None

    def _headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        return self._credentials.headers(self._clock.now_ns() // 1_000_000_000, method, path, body)


def _read_cancel(path: str, answer: Answer) -> _CancelAnswer | None:
    if answer.status != 200:
        _log.warning("cancel refused", path=path, status=answer.status, error=error_text(answer.body))
        return None
    try:
        return _decode_cancel(answer.body)
    except UNDECODABLE as error:
        _log.warning("cancel's answer was malformed", path=path, reason=str(error))
        return None
