"""Strategies in the admin: the switch, and the parameters as a validated form made from their declaration.

Saving goes the same way as the API: validated, written, audited, told to the trader. Strategies come from the catalogue; they are neither added nor
deleted here.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import display

from strategies.api.live import read_status
from strategies.catalog import CATALOG
from strategies.configs import save_config
from strategies.forms import StrategyForm, strategy_form
from strategies.models import StrategyConfig
from strategies.parameters import schema
from trading.store import current_account

_STATE_COLOURS = {"running": "success", "error": "danger", "stopped": "warning", "unknown": "info"}


@admin.register(StrategyConfig)
class StrategyConfigAdmin(ModelAdmin):
    form = StrategyForm
    list_display = ("title", "enabled", "state", "signals_sent", "updated_at", "updated_by")
    list_filter = ("enabled",)
    search_fields = ("name",)
    readonly_fields = ("updated_at", "updated_by", "values")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StrategyConfig]:
        rows: QuerySet[StrategyConfig] = super().get_queryset(request)
        return rows.filter(name__in=CATALOG)

    def get_form(
        self, request: HttpRequest, obj: StrategyConfig | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[StrategyConfig]]:
        form = strategy_form(obj.name) if obj is not None else self.form
        made: type[ModelForm[StrategyConfig]] = super().get_form(request, obj, change, form=form, fields=("enabled",))
        return made

    def get_fieldsets(self, request: HttpRequest, obj: StrategyConfig | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("enabled",)}),)
        kind = CATALOG[obj.name].parameters_type
        fields = tuple(kind.model_fields) if self.has_change_permission(request, obj) else ("values",)
        about = schema(kind)["description"]
        return (
            (None, {"fields": ("enabled",), "description": about}),
            ("Parameters", {"fields": fields}),
            ("Last change", {"fields": ("updated_at", "updated_by")}),
        )

    def save_model(self, request: HttpRequest, obj: StrategyConfig, form: Any, change: bool) -> None:
        save_config(
            obj.name,
            parameters=form.parameters(),
            enabled=form.cleaned_data["enabled"],
            user=request.user.get_username(),
        )
        obj.refresh_from_db()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: StrategyConfig | None = None) -> bool:
        return False

    @display(description="values")
    def values(self, config: StrategyConfig) -> str:
        fields = CATALOG[config.name].parameters_type.model_fields
        rows = ((field.title, config.config_json.get(name, "")) for name, field in fields.items())
        return format_html_join("", "<div>{}: {}</div>", rows)

    @display(description="strategy", ordering="name")
    def title(self, config: StrategyConfig) -> str:
        return str(schema(CATALOG[config.name].parameters_type)["title"])

    @display(description="state", label=_STATE_COLOURS)
    def state(self, config: StrategyConfig) -> str:
        info = read_status(current_account() or "", [config.name]).get(config.name)
        return info.state.value if info is not None else "unknown"

    @display(description="signals")
    def signals_sent(self, config: StrategyConfig) -> str:
        info = read_status(current_account() or "", [config.name]).get(config.name)
        return str(info.signals_sent) if info is not None else "–"
