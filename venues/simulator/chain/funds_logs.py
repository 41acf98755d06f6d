"""Logs of what the venue itself does with wallets' funds: deposits, rewards, auto-redeem, and the payout vector of a resolved market."""

from __future__ import annotations

from domain.market import Market
from venues.exchange.events import FundsMoved, FundsReason, MarketResolved
from venues.simulator.chain import events
from venues.simulator.chain.events import Log, log
from venues.simulator.chain.tokens import payout_vector
from venues.simulator.contracts import (
    AUTO_REDEEM_OPERATOR,
    CONDITIONAL_TOKENS,
    LEGACY_NEG_RISK_ADAPTER,
    PUSD,
    UMA_ADAPTER,
    USDC_E,
    WRAPPED_COLLATERAL,
    ZERO_ADDRESS,
    is_position_id,
    token_contract,
)
from venues.simulator.world.listings import Listings


def funds_logs(event: FundsMoved, market: Market | None) -> tuple[Log, ...]:
    """Return the logs of one movement: tokens burned or made, the redemption, then pUSD minted or burned."""
    logs: list[Log] = []
    for token_id, change in event.tokens.items():
        source, target = (event.account, ZERO_ADDRESS) if change < 0 else (ZERO_ADDRESS, event.account)
        values = (AUTO_REDEEM_OPERATOR, source, target, int(token_id), abs(change))
        logs.append(log(token_contract(token_id), events.TRANSFER_SINGLE, *values))
    if event.reason is FundsReason.REDEMPTION and market is not None and not is_position_id(market.token_ids[0]):
        backing = WRAPPED_COLLATERAL if market.neg_risk else USDC_E
        condition = bytes.fromhex(event.condition_id[2:])
        paid = (event.account, backing, bytes(32), condition, [1, 2], event.cash)
        logs.append(log(CONDITIONAL_TOKENS, events.PAYOUT_REDEMPTION, *paid))
    if event.cash:
        source, target = (ZERO_ADDRESS, event.account) if event.cash > 0 else (event.account, ZERO_ADDRESS)
        logs.append(log(PUSD, events.TRANSFER, source, target, abs(event.cash)))
    return tuple(logs)


def resolution_log(event: MarketResolved, listings: Listings) -> Log:
    """Return the log with which the framework learns a market's payouts."""
    listing = listings.remembered(event.condition_id)
    numerators, _ = payout_vector(event.payouts)
    return log(
        CONDITIONAL_TOKENS,
        events.CONDITION_RESOLUTION,
        bytes.fromhex(event.condition_id[2:]),
        LEGACY_NEG_RISK_ADAPTER if listing.spec.neg_risk else UMA_ADAPTER,
        bytes.fromhex(listing.spec.question_id[2:]),
        2,
        list(numerators),
    )
