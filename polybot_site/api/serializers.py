"""Forms of the site's own answers, for the documentation and the wire alike."""

from __future__ import annotations

from rest_framework import serializers

from trading.api.fields import MicrosField


class CheckSerializer(serializers.Serializer[object]):
    name = serializers.CharField()
    ok = serializers.BooleanField(allow_null=True, help_text="null when the part is not enabled")
    enabled = serializers.BooleanField()
    age = serializers.FloatField(allow_null=True, help_text="seconds since the last success")
    interval = serializers.FloatField(help_text="seconds between two checks")
    last_error = serializers.CharField(allow_blank=True)


class BudgetSerializer(serializers.Serializer[object]):
    name = serializers.CharField()
    left = serializers.IntegerField(help_text="how much may be used at once")
    limit = serializers.IntegerField()
    requests = serializers.IntegerField()
    waits = serializers.IntegerField(help_text="requests that waited for room")
    refusals = serializers.IntegerField(help_text="requests that were held back")
    too_many = serializers.IntegerField(help_text="requests that the venue answered with 429")


class HealthSerializer(serializers.Serializer[object]):
    ok = serializers.BooleanField()
    status = serializers.ChoiceField(choices=["ok", "degraded", "down"])
    checks = CheckSerializer(many=True)
    budgets = BudgetSerializer(many=True, help_text="the venue's rate limits, as the trader keeps them")


class LiveSerializer(serializers.Serializer[object]):
    ok = serializers.BooleanField()


class MeSerializer(serializers.Serializer[object]):
    username = serializers.CharField()
    role = serializers.ChoiceField(choices=["viewer", "trader", "admin"], allow_null=True)
    account = serializers.CharField(allow_null=True, help_text="the account that is traded")


class DriftSerializer(serializers.Serializer[object]):
    twin = serializers.CharField(help_text="the paper account that follows it")
    since_ns = serializers.IntegerField(help_text="start of the comparison, UTC nanoseconds")
    orders = serializers.IntegerField(help_text="orders compared")
    refused_live = serializers.IntegerField(help_text="orders that only the twin took")
    refused_twin = serializers.IntegerField(help_text="orders that only the account took")
    filled_live = MicrosField(help_text="shares")
    filled_twin = MicrosField(help_text="shares")
    filled_only_live = MicrosField(help_text="shares that orders got and their twins did not")
    filled_only_twin = MicrosField(help_text="shares that twins got and their orders did not")
    slippage = MicrosField(help_text="dollars paid beyond the twin for shares that both got; negative: less")
    fees_live = MicrosField()
    fees_twin = MicrosField()
    profit_live = MicrosField(help_text="dollars after fees; what is still held counts at the best bid")
    profit_twin = MicrosField()
    failures = serializers.IntegerField(help_text="failures of the twin; they influence nothing but these figures")


class ShadowSerializer(serializers.Serializer[object]):
    account = serializers.CharField(help_text="the account that trades")
    drift = DriftSerializer(allow_null=True, help_text="null while no paper twin runs beside it")
