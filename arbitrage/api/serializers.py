"""Executions and their profit as JSON: amounts and prices are decimal texts, times ISO 8601 in UTC."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from trading.api.fields import MicrosField, OfAMarket
from trading.api.serializers import FillSerializer, OrderSerializer


class LegSerializer(OfAMarket):
    number = serializers.IntegerField(help_text="its place in the group")
    order_id = serializers.CharField(help_text="empty when it was not placed")
    side = serializers.CharField()
    expected_price = MicrosField(source="expected_price_ticks")
    filled_price = MicrosField(source="filled_price_ticks", allow_null=True, help_text="average; null before a fill")
    size = MicrosField(source="size_units")
    filled_size = MicrosField(source="filled_units")
    unwound = MicrosField(source="unwound_units", help_text="shares that were bought out of again")
    residual = MicrosField(source="residual_units", help_text="shares that nothing hedges")
    fee = MicrosField(source="fee_units")
    slippage_bps = serializers.FloatField()
    status = serializers.CharField(help_text="of its order, or `not placed`")


class ExecutionSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    account = serializers.CharField()
    opportunity_id = serializers.CharField()
    arb_type = serializers.CharField()
    leg_group_id = serializers.CharField(help_text="the strategy's name of the group")
    strategy = serializers.CharField(source="strategy_name")
    status = serializers.CharField()
    gross_edge_bps = serializers.FloatField()
    expected = MicrosField(source="expected_units", help_text="what the plan brings after fees")
    net_pnl = MicrosField(source="net_pnl_units", help_text="what is certain, after fees")
    fees = MicrosField(source="fees_units")
    slippage = MicrosField(source="slippage_units", help_text="cost beyond the plan's prices; negative: better")
    residual = MicrosField(source="residual_units", help_text="shares that nothing hedges")
    residual_cost = MicrosField(source="residual_cost_units", help_text="what those cost")
    started_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)
    legs = LegSerializer(many=True)


class GroupSerializer(serializers.Serializer[Any]):
    policy = serializers.CharField()
    size = MicrosField(source="size_units", help_text="shares of each leg")
    payoff = MicrosField(source="payoff_units", help_text="what a whole set brings at the least")
    state = serializers.CharField()
    state_reason = serializers.CharField()
    created_at = serializers.DateTimeField(help_text="when it was decided")
    updated_at = serializers.DateTimeField()


class ExecutionDetailSerializer(ExecutionSerializer):
    group = GroupSerializer(allow_null=True)
    orders = OrderSerializer(many=True, help_text="of the legs and of what bought out of them, oldest first")
    fills = FillSerializer(many=True, help_text="oldest first")


class TallySerializer(serializers.Serializer[Any]):
    arb_type = serializers.CharField(help_text="empty: all types")
    executions = serializers.IntegerField()
    running = serializers.IntegerField(help_text="not over yet")
    wins = serializers.IntegerField()
    losses = serializers.IntegerField()
    failed = serializers.IntegerField(help_text="not all legs filled")
    expected = MicrosField(help_text="of those that are over")
    net_pnl = MicrosField()
    fees = MicrosField()
    slippage = MicrosField()
    residual_cost = MicrosField()


class PointSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(help_text="when an execution ended")
    expected = MicrosField(help_text="sum up to there")
    net_pnl = MicrosField(help_text="sum up to there")


class ProfitSerializer(serializers.Serializer[Any]):
    account = serializers.CharField(allow_null=True)
    since = serializers.DateTimeField()
    session = serializers.BooleanField(help_text="`since` is when the running trader's session began")
    total = TallySerializer()
    by_type = TallySerializer(many=True)
    curve = PointSerializer(many=True)
