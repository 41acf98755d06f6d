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


class HealthSerializer(serializers.Serializer[object]):
    ok = serializers.BooleanField()
    status = serializers.ChoiceField(choices=["ok", "degraded", "down"])
    checks = CheckSerializer(many=True)


class LiveSerializer(serializers.Serializer[object]):
    ok = serializers.BooleanField()


class MeSerializer(serializers.Serializer[object]):
    username = serializers.CharField()
    role = serializers.ChoiceField(choices=["viewer", "trader", "admin"], allow_null=True)
    account = serializers.CharField(allow_null=True, help_text="the account that is traded")
