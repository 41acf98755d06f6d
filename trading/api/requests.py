"""What clients may ask for, checked before it becomes a command. The market's own rules (grid, minimum size, limits) are the trader's business."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from rest_framework import serializers

from domain.halt import HaltScope
from domain.money import MICRO, format_micros
from domain.order import Effect, OrderSide, OrderType
from markets.models import Market
from trading.api.fields import MicrosField

_TYPES = [order_type.value for order_type in OrderType if order_type is not OrderType.GTD]


class _Exact(serializers.Serializer[Any]):
    """A command's fields and no others: what is misspelt would be left out, and the command would do something else than was meant."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values: dict[str, Any] = super().to_internal_value(data)
        unknown = {name: [f"Expected one of {', '.join(self.fields)}."] for name in data if name not in self.fields}
        if "account" in unknown:
            unknown["account"] = ["Name the account in the address: ?account=."]
        if unknown:
            raise serializers.ValidationError(unknown)
        return values


class PlaceOrder(_Exact):
    """A manual order. GTD is not offered: a manual order that shall end is cancelled."""

    token_id = serializers.CharField(max_length=100)
    side = serializers.ChoiceField(choices=[side.value for side in OrderSide])
    price = MicrosField(help_text="limit price, between 0 and 1")
    size = MicrosField(help_text="shares")
    order_type = serializers.ChoiceField(choices=_TYPES, default=OrderType.GTC.value)
    effect = serializers.ChoiceField(choices=[effect.value for effect in Effect], default=Effect.OPEN.value)
    post_only = serializers.BooleanField(default=False)

    def validate_price(self, price: int) -> int:
        if not 0 < price < MICRO:
            raise serializers.ValidationError("Expected a price above 0 and below 1.")
        return price

    def validate_size(self, size: int) -> int:
        if size <= 0:
            raise serializers.ValidationError("Expected a size above 0.")
        return size

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Find the market of the token."""
        token = attrs["token_id"]
        market_id = (
            Market.objects.filter(Q(token_id_1=token) | Q(token_id_2=token)).values_list("id", flat=True).first()
        )
        if market_id is None:
            raise serializers.ValidationError({"token_id": "No known market has this token; /api/markets lists them."})
        return attrs | {"market_id": market_id}

    def payload(self) -> dict[str, Any]:
        """Return the command's payload."""
        values: dict[str, Any] = self.validated_data
        return values | {"price": format_micros(values["price"]), "size": format_micros(values["size"])}


class HaltRequest(_Exact):
    scope = serializers.ChoiceField(choices=[scope.value for scope in HaltScope], default=HaltScope.ALL.value)
    target = serializers.CharField(max_length=120, default="", allow_blank=True)
    reason = serializers.CharField(max_length=500, default="stopped by an operator")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that scope and target fit together."""
        wants_target = attrs["scope"] not in (HaltScope.ALL, HaltScope.ARBITRAGE)
        if wants_target != bool(attrs["target"]):
            wanted = "a target" if wants_target else "no target"
            raise serializers.ValidationError({"target": f"Scope {attrs['scope']} takes {wanted}."})
        return attrs


class StopRequest(HaltRequest):
    flatten = serializers.BooleanField(default=False, help_text="also sell what the scope holds")
    max_slippage = MicrosField(
        default=50_000,
        help_text="flatten: most that a share may be sold below the best bid of the beginning, in dollars",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check slippage and scope besides."""
        if not 0 < attrs["max_slippage"] < MICRO:
            raise serializers.ValidationError({"max_slippage": "Expected dollars a share, above 0 and below 1."})
        if attrs["flatten"] and attrs["scope"] == HaltScope.ARBITRAGE:
            raise serializers.ValidationError({"flatten": "Legs hedge each other: flatten the strategy, or all."})
        return super().validate(attrs)

    def command(self) -> tuple[str, dict[str, Any]]:
        """Return the command's kind and payload."""
        values = dict(self.validated_data)
        flatten, slippage = values.pop("flatten"), values.pop("max_slippage")
        return ("flatten", values | {"max_slippage": format_micros(slippage)}) if flatten else ("halt", values)


class ResumeRequest(HaltRequest):
    """One active halt. That of a loss limit has scope all and the limit as its target."""

    reason = None  # type: ignore[assignment]  # a declared field is taken away this way

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take the target of a limit besides."""
        return attrs if attrs["scope"] == HaltScope.ALL else super().validate(attrs)
