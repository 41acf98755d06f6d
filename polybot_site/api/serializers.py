"""Forms of the site's own answers, for the documentation and the wire alike."""

from __future__ import annotations

from rest_framework import serializers


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
