"""What the tables have in common: the filter by account, columns of amounts, moments and states, links between tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
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
from trading.api.fields import outcome_of
from trading.store import accounts, current_account

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
    """A table that is only read, and counted only when somebody asks. `linked_by` are the columns that links from other tables filter by."""

    show_full_result_count = False
    linked_by: tuple[str, ...] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in self.linked_by or super().lookup_allowed(lookup, value, request)


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


def amount(field: str, title: str) -> Callable[[Any], str]:
    """Return a column of an amount: the shortest exact decimal text of the micro-units in `field`."""

    @display(description=title, ordering=field)
    def column(row: Any) -> str:
        micros = getattr(row, field)
        return "–" if micros is None else format_micros(micros)

    return column


def moment(field: str, title: str = "time") -> Callable[[Any], str]:
    """Return a column of a moment, to the second, in UTC."""

    @display(description=title, ordering=field)
    def column(row: Any) -> str:
        at = getattr(row, field)
        text = "–" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"
        return format_html('<span class="whitespace-nowrap">{}</span>', text)

    return column


def state(field: str, colours: Mapping[str, str]) -> Callable[[Any], str]:
    """Return a column of a state, coloured by its value."""

    @display(description=field, ordering=field, label=colours)
    def column(row: Any) -> str:
        value: str = getattr(row, field)
        return value

    return column


def rows_link(model: str, text: str, **filters: str) -> str:
    """Return a link to the rows of a table that `filters` choose."""
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return format_html('<a href="{}?{}">{}</a>', reverse(f"admin:trading_{model}_changelist"), query, text)


def shorten(text: str, length: int) -> str:
    """Return `text`, cut to `length` characters with an ellipsis when it is longer."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def facts(values: dict[str, Any]) -> str:
    """Return a JSON object in one readable line, without what is empty."""
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
    return ", ".join(f"{name}: {shorten(text, 40)}" for name, text in texts.items() if text)
