"""The venue's relayer over HTTP: nonces, submissions, and the states of transactions.

A submission is answered by what its answer proves: `Taken`, `Refused` (an answer below 500 that says no), or `Unanswered` (timeout, reset, 408, 425,
5xx, an answer that cannot be read: it may have been taken). Reads raise `VenueError`. Every request is made once.
Source: the venue's relayer documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import aiohttp
import msgspec

from domain.errors import VenueError
from domain.ports import Clock
from domain.wallet import TransactionState, WalletTransaction
from venues.polymarket.auth import ApiCredentials
from venues.polymarket.decoding import UNDECODABLE
from venues.polymarket.http import HttpClient, error_text
from venues.polymarket.pace import OverBudgetError, Pace

T = TypeVar("T")

_NO_PROOF = (408, 425)
BAD_ENDS = (TransactionState.FAILED, TransactionState.INVALID)
_STATES = {f"STATE_{state.name}": state for state in TransactionState if state is not TransactionState.UNKNOWN}


class RelayerKey(Protocol):
    """What proves to the relayer who asks."""

    def headers(self, timestamp: int, method: str, path: str, body: bytes) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class BuilderKey:
    """A builder's API key: signs every request with its secret."""

    credentials: ApiCredentials

    def headers(self, timestamp: int, method: str, path: str, body: bytes) -> Mapping[str, str]:
        return {
            "POLY_BUILDER_API_KEY": self.credentials.key,
            "POLY_BUILDER_PASSPHRASE": self.credentials.passphrase,
            "POLY_BUILDER_SIGNATURE": self.credentials.signature(timestamp, method, path, body),
            "POLY_BUILDER_TIMESTAMP": str(timestamp),
        }


@dataclass(frozen=True, slots=True)
class PlainRelayerKey:
    """A relayer key of one address: sent as it is."""

    key: str = field(repr=False)
    address: str

    def headers(self, timestamp: int, method: str, path: str, body: bytes) -> Mapping[str, str]:
        return {"RELAYER_API_KEY": self.key, "RELAYER_API_KEY_ADDRESS": self.address}


@dataclass(frozen=True, slots=True)
class Taken:
    """The relayer took the transaction."""

    transaction: WalletTransaction


@dataclass(frozen=True, slots=True)
class Refused:
    """The relayer did not take it, in its own words."""

    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Nothing proves whether the relayer took it."""

    reason: str


Submitted = Taken | Refused | Unanswered


class _Nonce(msgspec.Struct):
    nonce: str
    address: str = ""


class _Deployed(msgspec.Struct):
    deployed: bool


class _Taken(msgspec.Struct):
    transaction_id: str = msgspec.field(name="transactionID")
    state: str
    transaction_hash: str | None = msgspec.field(name="transactionHash", default=None)


class _Transaction(msgspec.Struct):
    transaction_id: str
    state: str
    transaction_hash: str | None = None
    error_msg: str | None = None


class _Row(msgspec.Struct):
    transaction_id: str = msgspec.field(name="transactionID")
    state: str
    nonce: str | None = None
    signature: str | None = None
    transaction_hash: str | None = msgspec.field(name="transactionHash", default=None)


class RelayerClient:
    """Requests to one relayer; `session` is the caller's, `base_url` may have a path that is not signed."""

    def __init__(
        self, base_url: str, session: aiohttp.ClientSession, pace: Pace, key: RelayerKey | None, clock: Clock
    ) -> None:
        self._base_url = base_url
        self._session = session
        self._http = HttpClient(base_url, session, pace)
        self._pace = pace
        self._key = key
        self._clock = clock

    async def nonce(self, owner: str, kind: str) -> int:
        """Return the next nonce of an owner's deposit wallet ("WALLET") or Safe ("SAFE")."""
        content = await self._http.get("/v1/account/transactions/params", (("address", owner), ("type", kind)))
        return _number(_read(content, _Nonce, "the nonce").nonce)

    async def relay(self, owner: str) -> tuple[str, int]:
        """Return the relay that would carry out an owner's proxy call, and the owner's next nonce."""
        content = await self._http.get("/relay-payload", (("address", owner), ("type", "PROXY")))
        answer = _read(content, _Nonce, "the relay")
        return answer.address, _number(answer.nonce)

    async def deployed(self, wallet: str, kind: str) -> bool:
        """Tell whether the wallet's contract exists."""
        content = await self._http.get("/deployed", (("address", wallet), ("type", kind)))
        return _read(content, _Deployed, "the deployment").deployed

    def require_key(self) -> None:
        """Raise `VenueError` naming the settings when there is no key: nothing could be submitted or followed."""
        self._signed("GET", "/transactions")

    async def submit(self, body: bytes) -> Submitted:
        """Send a transaction once; one for which there is no budget now is refused like by the relayer itself (429)."""
        headers = {"Content-Type": "application/json", **self._signed("POST", "/submit", body)}
        try:
            ticket = await self._pace.admit("POST", "/submit")
        except OverBudgetError as error:
            return Refused(429, str(error))
        status, told = 0, dict[str, str]()
        try:
            async with self._session.post(
                self._base_url + "/submit", data=body, headers=headers, allow_redirects=False
            ) as answer:
                content = await answer.read()
                status, told = answer.status, {name.lower(): value for name, value in answer.headers.items()}
        except TimeoutError:
            return Unanswered("no answer in time")
        except aiohttp.ClientError as error:
            return Unanswered(f"{type(error).__name__}: {error}")
        finally:
            self._pace.answered(ticket, status, told)
        if status >= 500 or status in _NO_PROOF:
            return Unanswered(f"the relayer answered {status}: {error_text(content)}")
        if status >= 300:
            return Refused(status, error_text(content))
        try:
            taken = msgspec.json.decode(content, type=_Taken)
            state = _state(taken.state)
        except (*UNDECODABLE, VenueError) as error:
            return Unanswered(f"the answer was malformed: {error}")
        return Taken(WalletTransaction(state=state, id=taken.transaction_id, hash=taken.transaction_hash or ""))

    async def transaction(self, transaction_id: str) -> WalletTransaction:
        """Return where a transaction is now."""
        path = f"/v1/account/transactions/{transaction_id}"
        content = await self._http.get(path, headers=self._signed("GET", path))
        found = _read(content, _Transaction, "the transaction")
        return WalletTransaction(
            state=_state(found.state),
            id=found.transaction_id,
            hash=found.transaction_hash or "",
            detail=found.error_msg or "",
        )

    async def find(self, nonce: int, signature: str) -> WalletTransaction | None:
        """Return the recent transaction that carries this very signature, None when the relayer lists none.

        The same bytes may be listed twice; the chain carries them out once, so one that has not failed speaks for both.
        """
        content = await self._http.get("/transactions", headers=self._signed("GET", "/transactions"))
        found = [
            WalletTransaction(state=_state(row.state), id=row.transaction_id, hash=row.transaction_hash or "")
            for row in _read(content, list[_Row], "the recent transactions")
            if row.nonce == str(nonce) and (row.signature or "").lower() == signature.lower()
        ]
        return min(found, key=lambda transaction: transaction.state in BAD_ENDS, default=None)

    def _signed(self, method: str, path: str, body: bytes = b"") -> Mapping[str, str]:
        if self._key is None:
            raise VenueError(
                "the relayer needs a key: set POLYBOT_POLYMARKET__BUILDER_KEY, …__BUILDER_SECRET and …__BUILDER_PASSPHRASE, "
                "or POLYBOT_POLYMARKET__RELAYER_KEY"
            )
        return self._key.headers(self._clock.now_ns() // 1_000_000_000, method, path, body)


def _read(content: bytes, kind: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except UNDECODABLE as error:
        raise VenueError(f"the relayer's answer about {what} was malformed: {error}") from error


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise VenueError(f"the relayer's nonce was {text!r}, expected digits")
    return int(text)


def _state(text: str) -> TransactionState:
    state = _STATES.get(text)
    if state is None:
        raise VenueError(f"the relayer's state was {text!r}, expected one of {', '.join(_STATES)}")
    return state
