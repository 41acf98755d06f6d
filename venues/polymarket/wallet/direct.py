"""Sends a plain wallet's calls itself: one transaction for each call, signed here, handed to a node, paid by the wallet.

The hash of a transaction is known before it leaves, so a lost answer is looked up by hash and nonce, and only the same bytes are ever handed in
again. One that is not mined in time is replaced under the same nonce for a higher price, within the cap: of all versions one can be mined. The next
call is sent when the last one has `CONFIRMATIONS`. What stays unexplained ends as `UNKNOWN` and stays in the submission log.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from domain.errors import SigningError, VenueError, WalletError, WrongAccountError
from domain.ports import SubmissionLog
from domain.wallet import ContractCall, Submission, TransactionState, WalletReceipt, WalletTransaction
from venues.polymarket.eip712 import keccak
from venues.polymarket.signer import Signer
from venues.polymarket.wallet.node import Mined, Node, NodeRefusedError
from venues.polymarket.wallet.sending import MAX_POLLS, POLL_SECONDS, Progress
from venues.polymarket.wallet.statements import PlainTransaction, SignedCall

CONFIRMATIONS = 2
"""Blocks from the one with the transaction on, before it counts as done."""
SURE_LOOKS = 3
"""How often a used nonce without a receipt of ours is seen before another transaction has certainly used it."""
MAX_REPLACEMENTS = 3
POLLS_BEFORE_REPLACING = 20
_GAS_MARGIN, _PRICE_MARGIN, _REPLACEMENT_RISE = (5, 4), (6, 5), (5, 4)
"""Fractions: a quarter more gas than estimated, a fifth above the present price, and a quarter more for each replacement (nodes ask for a tenth)."""
WEI = 10**18

Tell = Callable[[WalletTransaction], object]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Signed:
    """Bytes ready to leave, and the hash under which the chain will know them."""

    raw: bytes
    price: int

    @property
    def hash(self) -> str:
        return _hash(self.raw)


class DirectSender:
    """Sends for one plain wallet. `max_cost` is the most that one transaction may pay for gas, in wei."""

    gas_payer = "this wallet, in POL"

    def __init__(
        self,
        node: Node,
        signer: Signer,
        *,
        chain_id: int,
        log: SubmissionLog,
        max_cost: int,
        poll_seconds: float = POLL_SECONDS,
        max_polls: int = MAX_POLLS,
        replace_after: int = POLLS_BEFORE_REPLACING,
    ) -> None:
        self._node = node
        self._signer = signer
        self._wallet = signer.address
        self._chain_id = chain_id
        self._log = log
        self._max_cost = max_cost
        self._poll_seconds = poll_seconds
        self._max_polls = max_polls
        self._replace_after = replace_after

    async def send(self, calls: Sequence[ContractCall], description: str, progress: Progress) -> WalletReceipt:
        await self._check_chain()
        receipt = WalletReceipt()
        for number, call in enumerate(calls, 1):
            if receipt.transactions and not receipt.done:
                break
            try:
                receipt = await self._send_one(call, f"{description} ({number} of {len(calls)})", receipt, progress)
            except (WalletError, VenueError) as error:
                if not receipt.transactions:
                    raise
                # Earlier calls have happened: what stopped the next one belongs into the receipt.
                unsent = WalletTransaction(state=TransactionState.INVALID, detail=f"not sent: {error}")
                receipt = WalletReceipt((*receipt.transactions, unsent))
        return receipt

    async def recover(self, submission: Submission) -> WalletTransaction:
        # On another chain the nonce may be used up and ours unknown: that would prove nothing.
        await self._check_chain()
        return await self._look_up(submission)

    async def _check_chain(self) -> None:
        chain_id = await self._node.chain_id()
        if chain_id != self._chain_id:
            raise WalletError(
                f"the node is of chain {chain_id}, orders are signed for {self._chain_id}: set polymarket.rpc_host to a node of that chain"
            )

    async def _look_up(self, submission: Submission) -> WalletTransaction:
        hashes = [_hash(bytes.fromhex(payload)) for payload in submission.payloads]
        for look in range(SURE_LOOKS):
            # The nonce first: what used it up has its receipt by then, unless another node answers that is behind.
            used = await self._node.nonce(self._wallet, pending=False) > submission.nonce
            for transaction_hash in hashes:
                mined = await self._node.mined(transaction_hash)
                if mined is not None:
                    return _ended(transaction_hash, mined, await self._node.height())
            if not used:
                return WalletTransaction(state=TransactionState.UNKNOWN, hash=hashes[-1], detail="not mined yet")
            await asyncio.sleep(self._poll_seconds * (look + 1 < SURE_LOOKS))
        return WalletTransaction(
            state=TransactionState.INVALID, detail=f"nonce {submission.nonce} was used by another transaction"
        )

    async def _send_one(
        self, call: ContractCall, description: str, before: WalletReceipt, progress: Progress
    ) -> WalletReceipt:
        nonce = await self._free_nonce()
        gas = await self._gas(call)
        try:
            version = await self._signed(call, nonce, gas, _scaled(await self._node.gas_price(), _PRICE_MARGIN))
        except (SigningError, WrongAccountError) as error:
            raise WalletError(f"the transaction was not signed, and nothing was sent: {error}") from error
        await self._check_funds(version, gas)
        submission = Submission(
            wallet=self._wallet, description=description, nonce=nonce, payloads=(version.raw.hex(),)
        )

        def tell(transaction: WalletTransaction) -> WalletReceipt:
            receipt = WalletReceipt((*before.transactions, transaction))
            progress(receipt)
            return receipt

        self._log.save(submission)
        refusal = await self._hand_in(version, nonce)
        if refusal:
            self._log.clear(self._wallet)
            raise WalletError(f"{refusal}; nothing was sent")
        transaction = await self._follow(call, submission, version, gas, tell)
        if transaction.state.final:
            self._log.clear(self._wallet)
        return tell(transaction)

    async def _follow(
        self, call: ContractCall, submission: Submission, version: _Signed, gas: int, tell: Tell
    ) -> WalletTransaction:
        """Wait until one of the versions is confirmed, replacing the newest while none is mined."""
        transaction = WalletTransaction(state=TransactionState.NEW, hash=version.hash)
        tell(transaction)
        waited = replaced = 0
        for _ in range(self._max_polls):
            await asyncio.sleep(self._poll_seconds)
            try:
                now = await self._look_up(submission)
            except VenueError as error:
                _log.warning("transaction could not be read", hash=transaction.hash, reason=str(error))
                continue
            if now.state.final:
                return now
            if now.state is TransactionState.MINED and now != transaction:
                tell(now)
            transaction = now
            waited += 1
            stuck = transaction.state is TransactionState.UNKNOWN and waited >= self._replace_after
            if stuck and replaced < MAX_REPLACEMENTS:
                waited, replaced = 0, replaced + 1
                version, submission = await self._replace(call, submission, version, gas)
        return replace(
            transaction,
            state=TransactionState.UNKNOWN,
            detail=f"not confirmed after {self._max_polls} looks: {transaction.detail or transaction.state.value}",
        )

    async def _replace(
        self, call: ContractCall, submission: Submission, version: _Signed, gas: int
    ) -> tuple[_Signed, Submission]:
        """Hand the transaction in again, for a higher price where the cap allows it and otherwise as it is."""
        price = min(_scaled(version.price, _REPLACEMENT_RISE), self._max_cost // gas)
        if price > _scaled(version.price, (11, 10)):
            try:
                version = await self._signed(call, submission.nonce, gas, price)
            except (SigningError, WrongAccountError) as error:
                _log.warning("no dearer version was signed", nonce=submission.nonce, reason=str(error))
            else:
                submission = replace(submission, payloads=(*submission.payloads, version.raw.hex()))
                self._log.save(submission)
        _log.info("transaction not mined, handed in again", nonce=submission.nonce, price=version.price)
        await self._hand_in(version, submission.nonce)
        return version, submission

    async def _hand_in(self, version: _Signed, nonce: int) -> str:
        """Hand signed bytes to the node; returns its refusal when they certainly did not leave, '' otherwise."""
        try:
            await self._node.send_raw(version.raw)
        except NodeRefusedError as error:
            _log.warning("the node refused a transaction", nonce=nonce, reason=str(error))
            return "" if await self._is_known(version, nonce) else str(error)
        except VenueError as error:
            _log.warning("transaction not answered, looking it up", nonce=nonce, reason=str(error))
        return ""

    async def _is_known(self, version: _Signed, nonce: int) -> bool:
        """Tell whether a refused transaction may be on its way all the same ("already known", or mined meanwhile)."""
        try:
            if await self._node.mined(version.hash) is not None:
                return True
            return await self._node.nonce(self._wallet, pending=True) > nonce
        except VenueError:
            return True

    async def _free_nonce(self) -> int:
        mined, pending = await asyncio.gather(
            self._node.nonce(self._wallet, pending=False), self._node.nonce(self._wallet, pending=True)
        )
        if pending > mined:
            raise WalletError(
                f"{pending - mined} transactions of this wallet are not mined yet, the first with nonce {mined}: wait for them, "
                "or replace them in the wallet that sent them"
            )
        return mined

    async def _gas(self, call: ContractCall) -> int:
        try:
            estimate = await self._node.estimate_gas(self._wallet, call.target, call.data)
        except NodeRefusedError as error:
            raise WalletError(f"{call.contract}.{call.function} would fail on the chain: {error}") from error
        return _scaled(estimate, _GAS_MARGIN)

    async def _check_funds(self, version: _Signed, gas: int) -> None:
        cost = version.price * gas
        if cost > self._max_cost:
            raise WalletError(
                f"the transaction may cost {cost / WEI:.4f} POL, allowed are {self._max_cost / WEI:g}: wait for a lower gas price, "
                "or raise wallet.max_gas_cost"
            )
        coins = await self._node.coins(self._wallet)
        if coins < cost:
            raise WalletError(
                f"the wallet has {coins / WEI:.4f} POL and the transaction may cost {cost / WEI:.4f}: send POL to {self._wallet}"
            )

    async def _signed(self, call: ContractCall, nonce: int, gas: int, price: int) -> _Signed:
        """Sign a transaction for this chain only. Raises what `Signer.sign` raises."""
        transaction = PlainTransaction(nonce, price, gas, SignedCall(call.target, call.data), self._chain_id)
        return _Signed(transaction.signed(await self._signer.sign(transaction)), price)


def _ended(transaction_hash: str, mined: Mined, height: int) -> WalletTransaction:
    """Return the state of a mined transaction; a reverted one is no more final than any other before its block is."""
    detail = "" if mined.succeeded else f"reverted in block {mined.block}"
    if height - mined.block + 1 < CONFIRMATIONS:
        return WalletTransaction(state=TransactionState.MINED, hash=transaction_hash, detail=detail)
    end = TransactionState.CONFIRMED if mined.succeeded else TransactionState.FAILED
    return WalletTransaction(state=end, hash=transaction_hash, detail=detail)


def _hash(raw: bytes) -> str:
    return "0x" + keccak(raw).hex()


def _scaled(value: int, fraction: tuple[int, int]) -> int:
    """Return value × fraction, rounded up."""
    return -(-value * fraction[0] // fraction[1])
