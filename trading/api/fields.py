"""How amounts and outcomes look in JSON: exact decimal texts from micro-units, outcomes by their names."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from domain.errors import MoneyError
from domain.money import format_micros, parse_micros

_LARGEST = 10**15


@extend_schema_field(OpenApiTypes.DECIMAL)
class MicrosField(serializers.Field[int, Any, str, int]):
    """Micro-units as the shortest decimal text: 520000 ↔ "0.52". Numbers are accepted, more than six decimals are not."""

    def to_representation(self, value: int) -> str:
        return format_micros(value)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, str | int | float):
            raise serializers.ValidationError("Expected a decimal number such as '0.52'.")
        try:
            micros = parse_micros(str(data))
        except MoneyError as error:
            raise serializers.ValidationError(str(error)) from None
        if abs(micros) > _LARGEST:
            raise serializers.ValidationError("The number is too large.")
        return micros


def outcome_of(row: Any) -> str:
    """Return the outcome that the token of `row` pays for."""
    market = row.market
    return str(market.outcome_1 if row.token_id == market.token_id_1 else market.outcome_2)


class OfAMarket(serializers.Serializer[Any]):
    """What every row of a market shows: the market, its question, the token and its outcome."""

    market_id = serializers.CharField()
    question = serializers.CharField(source="market.question")
    outcome = serializers.SerializerMethodField()
    token_id = serializers.CharField()

    def get_outcome(self, row: Any) -> str:
        return outcome_of(row)
