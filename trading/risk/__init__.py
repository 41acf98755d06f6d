"""Risk: what may stop an intent, and what is reserved for one that may go on. `RiskCore` decides; every room here has one reason to refuse."""

from trading.risk.core import RiskCore
from trading.risk.decision import BookView, Decision, Refusal
from trading.risk.market_rules import limit_price

__all__ = ["BookView", "Decision", "Refusal", "RiskCore", "limit_price"]
