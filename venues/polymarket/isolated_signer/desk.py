"""The signer's decision: policy, rate and the day's limits, then the signature. Synchronous; what is refused raises `RefusedError` and is counted."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import structlog

from domain.money import format_micros
from domain.ports import Clock
from venues.polymarket.isolated_signer.policy import Charge, Policy
from venues.polymarket.isolated_signer.refusal import Code, RefusedError
from venues.polymarket.isolated_signer.spending import Spending, SpendingError
from venues.polymarket.isolated_signer.wire import Signable, Status
from venues.polymarket.signer import LocalSigner

_log = structlog.get_logger(__name__)

LOG_EVERY_SECONDS = 1.0
"""A reason that is given again and again is logged this often, with its count."""


class Signature(NamedTuple):
    """A signature and the digest it is of."""

    digest: bytes
    signature: bytes


class SignerDesk:
    """One key with its policy."""

    def __init__(self, signer: LocalSigner, policy: Policy, spending: Spending, clock: Clock) -> None:
        self.policy = policy
        self.spending = spending
        self.signed = 0
        self.refused: Counter[str] = Counter()
        self._signer = signer
        self._clock = clock
        self._tokens = float(policy.orders_per_second)
        self._refilled = clock.monotonic()
        self._logged: dict[str, float] = {}

    @property
    def address(self) -> str:
        return self._signer.address

    def status(self, number: int) -> Status:
        """Return the counters, in answer to question `number`. Raises `RefusedError` when the day's file cannot be read."""
        spent = self._spent_today()
        return Status(
            id=number,
            address=self.address,
            signed=self.signed,
            refused=dict(self.refused),
            day=self.spending.day,
            bought=spent.notional,
            sold_shares=spent.shares,
            max_day_notional=self.policy.max_day_notional,
            max_day_shares=self.policy.max_day_shares,
        )

    def sign(self, statement: Signable) -> Signature:
        """Sign, or raise `RefusedError`."""
        try:
            return self._sign(statement)
        except RefusedError as error:
            self.note(error)
            raise

    def note(self, refusal: RefusedError) -> None:
        """Count a refusal, and log it."""
        code = refusal.code.value
        self.refused[code] += 1
        now = self._clock.monotonic()
        if now - self._logged.get(code, -LOG_EVERY_SECONDS) >= LOG_EVERY_SECONDS:
            self._logged[code] = now
            _log.warning("not signed", code=code, reason=str(refusal), times=self.refused[code])

    def _sign(self, statement: Signable) -> Signature:
        try:
            charge = self.policy.judge(statement, self._clock.now_ns() // 1_000_000_000)
            digest = statement.digest
        except (ValueError, OverflowError) as error:
            raise RefusedError(Code.MALFORMED, f"the statement cannot be encoded: {error}") from None
        self._check_day(charge)
        self._take_token()
        if charge != Charge():
            try:
                self.spending.add(charge, digest)
            except OSError as error:
                raise RefusedError(
                    Code.MEMORY, f"what is signed cannot be kept: {error.strerror or error}; free the signer's disk"
                ) from None
        signature = self._signer.sign_now(statement)
        self.signed += 1
        return Signature(digest, signature)

    def _spent_today(self) -> Charge:
        try:
            return self.spending.today()
        except (OSError, SpendingError) as error:
            raise RefusedError(Code.MEMORY, f"what was signed today cannot be read: {error}") from None

    def _check_day(self, charge: Charge) -> None:
        spent = self._spent_today()
        limits = (
            (Code.DAY_NOTIONAL, "$", spent.notional, charge.notional, self.policy.max_day_notional),
            (Code.DAY_SHARES, "shares ", spent.shares, charge.shares, self.policy.max_day_shares),
        )
        for code, unit, before, more, allowed in limits:
            if more and before + more > allowed:
                raise RefusedError(
                    code,
                    f"{unit}{format_micros(more)} more would be {unit}{format_micros(before + more)} on {self.spending.day}, "
                    f"allowed are {unit}{format_micros(allowed)}",
                )

    def _take_token(self) -> None:
        rate, now = self.policy.orders_per_second, self._clock.monotonic()
        self._tokens = min(float(rate), self._tokens + (now - self._refilled) * rate)
        self._refilled = now
        if self._tokens < 1:
            raise RefusedError(Code.RATE, f"more than {rate} signatures a second were asked for")
        self._tokens -= 1
