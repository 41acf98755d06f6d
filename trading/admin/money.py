"""The ledger, the equity curve and the venue's word on balances in the admin."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from trading import models
from trading.admin.columns import AccountFilter, TableAdmin, amount, moment, shorten


@admin.register(models.LedgerEntry)
class LedgerEntryAdmin(TableAdmin):
    list_display = (
        moment("created_at"),
        "kind",
        "ledger_account",
        "shown_asset",
        amount("amount_units", "amount"),
        "strategy_name",
        "journal_id",
    )
    list_filter = (AccountFilter, "ledger_account", "kind", "strategy_name")
    search_fields = ("journal_id", "asset", "market_id", "token_id")
    date_hierarchy = "created_at"

    @display(description="asset", ordering="asset")
    def shown_asset(self, entry: models.LedgerEntry) -> str:
        return shorten(entry.asset, 14)


@admin.register(models.EquitySnapshot)
class EquitySnapshotAdmin(TableAdmin):
    list_display = (
        moment("created_at"),
        "account",
        amount("cash_units", "cash"),
        amount("inventory_cost_units", "inventory at cost"),
        amount("inventory_value_units", "at the best bids"),
        amount("realised_units", "realised"),
        amount("fees_units", "fees"),
    )
    list_filter = (AccountFilter,)
    date_hierarchy = "created_at"


@admin.register(models.VenueBalance)
class VenueBalanceAdmin(TableAdmin):
    list_display = (
        moment("created_at"),
        "account",
        amount("venue_cash_units", "cash at the venue"),
        amount("book_cash_units", "cash in the books"),
        "shown_tokens",
    )
    list_filter = (AccountFilter,)
    date_hierarchy = "created_at"

    @display(description="shares that differ")
    def shown_tokens(self, balance: models.VenueBalance) -> str:
        return str(len(balance.tokens)) if balance.tokens else "–"
