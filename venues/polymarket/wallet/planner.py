"""Turns an operation into the exact calls it would send, after checking that the wallet has what they need.

Nothing leaves. What is missing (shares, collateral that open orders do not need, a permission) raises `WalletError` naming the fix, because the chain
would refuse the transaction only after somebody paid for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import assert_never

from domain.errors import WalletError
from domain.market import Market, MarketStatus
from domain.money import MICRO, format_micros, multiply_ceil
from domain.order import OrderSide
from domain.reports import OrderReport
from domain.wallet import (
    Approve,
    AssetAmount,
    ContractCall,
    Convert,
    Merge,
    Redeem,
    Split,
    Unwrap,
    WalletOperation,
    WalletPlan,
    Wrap,
)
from venues.polymarket.contracts import is_position_id
from venues.polymarket.gamma_wire import BIPS
from venues.polymarket.wallet import calls
from venues.polymarket.wallet.approvals import REQUIRED, Permission
from venues.polymarket.wallet.chain import ChainReader
from venues.polymarket.wallet.contracts import (
    CTF,
    NEG_RISK_ADAPTER,
    OFFRAMP,
    ONRAMP,
    POSITION_MANAGER,
    PUSD,
    ROUTER,
    USDC_E,
    Contract,
)
from venues.polymarket.wallet.neg_risk import ExclusiveEvents

OpenOrders = Callable[[], Awaitable[Sequence[OrderReport]]]


class Planner:
    """Plans for one wallet. `open_orders` lists what the wallet has resting at the venue."""

    def __init__(
        self, wallet: str, chain: ChainReader, events: ExclusiveEvents, open_orders: OpenOrders, gas_payer: str
    ) -> None:
        self._wallet = wallet
        self._chain = chain
        self._events = events
        self._open_orders = open_orders
        self._gas_payer = gas_payer

    async def plan(self, operation: WalletOperation) -> WalletPlan:
        """Return what `operation` would send."""
        if not isinstance(operation, Approve | Redeem) and operation.amount <= 0:
            raise WalletError(f"the amount was {format_micros(operation.amount)}, expected more than 0")
        match operation:
            case Approve():
                return await self._approve(operation)
            case Split():
                return await self._split(operation)
            case Merge():
                return await self._merge(operation)
            case Redeem():
                return await self._redeem(operation)
            case Convert():
                return await self._convert(operation)
            case Wrap():
                return await self._wrap(operation)
            case Unwrap():
                return await self._unwrap(operation)
        assert_never(operation)

    async def _approve(self, operation: Approve) -> WalletPlan:
        granted = await self._chain.granted()
        missing = [permission for permission, given in zip(REQUIRED, granted, strict=True) if not given]
        return self._plan(operation, *(permission.granting_call() for permission in missing))

    async def _split(self, operation: Split) -> WalletPlan:
        market, amount = operation.market, operation.amount
        await self._need_collateral(amount)
        await self._need_permission(PUSD, _splitter(market))
        if _is_protocol_v2(market):
            call = calls.router_split(calls.position_condition(market.token_ids[0]), amount)
        else:
            call = calls.split(market.condition_id, amount, neg_risk=market.neg_risk)
        gets = [AssetAmount(f"{outcome} shares", amount) for outcome in market.outcomes]
        gives = [AssetAmount(PUSD.name, amount)]
        return self._plan(operation, call, gives=gives, gets=gets, tokens=market.token_ids)

    async def _merge(self, operation: Merge) -> WalletPlan:
        market, amount = operation.market, operation.amount
        await self._need_shares(market, market.token_ids, amount)
        await self._need_permission(_shares(market), _splitter(market))
        if _is_protocol_v2(market):
            call = calls.router_merge(calls.position_condition(market.token_ids[0]), amount)
        else:
            call = calls.merge(market.condition_id, amount, neg_risk=market.neg_risk)
        gives = [AssetAmount(f"{outcome} shares", amount) for outcome in market.outcomes]
        gets = [AssetAmount(PUSD.name, amount)]
        return self._plan(operation, call, gives=gives, gets=gets, tokens=market.token_ids)

    async def _redeem(self, operation: Redeem) -> WalletPlan:
        market = operation.market
        if market.status is not MarketStatus.SETTLED:
            raise WalletError(
                f"{market.question!r} is not resolved yet ({market.status.value}): nothing can be redeemed"
            )
        held = await self._chain.shares(market.token_ids)
        if not any(held.values()):
            raise WalletError(
                f"the wallet holds no shares of {market.question!r}: nothing to redeem, or it was redeemed"
            )
        await self._need_permission(_shares(market), _splitter(market))
        owned = [(index, held[token]) for index, token in enumerate(market.token_ids) if held[token]]
        if _is_protocol_v2(market):
            condition = calls.position_condition(market.token_ids[0])
            sent = [calls.router_redeem(condition, index, shares) for index, shares in owned]
        else:
            sent = [calls.redeem(market.condition_id, neg_risk=market.neg_risk)]
        payout = sum(shares * _payout(market, index) // MICRO for index, shares in owned)
        gives = [AssetAmount(f"{market.outcomes[index]} shares", shares) for index, shares in owned]
        gets = [AssetAmount(PUSD.name, payout)]
        return self._plan(operation, *sent, gives=gives, gets=gets, tokens=market.token_ids)

    async def _convert(self, operation: Convert) -> WalletPlan:
        markets, amount = operation.markets, operation.amount
        event = await self._events.of(markets)
        for market in markets:
            await self._need_shares(market, market.token_ids[1:], amount)
        await self._need_permission(CTF, NEG_RISK_ADAPTER)
        given = sorted({event.indices[market.condition_id] for market in markets})
        index_set = sum(1 << index for index in given)
        received = amount - amount * event.fee_bips // BIPS
        gives = [AssetAmount(f"No shares of {event.titles[index]}", amount) for index in given]
        gets = [
            AssetAmount(f"Yes shares of {title}", received)
            for index, title in event.titles.items()
            if index not in given
        ]
        if len(given) > 1:
            gets.append(AssetAmount(PUSD.name, (len(given) - 1) * received))
        call = calls.convert(event.market_id, index_set, amount)
        return self._plan(operation, call, gives=gives, gets=gets, tokens=event.tokens)

    async def _wrap(self, operation: Wrap) -> WalletPlan:
        amount = operation.amount
        held = await self._chain.balance(USDC_E)
        if held < amount:
            raise WalletError(
                f"the wallet holds ${format_micros(held)} of {USDC_E.name}, ${format_micros(amount)} are needed"
            )
        allow = await self._allowing(USDC_E, ONRAMP, amount)
        call = calls.wrap(USDC_E, self._wallet, amount)
        gives, gets = [AssetAmount(USDC_E.name, amount)], [AssetAmount(PUSD.name, amount)]
        return self._plan(operation, *allow, call, gives=gives, gets=gets)

    async def _unwrap(self, operation: Unwrap) -> WalletPlan:
        amount = operation.amount
        await self._need_collateral(amount)
        allow = await self._allowing(PUSD, OFFRAMP, amount)
        call = calls.unwrap(USDC_E, self._wallet, amount)
        gives, gets = [AssetAmount(PUSD.name, amount)], [AssetAmount(USDC_E.name, amount)]
        return self._plan(operation, *allow, call, gives=gives, gets=gets)

    def _plan(
        self,
        operation: WalletOperation,
        *sent: ContractCall,
        gives: Sequence[AssetAmount] = (),
        gets: Sequence[AssetAmount] = (),
        tokens: Sequence[str] = (),
    ) -> WalletPlan:
        return WalletPlan(
            operation=operation,
            wallet=self._wallet,
            calls=sent,
            gives=tuple(gives),
            gets=tuple(gets),
            tokens=tuple(tokens),
            gas_payer=self._gas_payer,
        )

    async def _need_collateral(self, amount: int) -> None:
        """Refuse what would take collateral that open orders need."""
        held = await self._chain.balance(PUSD)
        reserved = sum(
            multiply_ceil(order.price, _remaining(order))
            for order in await self._open_orders()
            if order.side is OrderSide.BUY
        )
        if held - reserved < amount:
            raise WalletError(
                f"the wallet holds ${format_micros(held)} of {PUSD.name}, ${format_micros(reserved)} of it for open orders; "
                f"${format_micros(amount)} are needed: cancel orders, or take less"
            )

    async def _need_shares(self, market: Market, token_ids: Sequence[str], amount: int) -> None:
        """Refuse what would take shares that are not there, or that open sells need."""
        held = await self._chain.shares(token_ids)
        orders = await self._open_orders()
        for token_id in token_ids:
            reserved = sum(
                _remaining(order) for order in orders if order.side is OrderSide.SELL and order.token_id == token_id
            )
            if held[token_id] - reserved < amount:
                outcome = market.outcomes[market.token_index(token_id)]
                raise WalletError(
                    f"the wallet holds {format_micros(held[token_id])} {outcome} shares of {market.question!r}, "
                    f"{format_micros(reserved)} of them for open orders; {format_micros(amount)} are needed: cancel orders, or take less"
                )

    async def _need_permission(self, token: Contract, spender: Contract) -> None:
        (granted,) = await self._chain.granted([Permission(token, spender)])
        if not granted:
            raise WalletError(
                f"{spender.name} may not take the wallet's {token.name} yet: run `manage.py wallet approve`"
            )

    async def _allowing(self, token: Contract, spender: Contract, amount: int) -> list[ContractCall]:
        """Return the call that allows exactly `amount`, none when it is allowed already."""
        allowed = await self._chain.allowance(token, spender)
        return [] if allowed >= amount else [calls.approve(token, spender, amount)]


def _is_protocol_v2(market: Market) -> bool:
    return is_position_id(int(market.token_ids[0]))


def _splitter(market: Market) -> Contract:
    return ROUTER if _is_protocol_v2(market) else calls.adapter_of(neg_risk=market.neg_risk)


def _shares(market: Market) -> Contract:
    return POSITION_MANAGER if _is_protocol_v2(market) else CTF


def _payout(market: Market, index: int) -> int:
    """Return what a share of a resolved market pays, in micro-dollars."""
    if market.winner is None:
        return MICRO // 2
    return MICRO if market.winner == index else 0


def _remaining(order: OrderReport) -> int:
    return order.original_size - (order.size_matched or 0)
