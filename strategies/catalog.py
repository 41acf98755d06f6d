"""The strategies polybot knows, by name. Adding one here is all it takes to register, configure and show it."""

from __future__ import annotations

from typing import Any

from strategies.flash_crash import FlashCrash
from strategies.mean_reversion import MeanReversion
from strategies.rebalancing_arb import RebalancingArb
from strategies.strategy import Strategy

CATALOG: dict[str, type[Strategy[Any]]] = {kind.kind: kind for kind in (FlashCrash, MeanReversion, RebalancingArb)}
