"""Strategies as JSON. Parameters are numbers, texts and switches by name; `schema` says what each of them is."""

from __future__ import annotations

from rest_framework import serializers

from domain.status import StrategyState


class StrategyStatusSerializer(serializers.Serializer[dict[str, object]]):
    """What the trader says of a strategy."""

    state = serializers.ChoiceField([state.value for state in StrategyState])
    enabled = serializers.BooleanField()
    signals_sent = serializers.IntegerField()
    last_signal_at = serializers.DateTimeField(allow_null=True)
    error_count = serializers.IntegerField()
    last_error = serializers.CharField()
    budget_overruns = serializers.IntegerField(help_text="calls beyond the time budget")
    parameters = serializers.DictField(help_text="the parameters in force")
    refusals = serializers.DictField(
        child=serializers.IntegerField(), help_text="opportunities that were seen and not taken, by reason"
    )


class StrategySerializer(serializers.Serializer[dict[str, object]]):
    name = serializers.CharField()
    enabled = serializers.BooleanField()
    parameters = serializers.DictField()
    schema = serializers.DictField(
        help_text="JSON schema of the parameters: title, description, type, default, range, unit"
    )
    updated_at = serializers.DateTimeField()
    updated_by = serializers.CharField()
    status = StrategyStatusSerializer(allow_null=True, help_text="null while no trader speaks of it")


class StrategiesSerializer(serializers.Serializer[dict[str, object]]):
    next = serializers.CharField(allow_null=True)
    results = StrategySerializer(many=True)


class StrategyChangeSerializer(serializers.Serializer[dict[str, object]]):
    """What is not named stays as it is."""

    enabled = serializers.BooleanField(required=False)
    parameters = serializers.DictField(required=False)

    def to_internal_value(self, data: object) -> dict[str, object]:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        if unknown:
            raise serializers.ValidationError(
                {name: ["This is not a field; expected enabled or parameters."] for name in unknown}
            )
        values: dict[str, object] = super().to_internal_value(data)
        return values
