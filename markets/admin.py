"""Markets and events in the admin: to look at, search and filter. Discovery alone writes them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from markets.models import ConditionGroup, ConditionGroupMarket, Market

_STATUS_COLOURS = {"active": "success", "closed": "warning", "settled": "info"}


class ReadOnly:
    """What the venue says cannot be edited here."""

    def has_add_permission(self, *_: Any) -> bool:
        return False

    def has_change_permission(self, *_: Any) -> bool:
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        return False


class MembershipInline(ReadOnly, TabularInline):
    model = ConditionGroupMarket
    extra = 0
    fields = ("market", "status")
    readonly_fields = ("status",)
    verbose_name_plural = "markets"

    @display(description="status", label=_STATUS_COLOURS)
    def status(self, membership: ConditionGroupMarket) -> str:
        return membership.market.status

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConditionGroupMarket]:
        return super().get_queryset(request).select_related("market")


@admin.register(Market)
class MarketAdmin(ReadOnly, ModelAdmin):
    list_display = ("question", "shown_status", "venue", "category", "group", "volume_24h", "tick", "end_date")
    list_filter = ("status", "venue", "accepting_orders", "neg_risk", "category")
    search_fields = ("question", "slug", "id", "condition_id", "token_id_1", "token_id_2")
    ordering = ("-volume_24h_units", "id")
    date_hierarchy = "created_at"
    show_full_result_count = False
    fieldsets = (
        (None, {"fields": ("question", "slug", "status", "accepting_orders", "venue", "category", "group")}),
        ("Outcomes", {"fields": (("outcome_1", "token_id_1"), ("outcome_2", "token_id_2"), "winner")}),
        ("Trading rules", {"fields": ("tick", "minimum_size", "neg_risk", "taker_delay_ms")}),
        ("Fees", {"fields": ("fee_rate_micros", "fee_exponent", "fee_taker_only", "fee_rebate_micros")}),
        ("Volume and time", {"fields": ("volume", "volume_24h", "end_date", "closed_at", "created_at", "updated_at")}),
        ("Identity", {"fields": ("id", "condition_id", "rules_hash")}),
    )

    @display(description="status", ordering="status", label=_STATUS_COLOURS)
    def shown_status(self, market: Market) -> str:
        return market.status

    @display(description="event")
    def group(self, market: Market) -> str:
        links = [
            format_html(
                '<a href="{}">{}</a>', reverse("admin:markets_conditiongroup_change", args=[each.id]), each.title
            )
            for each in market.condition_groups.all()
        ]
        return links[0] if links else "–"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Market]:
        return super().get_queryset(request).prefetch_related("condition_groups")


@admin.register(ConditionGroup)
class ConditionGroupAdmin(ReadOnly, ModelAdmin):
    list_display = ("title", "shown_status", "exclusive", "augmented", "category", "market_count")
    list_filter = ("status", "exclusive", "augmented", "category")
    search_fields = ("title", "id")
    ordering = ("title",)
    inlines = (MembershipInline,)

    @display(description="status", ordering="status", label=_STATUS_COLOURS)
    def shown_status(self, group: ConditionGroup) -> str:
        return group.status

    @display(description="markets", ordering="market_count")
    def market_count(self, group: Any) -> int:
        return int(group.market_count)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConditionGroup]:
        return super().get_queryset(request).annotate(market_count=Count("memberships"))
