"""The trading tables in the admin: to look at, search and filter. The trader alone writes them; what an operator wants done goes through the API.

A list shows one account: the one that is traded now, unless another one, or all, is chosen beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display

from domain.money import format_micros
from markets.admin import ReadOnly
from trading import models
from trading.api.fields import outcome_of
from trading.store import accounts, current_account

_ORDER_COLOURS = {
    "matched": "success",
    "live": "info",
    "partially_filled": "info",
    "unknown": "danger",
    "delayed": "warning",
    "cancelling": "warning",
    "rejected": "danger",
}
_GROUP_COLOURS = {
    "placing": "info",
    "unwinding": "warning",
    "filled": "success",
    "partial": "warning",
    "failed": "danger",
}
_FILL_COLOURS = {"confirmed": "success", "failed": "danger", "retrying": "warning"}
_COMMAND_COLOURS = {"done": "success", "refused": "danger", "expired": "warning", "pending": "info"}


ALL = "all"


class AccountFilter(admin.SimpleListFilter):
    """Which account a list shows. What is of no account (an audited change of a setting) is shown with all of them."""

    title = "account"
    parameter_name = "account"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, str]]:
        return [*((each.account, each.account) for each in accounts()), (ALL, "all accounts")]

    def value(self) -> str | None:
        """Return the account chosen; without a choice the one that is traded now."""
        return super().value() or current_account() or ALL

    def queryset(self, _request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        return rows if chosen == ALL else rows.filter(Q(account=chosen) | Q(account=""))

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Yield the links: no link stands for "no choice", because that is one of the others."""
        for value, title in self.lookup_choices:
            yield {
                "selected": self.value() == str(value),
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
            }


class TableAdmin(ReadOnly, ModelAdmin):
    """A table that is only read, and counted only when somebody asks."""

    show_full_result_count = False


def _amount(field: str, title: str) -> Callable[[Any], str]:
    """Return a column of an amount: the shortest exact decimal text of the micro-units in `field`."""

    @display(description=title, ordering=field)
    def column(row: Any) -> str:
        micros = getattr(row, field)
        return "–" if micros is None else format_micros(micros)

    return column


def _time(field: str, title: str = "time") -> Callable[[Any], str]:
    """Return a column of a moment, to the second, in UTC."""

    @display(description=title, ordering=field)
    def column(row: Any) -> str:
        moment = getattr(row, field)
        text = "–" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
        return format_html('<span class="whitespace-nowrap">{}</span>', text)

    return column


_PRICE, _SIZE = _amount("price_ticks", "price"), _amount("size_units", "size")


class OfAMarketAdmin(TableAdmin):
    """Rows of a market, with links to it."""

    list_select_related = ("market",)

    @display(description="market")
    def of_market(self, row: Any) -> str:
        address = reverse("admin:markets_market_change", args=[row.market_id])
        question = row.market.question
        return format_html(
            '<a href="{}" title="{}" class="whitespace-nowrap">{}</a>', address, question, shorten(question, 48)
        )

    @display(description="outcome")
    def outcome(self, row: Any) -> str:
        return outcome_of(row)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("market")


def _rows_link(model: str, text: str, **filters: str) -> str:
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return format_html('<a href="{}?{}">{}</a>', reverse(f"admin:trading_{model}_changelist"), query, text)


@admin.register(models.Order)
class OrderAdmin(OfAMarketAdmin):
    list_display = (
        _time("created_at"),
        "of_market",
        "outcome",
        "side",
        _PRICE,
        _SIZE,
        _amount("filled_units", "filled"),
        "shown_status",
        "order_type",
        "strategy_name",
        "fills",
    )
    list_filter = (AccountFilter, "status", "side", "order_type", "effect", "strategy_name")
    search_fields = ("id", "market__question", "token_id", "decision_id", "intent_id", "reason")
    date_hierarchy = "created_at"
    exclude = ("payload",)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "leg_group" or super().lookup_allowed(lookup, value, request)

    @display(description="status", ordering="status", label=_ORDER_COLOURS)
    def shown_status(self, order: models.Order) -> str:
        return order.status

    @display(description="fills")
    def fills(self, order: models.Order) -> str:
        return _rows_link("fill", "fills", order_id=order.id, account=order.account)


@admin.register(models.Fill)
class FillAdmin(OfAMarketAdmin):
    list_display = (
        _time("matched_at"),
        "of_market",
        "outcome",
        "side",
        _PRICE,
        _SIZE,
        _amount("fee_units", "fee"),
        "shown_status",
        "liquidity",
        "strategy_name",
        "order",
    )
    list_filter = (AccountFilter, "status", "side", "liquidity", "strategy_name")
    search_fields = ("trade_id", "order_id", "transaction_hash", "market__question", "token_id")
    date_hierarchy = "matched_at"

    @display(description="status", ordering="status", label=_FILL_COLOURS)
    def shown_status(self, fill: models.Fill) -> str:
        return fill.status

    @display(description="order")
    def order(self, fill: models.Fill) -> str:
        return format_html('<a href="{}">order</a>', reverse("admin:trading_order_change", args=[fill.order_id]))

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in ("order_id", "position_id") or super().lookup_allowed(lookup, value, request)


@admin.register(models.Position)
class PositionAdmin(OfAMarketAdmin):
    list_display = (
        _time("opened_at"),
        "of_market",
        "outcome",
        "held",
        _amount("entry_price_ticks", "entry"),
        _amount("realised_units", "realised"),
        _amount("fees_units", "fees"),
        "shown_status",
        "strategy_name",
        "fills",
    )
    list_filter = (AccountFilter, "status", "strategy_name")
    search_fields = ("id", "market__question", "token_id")
    date_hierarchy = "opened_at"

    @display(description="status", ordering="status", label={"open": "info"})
    def shown_status(self, position: models.Position) -> str:
        return position.status

    @display(description="size", ordering="size")
    def held(self, position: models.Position) -> str:
        return format_micros(position.settled_units + position.unsettled_units)

    @display(description="fills")
    def fills(self, position: models.Position) -> str:
        return _rows_link("fill", "fills", position_id=str(position.id), account=position.account)


@admin.register(models.LedgerEntry)
class LedgerEntryAdmin(TableAdmin):
    list_display = (
        _time("created_at"),
        "kind",
        "ledger_account",
        "shown_asset",
        _amount("amount_units", "amount"),
        "strategy_name",
        "journal_id",
    )
    list_filter = (AccountFilter, "ledger_account", "kind", "strategy_name")
    search_fields = ("journal_id", "asset", "market_id", "token_id")
    date_hierarchy = "created_at"

    @display(description="asset", ordering="asset")
    def shown_asset(self, entry: models.LedgerEntry) -> str:
        return shorten(entry.asset, 14)


@admin.register(models.Command)
class CommandAdmin(TableAdmin):
    list_display = (
        _time("issued_at"),
        "kind",
        "issued_by",
        "shown_status",
        "shown_payload",
        "shown_result",
        _time("finished_at", "finished"),
    )
    list_filter = (AccountFilter, "status", "kind", "issued_by")
    search_fields = ("id", "issued_by", "idempotency_key", "payload")
    date_hierarchy = "issued_at"

    @display(description="status", ordering="status", label=_COMMAND_COLOURS)
    def shown_status(self, command: models.Command) -> str:
        return command.status

    @display(description="payload")
    def shown_payload(self, command: models.Command) -> str:
        return _facts(command.payload)

    @display(description="result")
    def shown_result(self, command: models.Command) -> str:
        return _facts(command.result)


@admin.register(models.LegGroup)
class LegGroupAdmin(TableAdmin):
    list_display = (
        _time("created_at"),
        "name",
        "policy",
        "shown_state",
        _SIZE,
        "left",
        "arb_type",
        "strategy_name",
        "orders",
        "account",
    )
    list_filter = (AccountFilter, "state", "policy", "arb_type", "strategy_name")
    search_fields = ("id", "name", "state_reason")
    date_hierarchy = "created_at"

    @display(description="state", ordering="state", label=_GROUP_COLOURS)
    def shown_state(self, group: models.LegGroup) -> str:
        return group.state

    @display(description="residual shares")
    def left(self, group: models.LegGroup) -> str:
        return ", ".join(map(format_micros, group.residual)) if any(group.residual) else "–"

    @display(description="orders")
    def orders(self, group: models.LegGroup) -> str:
        return _rows_link("order", "orders", leg_group=group.id)


@admin.register(models.Halt)
class HaltAdmin(TableAdmin):
    list_display = (
        _time("set_at"),
        "scope",
        "target",
        "reason",
        "set_by",
        "active",
        "lifted_by",
        _time("lifted_at", "lifted"),
    )
    list_filter = (AccountFilter, "scope", ("lifted_at", admin.EmptyFieldListFilter))
    search_fields = ("target", "reason", "set_by", "lifted_by")

    @display(description="active", boolean=True)
    def active(self, halt: models.Halt) -> bool:
        return halt.lifted_at is None


@admin.register(models.AuditLog)
class AuditLogAdmin(TableAdmin):
    list_display = (_time("created_at"), "event", "shown_detail", "account")
    list_filter = (AccountFilter, "event")
    search_fields = ("event", "detail")
    date_hierarchy = "created_at"

    @display(description="detail")
    def shown_detail(self, entry: models.AuditLog) -> str:
        return _facts(entry.detail)


@admin.register(models.Lease)
class LeaseAdmin(TableAdmin):
    list_display = ("account", "holder", "epoch", _time("expires_at", "expires"))


@admin.register(models.EquitySnapshot)
class EquitySnapshotAdmin(TableAdmin):
    list_display = (
        _time("created_at"),
        "account",
        _amount("cash_units", "cash"),
        _amount("inventory_cost_units", "inventory at cost"),
        _amount("inventory_value_units", "at the best bids"),
        _amount("realised_units", "realised"),
        _amount("fees_units", "fees"),
    )
    list_filter = (AccountFilter,)
    date_hierarchy = "created_at"


@admin.register(models.VenueBalance)
class VenueBalanceAdmin(TableAdmin):
    list_display = (
        _time("created_at"),
        "account",
        _amount("venue_cash_units", "cash at the venue"),
        _amount("book_cash_units", "cash in the books"),
        "shown_tokens",
    )
    list_filter = (AccountFilter,)
    date_hierarchy = "created_at"

    @display(description="shares that differ")
    def shown_tokens(self, balance: models.VenueBalance) -> str:
        return str(len(balance.tokens)) if balance.tokens else "–"


def shorten(text: str, length: int) -> str:
    """Return `text`, cut to `length` characters with an ellipsis when it is longer."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _facts(values: dict[str, Any]) -> str:
    """Return a JSON object in one readable line, without what is empty."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    return ", ".join(f"{name}: {shorten(text, 40)}" for name, text in texts.items() if text)
