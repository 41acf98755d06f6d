"""Sends a wallet's calls through the venue's relayer, which pays the gas: deposit wallets, Safes and proxies.

One transaction carries all calls of a plan. A submission that went unanswered is looked up by its nonce and signature; what is submitted again is
the same bytes, which the chain carries out once at most. A newer nonce is signed only while every earlier submission was refused.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from domain.errors import SigningError, VenueError, WalletError, WrongAccountError
from domain.ports import Clock, SubmissionLog
from domain.wallet import ContractCall, Submission, TransactionState, WalletReceipt, WalletTransaction
from venues.polymarket.signer import Signer
from venues.polymarket.signing import SignatureType
from venues.polymarket.wallet import calls as contract_calls
from venues.polymarket.wallet.contracts import PROXY_FACTORY
from venues.polymarket.wallet.derivation import wallets_of
from venues.polymarket.wallet.relay_requests import (
    RELAY_TYPES,
    RelayRequest,
    creation_body,
    deposit_wallet_request,
    proxy_request,
    safe_request,
    signature_of,
)
from venues.polymarket.wallet.relayer import BAD_ENDS, Refused, RelayerClient, Taken, Unanswered
from venues.polymarket.wallet.sending import MAX_POLLS, POLL_SECONDS, Progress

MAX_SUBMITS = 10
LATENESS_SECONDS = 120
"""How long after a batch's deadline the relayer's nonce certainly tells whether it was carried out."""
PROXY_CALL_GAS = 200_000
"""Gas granted to each call of a proxy where the node gives no estimate."""

_NONCE = re.compile(r"batch nonce\s+(\d+)\s+does not match on-chain nonce\s+(\d+)", re.IGNORECASE)
_BUSY = re.compile(r"wallet busy|active action|in-flight action", re.IGNORECASE)
_BLOCKED = re.compile(r"call blocked", re.IGNORECASE)

_log = structlog.get_logger(__name__)

Estimate = Callable[[str, str, bytes], Awaitable[int]]
"""Returns the gas of a call: (from, to, data)."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """A submission and what is known of it; `doubtful`: it may have been taken more than once."""

    request: RelayRequest
    transaction: WalletTransaction
    doubtful: bool


class RelayedSender:
    """Sends for one wallet."""

    gas_payer = "the venue's relayer"

    def __init__(
        self,
        relayer: RelayerClient,
        signer: Signer,
        wallet: str,
        kind: SignatureType,
        *,
        chain_id: int,
        clock: Clock,
        log: SubmissionLog,
        estimate: Estimate,
        poll_seconds: float = POLL_SECONDS,
        max_polls: int = MAX_POLLS,
    ) -> None:
        self._relayer = relayer
        self._signer = signer
        self._wallet = wallet
        self._kind = kind
        self._chain_id = chain_id
        self._clock = clock
        self._log = log
        self._estimate = estimate
        self._poll_seconds = poll_seconds
        self._max_polls = max_polls

    async def send(self, calls: Sequence[ContractCall], description: str, progress: Progress) -> WalletReceipt:
        self._relayer.require_key()
        await self._ensure_created()
        sent = await self._submit(calls, description)
        transaction = sent.transaction
        if transaction.id:
            progress(WalletReceipt((transaction,)))
            transaction = await self._follow(transaction, progress)
        if sent.doubtful and transaction.state in BAD_ENDS:
            transaction = await self._twin(sent, transaction, progress)
        if transaction.state.final:
            self._log.clear(self._wallet)
        return WalletReceipt((transaction,))

    async def recover(self, submission: Submission) -> WalletTransaction:
        found = await self._lookup(submission)
        if found is not None:
            return found
        nonce = await self._nonce()
        over_s = submission.expires_s + LATENESS_SECONDS if submission.expires_s else 0
        if nonce <= submission.nonce and 0 < over_s <= self._clock.now_ns() // 1_000_000_000:
            return WalletTransaction(
                state=TransactionState.INVALID, detail="never carried out, and too late for it now"
            )
        if nonce > submission.nonce:
            # The list may lag behind the nonce: what used it up may have been this.
            found = await self._lookup(submission)
        return found or WalletTransaction(
            state=TransactionState.UNKNOWN,
            detail=f"the relayer does not list it; nonce {submission.nonce}, the wallet is at {nonce}",
        )

    async def _ensure_created(self) -> None:
        """Create a deposit wallet that does not exist yet; other kinds are created by the venue's own site."""
        kind = RELAY_TYPES[self._kind]
        if await self._relayer.deployed(self._wallet, kind):
            return
        if self._wallet != wallets_of(self._signer.address).deposit_wallet:
            raise WalletError(
                f"{self._wallet} does not exist on the chain yet: log in to the venue once with its owner's key"
            )
        answer = await self._relayer.submit(creation_body(self._signer.address))
        if isinstance(answer, Refused):
            raise WalletError(f"the relayer did not create the deposit wallet: {answer.text}")
        for _ in range(self._max_polls):
            await asyncio.sleep(self._poll_seconds)
            if await self._relayer.deployed(self._wallet, kind):
                return
        raise WalletError("the deposit wallet was not created in time; nothing else was sent, try again later")

    async def _lookup(self, submission: Submission) -> WalletTransaction | None:
        found = None
        if submission.transaction_id:
            found = await self._relayer.transaction(submission.transaction_id)
            if found.state not in BAD_ENDS:
                return found
        # What failed under one id may have been carried out under another: unanswered bytes are submitted again.
        listed = await self._relayer.find(submission.nonce, signature_of(bytes.fromhex(submission.payloads[-1])))
        return listed if listed is not None and listed.state not in BAD_ENDS else found or listed

    async def _submit(self, calls: Sequence[ContractCall], description: str) -> _Sent:
        """Submit until the relayer takes it or refuses for good; `UNKNOWN` when it may have taken it unseen."""
        request = await self._request(calls, None)
        doubt = refusal = ""
        for _ in range(MAX_SUBMITS):
            submission = self._remember(request, description)
            answer = await self._relayer.submit(request.body)
            found = answer.transaction if isinstance(answer, Taken) else None
            if isinstance(answer, Unanswered):
                doubt = answer.reason
                _log.warning("submission not answered, looking it up", nonce=request.nonce, reason=doubt)
            if doubt and found is None:
                found = await self._seen(submission)
            if found is not None:
                self._remember(request, description, found.id)
                return _Sent(request, found, bool(doubt))
            if isinstance(answer, Refused):
                refusal = answer.text
                newer = _newer_nonce(answer)
                if newer is not None and not doubt:
                    self._log.clear(self._wallet)
                    request = await self._request(calls, newer)
                    continue
                if not _passes(answer):
                    break
            await asyncio.sleep(self._poll_seconds)
        if not doubt:
            self._log.clear(self._wallet)
            raise WalletError(_explained(refusal))
        detail = f"submitted with nonce {request.nonce}, not answered: {doubt}"
        return _Sent(request, WalletTransaction(state=TransactionState.UNKNOWN, detail=detail), doubtful=True)

    async def _seen(self, submission: Submission) -> WalletTransaction | None:
        try:
            return await self._lookup(submission)
        except VenueError as error:
            _log.warning("submission could not be looked up", nonce=submission.nonce, reason=str(error))
            return None

    async def _twin(self, sent: _Sent, failed: WalletTransaction, progress: Progress) -> WalletTransaction:
        """Return what became of bytes that may have been taken twice: one failed, and another may have been carried out."""
        try:
            twin = await self._relayer.find(sent.request.nonce, sent.request.signature)
        except VenueError as error:
            return replace(failed, state=TransactionState.UNKNOWN, detail=f"{failed.detail}; not looked up: {error}")
        return failed if twin is None or twin.id == failed.id else await self._follow(twin, progress)

    async def _follow(self, transaction: WalletTransaction, progress: Progress) -> WalletTransaction:
        """Read the transaction's state until it is final or `max_polls` reads have passed."""
        trouble = ""
        for _ in range(self._max_polls):
            if transaction.state.final:
                return transaction
            await asyncio.sleep(self._poll_seconds)
            try:
                now = await self._relayer.transaction(transaction.id)
            except VenueError as error:
                trouble = str(error)
                continue
            if now != transaction:
                progress(WalletReceipt((now,)))
            transaction = now
        if transaction.state.final:
            return transaction
        detail = f"still {transaction.state.value} after {self._max_polls} looks {trouble}".rstrip()
        return WalletTransaction(
            state=TransactionState.UNKNOWN, id=transaction.id, hash=transaction.hash, detail=detail
        )

    def _remember(self, request: RelayRequest, description: str, transaction_id: str = "") -> Submission:
        submission = Submission(
            wallet=self._wallet,
            description=description,
            nonce=request.nonce,
            payloads=(request.body.hex(),),
            transaction_id=transaction_id,
            expires_s=request.expires_s,
        )
        self._log.save(submission)
        return submission

    async def _nonce(self) -> int:
        if self._kind is SignatureType.POLY_PROXY:
            return (await self._relayer.relay(self._signer.address))[1]
        return await self._relayer.nonce(self._signer.address, RELAY_TYPES[self._kind])

    async def _request(self, calls: Sequence[ContractCall], nonce: int | None) -> RelayRequest:
        """Return the calls signed for the wallet's next nonce, or for `nonce`."""
        try:
            return await self._signed(calls, nonce)
        except (SigningError, WrongAccountError) as error:
            raise WalletError(f"the transaction was not signed, and nothing was sent: {error}") from error

    async def _signed(self, calls: Sequence[ContractCall], nonce: int | None) -> RelayRequest:
        signer, wallet = self._signer, self._wallet
        if self._kind is SignatureType.POLY_PROXY:
            relay, current = await self._relayer.relay(signer.address)
            return await proxy_request(
                signer, wallet, calls, current, relay=relay, gas_limit=await self._proxy_gas(calls)
            )
        number = await self._nonce() if nonce is None else nonce
        if self._kind is SignatureType.POLY_GNOSIS_SAFE:
            return await safe_request(signer, wallet, calls, number, self._chain_id)
        now_s = self._clock.now_ns() // 1_000_000_000
        return await deposit_wallet_request(signer, wallet, calls, number, now_s, self._chain_id)

    async def _proxy_gas(self, calls: Sequence[ContractCall]) -> int:
        try:
            return await self._estimate(self._signer.address, PROXY_FACTORY, contract_calls.proxy_batch(calls))
        except VenueError as error:
            _log.warning("no gas estimate for the proxy, taking a fixed one", reason=str(error))
            return PROXY_CALL_GAS * len(calls)


def _newer_nonce(refused: Refused) -> int | None:
    """Return the wallet's nonce where ours was behind it."""
    match = _NONCE.search(refused.text)
    if match is None or int(match[1]) >= int(match[2]):
        return None
    return int(match[2])


def _passes(refused: Refused) -> bool:
    """Tell whether the reason passes by itself: too many requests, another transaction of the wallet under way."""
    return refused.status == 429 or _BUSY.search(refused.text) is not None


def _explained(text: str) -> str:
    if _BLOCKED.search(text):
        return (
            f"the relayer blocks this call ({text}): it allows the current contracts and functions only; nothing was sent. "
            "Compare the addresses with the venue's contract list, and ask the venue's support"
        )
    if _BUSY.search(text):
        return (
            f"another transaction of this wallet is under way ({text}); nothing was sent, try again when it has ended"
        )
    return f"the relayer refused: {text}; nothing was sent"
