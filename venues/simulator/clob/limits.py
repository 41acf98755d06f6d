"""How much one signer may send: token buckets for orders and for cancels, sized by the signer's tier. Full when first seen, never stored.

An order or an id to cancel costs one token, cancelling all or a market one and as many as it cancels. Orders are refused when they cost more
than there is. Cancels of the lower tiers are let in as long as one token is left and may then overdraw; higher tiers' are not. Every answer
tells how the bucket stands. Source: the venue's table of rate limits; the clock is the caller's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor

from domain.money import MICRO
from venues.simulator.refusals import too_many_requests

_SECOND_NS = 1_000_000_000
_TIER_SECONDS = 60
_WARNING_SHARE = 0.1
"""A bucket below this part of its size warns."""

Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Size:
    """Tokens that come back a second, and how many there can be."""

    refill: int
    burst: int


@dataclass(frozen=True, slots=True)
class Tier:
    """What signers with at least `volume` dollars in thirty days may do."""

    name: str
    volume: int
    orders: Size
    cancels: Size
    overdraws: bool


def _tier(name: str, volume: int, refill: int, burst: int, *, overdraws: bool) -> Tier:
    return Tier(name, volume, Size(refill, burst), Size(2 * refill, 2 * burst), overdraws)


TIERS = (
    _tier("Standard", 0, 40, 60, overdraws=True),
    _tier("Copper", 30_000, 60, 90, overdraws=True),
    _tier("Bronze", 50_000, 80, 120, overdraws=True),
    _tier("Silver", 100_000, 200, 300, overdraws=True),
    _tier("Gold", 500_000, 400, 600, overdraws=True),
    _tier("Platinum", 2_500_000, 450, 675, overdraws=False),
    Tier("Diamond", 5_000_000, Size(525, 787), Size(1050, 1575), overdraws=False),
    _tier("Elite", 10_000_000, 600, 900, overdraws=False),
)


class Bucket:
    """Tokens of one kind of one signer."""

    __slots__ = ("_level", "_seen_ns", "size")

    def __init__(self, size: Size, now_ns: int) -> None:
        self.size = size
        self._level = float(size.burst)
        self._seen_ns = now_ns

    def level(self, now_ns: int) -> float:
        """Return how many tokens there are, below zero when overdrawn."""
        if now_ns > self._seen_ns:
            refilled = self._level + (now_ns - self._seen_ns) / _SECOND_NS * self.size.refill
            self._level = min(float(self.size.burst), refilled)
            self._seen_ns = now_ns
        return self._level

    def spend(self, cost: int) -> None:
        self._level -= cost

    def resize(self, size: Size, now_ns: int) -> None:
        """Go over to another tier's size; what is there stays, up to the new size."""
        self._level = min(self.level(now_ns), float(size.burst))
        self.size = size


@dataclass(slots=True)
class Signer:
    """One signing address: its tier, when that was looked at, and its buckets."""

    tier: Tier
    looked_ns: int
    orders: Bucket
    cancels: Bucket


class SignerLimits:
    """The limits of all signers. `volume_of` returns micro-dollars an address traded in the last thirty days."""

    def __init__(self, volume_of: Callable[[str], int]) -> None:
        self._volume_of = volume_of
        self._signers: dict[str, Signer] = {}

    def orders(self, address: str, cost: int, now_ns: int) -> Headers:
        """Admit `cost` orders and return the headers of their answer. Raises `RefusalError` 429."""
        signer = self._signer(address, now_ns)
        return _admit(signer.tier, signer.orders, cost, cost, now_ns)

    def cancels(self, address: str, cost: int, now_ns: int) -> Headers:
        """Admit cancels that cost `cost` and return the headers of their answer. Raises `RefusalError` 429."""
        signer = self._signer(address, now_ns)
        needed = min(cost, 1) if signer.tier.overdraws else cost
        return _admit(signer.tier, signer.cancels, cost, needed, now_ns)

    def _signer(self, address: str, now_ns: int) -> Signer:
        signer = self._signers.get(address)
        if signer is not None and now_ns < signer.looked_ns + _TIER_SECONDS * _SECOND_NS:
            return signer
        tier = tier_of(self._volume_of(address))
        if signer is None:
            signer = Signer(tier, now_ns, Bucket(tier.orders, now_ns), Bucket(tier.cancels, now_ns))
            self._signers[address] = signer
        elif tier is not signer.tier:
            signer.tier = tier
            signer.orders.resize(tier.orders, now_ns)
            signer.cancels.resize(tier.cancels, now_ns)
        signer.looked_ns = now_ns
        return signer


def tier_of(volume: int) -> Tier:
    """Return the tier that a volume in micro-dollars earns."""
    return next(tier for tier in reversed(TIERS) if volume >= tier.volume * MICRO)


def _admit(tier: Tier, bucket: Bucket, cost: int, needed: int, now_ns: int) -> Headers:
    level = bucket.level(now_ns)
    if level < needed:
        wait = max(1, ceil((needed - level) / bucket.size.refill))
        raise too_many_requests(wait, _headers(tier, bucket, now_ns))
    bucket.spend(cost)
    return _headers(tier, bucket, now_ns)


def _headers(tier: Tier, bucket: Bucket, now_ns: int) -> Headers:
    """Return how a bucket stands; `Reset` is the Unix second in which it is full again."""
    level = bucket.level(now_ns)
    full_ns = now_ns + int((bucket.size.burst - level) / bucket.size.refill * _SECOND_NS)
    headers = {
        "Poly-RateLimit-Remaining": str(floor(level)),
        "Poly-RateLimit-Reset": str(-(-full_ns // _SECOND_NS)),
        "Poly-RateLimit-Tier": tier.name,
    }
    if level < bucket.size.burst * _WARNING_SHARE:
        headers["Poly-RateLimit-Warning"] = "true"
    return headers
