"""Places, cancels and reads the orders of one account (implements `domain.ports.OrderGateway`).

`prepare` builds the exact bytes; `send` and `send_many` write them once and say what the answer proves, and nothing more (`order_answers`).
Cancels may be repeated safely, so one that went unanswered is sent once more; what no answer settles is uncertain, to be read again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import structlog

from domain.errors import InvalidOrderError, SigningError, WrongAccountError
from domain.order import OrderDraft, PreparedOrder
from domain.ports import BATCH, Clock, Ids
from domain.reports import (
    OVER_BUDGET,
    Balances,
    CancelOutcome,
    OrderReport,
    Policy,
    SendOutcome,
    TradeReport,
    Trouble,
)
from venues.polymarket.account_reader import AccountReader
from venues.polymarket.account_wire import Identity
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.cancel_answers import EVERY_ORDER, read_cancel
from venues.polymarket.config import PolymarketConfig
from venues.polymarket.contracts import exchange_for
from venues.polymarket.eip712 import ZERO_WORD, bytes32
from venues.polymarket.http import HttpClient
from venues.polymarket.order_answers import failed, read_answer, read_answers
from venues.polymarket.order_body import checked_salt, order_amounts, request_body, venue_expiration
from venues.polymarket.order_connection import NotSentError, OrderConnection, UnansweredError
from venues.polymarket.signer import Signer
from venues.polymarket.signing import SignatureType, SignedFields, sign_order

_log = structlog.get_logger(__name__)

CANCELS_PER_REQUEST = 1_000


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
            salt=checked_salt(self._ids.salt()),
            maker=self._wallet,
            signer=self._signer_field,
            token_id=token_id,
            maker_amount=amounts.maker,
            taker_amount=amounts.taker,
            side=draft.side,
            signature_type=self._config.signature_type,
            timestamp=now_ns // 1_000_000,
            builder=bytes32(self._config.builder) if self._config.builder else ZERO_WORD,
        )
        exchange = exchange_for(token_id, neg_risk=draft.market.neg_risk)
        try:
            signed = await sign_order(fields, exchange, self._config.chain_id, self._signer)
        except SigningError as error:
            raise InvalidOrderError(f"the order was not signed: {error}") from error
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
        (outcome,) = await self._post("/order", prepared.payload, [prepared.order_id], deadline)
        return outcome

    async def send_many(self, prepared: Sequence[PreparedOrder], deadline: float) -> list[SendOutcome]:
        """Send up to 15 orders in one request, judged one by one."""
        if len(prepared) > BATCH:
            raise ValueError(f"{len(prepared)} orders were given, expected at most {BATCH} in one batch")
        if not prepared:
            return []
        body = b"[" + b",".join(order.payload for order in prepared) + b"]"
        return await self._post("/orders", body, [order.order_id for order in prepared], deadline)

    async def cancel(self, order_ids: Sequence[str]) -> CancelOutcome:
        """Cancel orders. Never raises for what the venue or the network does."""
        unique = list(dict.fromkeys(order_ids))
        parts = [unique[start : start + CANCELS_PER_REQUEST] for start in range(0, len(unique), CANCELS_PER_REQUEST)]
        outcomes = [await self._cancel_part(part) for part in parts]
        return CancelOutcome(
            cancelled=tuple(order_id for outcome in outcomes for order_id in outcome.cancelled),
            refused={order_id: why for outcome in outcomes for order_id, why in outcome.refused.items()},
            uncertain=tuple(order_id for outcome in outcomes for order_id in outcome.uncertain),
            trouble=next((outcome.trouble for outcome in outcomes if outcome.trouble is not None), None),
        )

    async def _cancel_part(self, order_ids: list[str]) -> CancelOutcome:
        if len(order_ids) == 1:
            return await self._delete("/order", msgspec.json.encode({"orderID": order_ids[0]}), order_ids)
        return await self._delete("/orders", msgspec.json.encode(order_ids), order_ids)

    async def cancel_all(self) -> CancelOutcome:
        """Cancel every open order of the API key; what is not known of them is said about `EVERY_ORDER`."""
        return await self._delete("/cancel-all")

    async def cancel_market(self, condition_id: str = "", token_id: str = "") -> CancelOutcome:
        """Cancel every open order in a market, or of one token; what is not known of them is said about `EVERY_ORDER`."""
        wanted = {"market": condition_id, "asset_id": token_id}
        body = {name: value for name, value in wanted.items() if value}
        if not body:
            raise ValueError(
                "neither a market nor a token was named, expected at least one; cancel_all cancels everything"
            )
        return await self._delete("/cancel-market-orders", msgspec.json.encode(body))

    async def order(self, order_id: str) -> OrderReport | None:
        return await self._reader.order(order_id)

    async def open_orders(self) -> list[OrderReport]:
        return await self._reader.open_orders()

    async def trades(self, after_ns: int = 0) -> list[TradeReport]:
        return await self._reader.trades(after_ns)

    async def balances(self, token_ids: Sequence[str]) -> Balances:
        return await self._reader.balances(token_ids)

    async def refresh_balances(self, token_ids: Sequence[str]) -> None:
        await self._reader.refresh_balances(token_ids)

    async def close(self) -> None:
        """End the order connections; an order in flight becomes uncertain."""
        await self._connection.close()

    async def _post(self, path: str, body: bytes, order_ids: Sequence[str], deadline: float) -> list[SendOutcome]:
        """Send a placement once and return what is known of each of its orders."""
        headers, cost = self._headers("POST", path, body), len(order_ids)
        try:
            answer = await self._connection.request("POST", path, headers, body, deadline=deadline, cost=cost)
        except NotSentError as error:
            return failed(order_ids, _not_sent(error), proof=True)
        except UnansweredError as error:
            return failed(order_ids, Trouble(code="unanswered", text=str(error)), proof=False)
        if path == "/order":
            return [read_answer(order_ids[0], answer, self._now_s())]
        return read_answers(order_ids, answer, self._now_s())

    async def _delete(self, path: str, body: bytes = b"", order_ids: Sequence[str] = (EVERY_ORDER,)) -> CancelOutcome:
        """Send a cancel, a second time if the first went unanswered, and return what is known of `order_ids` then."""
        why = Trouble(code="unanswered")
        for attempt in (1, 2):
            headers = self._headers("DELETE", path, body)
            try:
                answer = await self._connection.request("DELETE", path, headers, body, cost=len(order_ids))
            except (NotSentError, UnansweredError) as error:
                why = _not_sent(error) if isinstance(error, NotSentError) else Trouble(code=why.code, text=str(error))
                _log.warning("cancel not answered", path=path, attempt=attempt, reason=why.says)
                continue
            outcome = read_cancel(order_ids, answer, self._now_s())
            if outcome.trouble is not None:
                _log.warning("cancel failed", path=path, status=answer.status, error=outcome.trouble.says)
            if EVERY_ORDER in order_ids:
                self._connection.pace.cancelled(len(outcome.cancelled))
            return outcome
        return CancelOutcome(uncertain=tuple(order_ids), trouble=why)

    def _headers(self, method: str, path: str, body: bytes) -> dict[str, str]:
        return self._credentials.headers(self._clock.now_ns() // 1_000_000_000, method, path, body)

    def _now_s(self) -> float:
        return self._clock.now_ns() / 1e9


def _not_sent(error: NotSentError) -> Trouble:
    if error.retry_after is not None:
        return Trouble(code=OVER_BUDGET, text=str(error), policy=Policy.RETRY_AFTER, retry_after=error.retry_after)
    return Trouble(code="deadline" if error.deadline else "not_sent", text=str(error))
