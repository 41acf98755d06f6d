"""Form fields of strategy parameters, made from their declarations: one field each, with label, help, range and unit.

The last word has `strategies.parameters.parse`: what it refuses becomes the error of that field.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from pydantic.fields import FieldInfo
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from infra.durations import format_duration, parse_duration
from strategies.catalog import CATALOG
from strategies.models import StrategyConfig
from strategies.parameters import ParameterError, Parameters, allowed, bounds, parse

if TYPE_CHECKING:  # the framework's class takes no parameter at run time
    _ModelForm = forms.ModelForm[StrategyConfig]
else:
    _ModelForm = forms.ModelForm


class DurationField(forms.CharField):
    """A time span written "5m" or "1h30m"."""

    def clean(self, value: Any) -> timedelta:
        try:
            span: timedelta = parse_duration(super().clean(value))
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return span


class StrategyForm(_ModelForm):
    """The switch of a strategy; `strategy_form` adds its parameters."""

    parameters_type: type[Parameters] = Parameters

    class Meta:
        model = StrategyConfig
        fields = ("enabled",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in self.instance.config_json.items():
            if name in self.fields:
                self.initial[name] = value

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                parse(self.parameters_type, self.parameters(), strategy=self.instance.name)
            except ParameterError as error:
                self.add_error(error.key if error.key in self.fields else None, str(error))
        return cleaned

    def parameters(self) -> dict[str, Any]:
        """Return the values that were entered, by parameter."""
        return {name: self.cleaned_data[name] for name in self.parameters_type.model_fields}


def strategy_form(name: str) -> type[StrategyForm]:
    """Return the form class of a strategy."""
    kind = CATALOG[name].parameters_type
    members: dict[str, Any] = {key: _field(field) for key, field in kind.model_fields.items()}
    return type("StrategyParametersForm", (StrategyForm,), {**members, "parameters_type": kind})


def _field(field: FieldInfo) -> forms.Field:
    low, high = bounds(field)
    extra = field.json_schema_extra
    unit = f", {extra['unit']}" if isinstance(extra, dict) and "unit" in extra else ""
    common: dict[str, Any] = {"label": field.title, "help_text": f"{field.description} ({allowed(field)}{unit})."}
    if isinstance(field.default, timedelta):
        return DurationField(initial=format_duration(field.default), widget=UnfoldAdminTextInputWidget, **common)
    limits = {"initial": field.default, "min_value": low, "max_value": high}
    if isinstance(field.default, int):
        return forms.IntegerField(widget=UnfoldAdminIntegerFieldWidget, **limits, **common)
    if isinstance(field.default, Decimal):
        return forms.DecimalField(decimal_places=6, widget=UnfoldAdminDecimalFieldWidget, **limits, **common)
    return forms.FloatField(widget=UnfoldAdminDecimalFieldWidget, **limits, **common)
