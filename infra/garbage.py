"""The cyclic garbage collector of a process that must answer within milliseconds.

A full collection visits every object there is: tens of milliseconds for a trader that knows some ten thousand markets, at a moment nobody chose.
What lives after the start lives on, so it is set aside; of the rest, young objects are looked at in portions of about a millisecond.
"""

from __future__ import annotations

import gc

_THRESHOLDS = (10_000, 20, 50)
"""New objects until the young are collected, and collections of one generation until the next older one's."""


def settle() -> None:
    """Collect now, then set aside all that is left. Call it whenever a start is over: what an earlier start set aside is looked at again."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
