"""Orders, fills, positions and leg groups in the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from domain.money import format_micros
from trading import models
from trading.admin.columns import AccountFilter, OfAMarketAdmin, TableAdmin, amount, moment, rows_link, state

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
_PRICE, _SIZE = amount("price_ticks", "price"), amount("size_units", "size")


@admin.register(models.Order)
class OrderAdmin(OfAMarketAdmin):
    list_display = (
        moment("created_at"),
        "of_market",
        "outcome",
        "side",
        _PRICE,
        _SIZE,
        amount("filled_units", "filled"),
        state("status", _ORDER_COLOURS),
        "order_type",
        "strategy_name",
        "fills",
    )
    list_filter = (AccountFilter, "status", "side", "order_type", "effect", "strategy_name")
    search_fields = ("id", "market__question", "token_id", "decision_id", "intent_id", "reason")
    date_hierarchy = "created_at"
    exclude = ("payload",)
    linked_by = ("leg_group",)

    @display(description="fills")
    def fills(self, order: models.Order) -> str:
        return rows_link("fill", "fills", order_id=order.id, account=order.account)


@admin.register(models.Fill)
class FillAdmin(OfAMarketAdmin):
    list_display = (
        moment("matched_at"),
        "of_market",
        "outcome",
        "side",
        _PRICE,
        _SIZE,
        amount("fee_units", "fee"),
        state("status", _FILL_COLOURS),
        "liquidity",
        "strategy_name",
        "order",
    )
    list_filter = (AccountFilter, "status", "side", "liquidity", "strategy_name")
    search_fields = ("trade_id", "order_id", "transaction_hash", "market__question", "token_id")
    date_hierarchy = "matched_at"
    linked_by = ("order_id", "position_id")

    @display(description="order")
    def order(self, fill: models.Fill) -> str:
        return format_html('<a href="{}">order</a>', reverse("admin:trading_order_change", args=[fill.order_id]))


@admin.register(models.Position)
class PositionAdmin(OfAMarketAdmin):
    list_display = (
        moment("opened_at"),
        "of_market",
        "outcome",
        "held",
        amount("entry_price_ticks", "entry"),
        amount("realised_units", "realised"),
        amount("fees_units", "fees"),
        state("status", {"open": "info"}),
        "strategy_name",
        "fills",
    )
    list_filter = (AccountFilter, "status", "strategy_name")
    search_fields = ("id", "market__question", "token_id")
    date_hierarchy = "opened_at"

    @display(description="size", ordering="size")
    def held(self, position: models.Position) -> str:
        return format_micros(position.settled_units + position.unsettled_units)

    @display(description="fills")
    def fills(self, position: models.Position) -> str:
        return rows_link("fill", "fills", position_id=str(position.id), account=position.account)


@admin.register(models.LegGroup)
class LegGroupAdmin(TableAdmin):
    list_display = (
        moment("created_at"),
        "name",
        "policy",
        state("state", _GROUP_COLOURS),
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

    @display(description="residual shares")
    def left(self, group: models.LegGroup) -> str:
        return ", ".join(map(format_micros, group.residual)) if any(group.residual) else "–"

    @display(description="orders")
    def orders(self, group: models.LegGroup) -> str:
        return rows_link("order", "orders", leg_group=group.id)
