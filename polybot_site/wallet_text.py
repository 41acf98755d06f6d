"""A wallet's status, plans and receipts as people and programs read them: text for terminals, plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domain.money import format_micros
from domain.wallet import AssetAmount, WalletPlan, WalletReceipt, WalletStatus

_WEI = 10**18
_DOLLARS = ("pUSD", "USDC.e")


def status_lines(status: WalletStatus) -> Iterator[str]:
    """Yield a status for the terminal."""
    yield f"wallet     {status.wallet} ({status.kind}{'' if status.deployed else ', not on the chain yet'})"
    yield f"owner      {status.owner}"
    yield f"pUSD       ${format_micros(status.cash)} on the chain, ${format_micros(status.venue_cash)} at the venue"
    yield f"USDC.e     ${format_micros(status.plain)}"
    yield f"gas        {status.gas / _WEI:.4f} POL"
    yield f"approvals  {len(status.approvals) - len(status.missing)} of {len(status.approvals)}"
    for approval in status.missing:
        yield f"  missing: {approval.spender} {approval.spender_address} may not take {approval.token}"
    if status.missing:
        yield "  grant them with: manage.py wallet approve"
    for warning in status.warnings:
        yield f"warning: {warning}"


def plan_lines(plan: WalletPlan) -> Iterator[str]:
    """Yield exactly what a plan sends, for the terminal."""
    if not plan.calls:
        yield "nothing to do"
        return
    for number, call in enumerate(plan.calls, 1):
        yield f"call {number} of {len(plan.calls)}: {call.contract} {call.target}"
        yield f"  {call.function}"
        for name, value in call.arguments:
            yield f"    {name}: {value}"
    for title, amounts in (("gives", plan.gives), ("gets", plan.gets)):
        for amount in amounts:
            yield f"{title:<5} {_amount(amount)}"
    yield f"gas is paid by {plan.gas_payer}"


def receipt_line(receipt: WalletReceipt) -> str:
    """Return the news of a receipt in one line."""
    if not receipt.transactions:
        return "nothing was sent"
    last = receipt.transactions[-1]
    number = f"transaction {len(receipt.transactions)}: " if len(receipt.transactions) > 1 else ""
    names = " ".join(name for name in (last.id, last.hash) if name)
    return f"{number}{last.state.value} {names}{f' ({last.detail})' if last.detail else ''}".rstrip()


def as_values(subject: WalletStatus | WalletPlan | WalletReceipt) -> dict[str, Any]:
    """Return plain values for JSON; amounts are decimal texts."""
    if isinstance(subject, WalletStatus):
        return _status_values(subject)
    if isinstance(subject, WalletPlan):
        return _plan_values(subject)
    return {
        "state": subject.state.value,
        "done": subject.done,
        "transactions": [
            {"state": each.state.value, "id": each.id, "hash": each.hash, "detail": each.detail}
            for each in subject.transactions
        ],
    }


def _status_values(status: WalletStatus) -> dict[str, Any]:
    return {
        "owner": status.owner,
        "wallet": status.wallet,
        "kind": status.kind,
        "deployed": status.deployed,
        "cash": format_micros(status.cash),
        "venue_cash": format_micros(status.venue_cash),
        "plain": format_micros(status.plain),
        "gas_wei": str(status.gas),
        "approvals": [
            {
                "token": approval.token,
                "token_address": approval.token_address,
                "spender": approval.spender,
                "spender_address": approval.spender_address,
                "granted": approval.granted,
            }
            for approval in status.approvals
        ],
        "warnings": list(status.warnings),
    }


def _plan_values(plan: WalletPlan) -> dict[str, Any]:
    return {
        "wallet": plan.wallet,
        "calls": [
            {
                "target": call.target,
                "contract": call.contract,
                "function": call.function,
                "arguments": dict(call.arguments),
                "data": "0x" + call.data.hex(),
            }
            for call in plan.calls
        ],
        "gives": [{"asset": each.asset, "amount": format_micros(each.micros)} for each in plan.gives],
        "gets": [{"asset": each.asset, "amount": format_micros(each.micros)} for each in plan.gets],
        "gas_payer": plan.gas_payer,
    }


def _amount(amount: AssetAmount) -> str:
    dollars = "$" if amount.asset in _DOLLARS else ""
    return f"{dollars}{format_micros(amount.micros)} {amount.asset}"
