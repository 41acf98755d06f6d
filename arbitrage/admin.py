"""Arbitrage executions in the admin: to look at, search and filter. The trader alone writes them."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from arbitrage.models import ArbExecution, ArbExecutionLeg
from markets.admin import ReadOnly
from trading.admin.columns import AccountFilter

_COLOURS = {"pending": "info", "partial": "warning", "filled": "success", "failed": "danger"}


class LegInline(ReadOnly, TabularInline):
    model = ArbExecutionLeg
    extra = 0
    fields = (
        "number", "market", "side", "expected_price", "filled_price", "size", "filled_units", "unwound_units", "residual_units",
        "fee_usd", "slippage_bps", "status",
    )  # fmt: skip
    readonly_fields = fields
    verbose_name_plural = "legs"


@admin.register(ArbExecution)
class ArbExecutionAdmin(ReadOnly, ModelAdmin):
    show_full_result_count = False
    list_display = (
        "started_at",
        "arb_type",
        "leg_group_id",
        "shown_status",
        "expected_pnl_usd",
        "net_pnl_usd",
        "total_fees",
        "total_slippage",
        "residual",
        "strategy_name",
        "account",
    )
    list_filter = (AccountFilter, "status", "arb_type", "strategy_name")
    search_fields = ("id", "leg_group_id", "opportunity_id")
    date_hierarchy = "started_at"
    inlines = (LegInline,)

    @display(description="status", ordering="status", label=_COLOURS)
    def shown_status(self, execution: ArbExecution) -> str:
        return execution.status
