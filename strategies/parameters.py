"""Typed parameters of a strategy: name, default, range, unit and help in one declaration.

`parse` is the only way in. It refuses unknown names, wrong types and values out of range with one `ParameterError` that names strategy, key, value
and what is allowed; the caller's running parameters stay. `schema` describes the same declaration for forms and the dashboard.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from annotated_types import Ge, Le
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from domain.errors import PolybotError
from infra.durations import format_duration

ParameterValue = str | int | float | bool | None


class ParameterError(PolybotError, ValueError):
    """A parameter that cannot be accepted. `key` is the parameter's name, "" when the whole is wrong."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class Parameters(BaseModel):
    """The base of every strategy's parameters; a subclass declares them."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    def to_json(self) -> dict[str, ParameterValue]:
        """Return all values as JSON values; `parse` accepts them again."""
        return self.model_dump(mode="json")


P = TypeVar("P", bound=Parameters)


def parse(kind: type[P], values: Mapping[str, Any], *, strategy: str) -> P:
    """Return parameters of `kind`: `values`, and the default of what is not named.

    Raises:
        ParameterError: a name is unknown, or a value is of the wrong type or out of range.
    """
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        raise _explain(kind, error, values, strategy) from None


def schema(kind: type[Parameters]) -> dict[str, Any]:
    """Return the JSON schema of `kind`: the strategy's title and description, and its properties in order, each with title, description, type,
    default, range and unit.

    Durations are texts of the format "duration"; their range is in `formatMinimum` and `formatMaximum`.
    """
    document = kind.model_json_schema(mode="serialization")
    for name, field in kind.model_fields.items():
        words = ("formatMinimum", "formatMaximum") if isinstance(field.default, timedelta) else ("minimum", "maximum")
        for word, bound in zip(words, bounds(field), strict=True):
            if bound is not None:
                document["properties"][name][word] = _json(bound)
    document.pop("required", None)
    return document


def bounds(field: FieldInfo) -> tuple[Any, Any]:
    """Return the lowest and the highest value a parameter accepts, None where there is no bound."""
    low = next((item.ge for item in field.metadata if isinstance(item, Ge)), None)
    high = next((item.le for item in field.metadata if isinstance(item, Le)), None)
    return low, high


def allowed(field: FieldInfo) -> str:
    """Return in words what a parameter accepts: "a number from 0.01 to 0.9"."""
    low, high = bounds(field)
    noun = {timedelta: "a duration", int: "a whole number"}.get(type(field.default), "a number")
    return noun if low is None or high is None else f"{noun} from {_text(low)} to {_text(high)}"


def _explain(
    kind: type[Parameters], error: ValidationError, values: Mapping[str, Any], strategy: str
) -> ParameterError:
    first = error.errors(include_url=False, include_context=False)[0]
    key = str(first["loc"][0]) if first["loc"] else ""
    field = kind.model_fields.get(key)
    if field is not None:
        return ParameterError(f"{strategy}.{key} was {_text(values.get(key))}, allowed: {allowed(field)}", key)
    if key:
        known = ", ".join(kind.model_fields)
        return ParameterError(f"{strategy}.{key} is not a parameter, allowed: {known}", key)
    return ParameterError(f"{strategy}: {first['msg'].removeprefix('Value error, ')}")


def _json(value: Any) -> ParameterValue:
    if isinstance(value, timedelta):
        return format_duration(value)
    return float(value) if isinstance(value, Decimal) else value


def _text(value: Any) -> str:
    if isinstance(value, timedelta):
        return format_duration(value)
    text = f"{value:f}" if isinstance(value, Decimal) else repr(value)
    return text if len(text) <= 60 else text[:60] + "…"
