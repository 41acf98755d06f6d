"""Reports and statements as JSON: amounts are decimal texts, shares of a whole parts of one, times ISO 8601 in UTC."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from trading.api.fields import MicrosField
from trading.report_queries import By


class ResultSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(
        help_text="the strategy, market, category, arbitrage type or first day; empty: belongs to none"
    )
    title = serializers.CharField()
    profit = MicrosField(help_text="realised − fees + rewards + rounding")
    realised = MicrosField(help_text="before fees, at average cost")
    fees = MicrosField()
    rewards = MicrosField(help_text="with rebates")
    rounding = MicrosField(
        help_text="differences to the venue's books that were taken over; negative: money was missing"
    )
    volume = MicrosField(help_text="dollars of all fills that have not failed")
    exposure = MicrosField(help_text="inventory at cost at the end")
    max_drawdown = MicrosField(help_text="largest fall of the realised profit after fees")
    fills = serializers.IntegerField()
    maker_share = serializers.FloatField(allow_null=True, help_text="part of the volume that rested in the book")
    positions_closed = serializers.IntegerField()
    win_rate = serializers.FloatField(
        allow_null=True, help_text="part of the closed positions with a profit after fees"
    )


class EquityPointSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    equity = MicrosField(help_text="cash, payouts on their way, and tokens at the best bids")
    deposits = MicrosField(help_text="net of withdrawals; equity − deposits is the profit so far")


class ReportSerializer(serializers.Serializer[Any]):
    account = serializers.CharField()
    start = serializers.DateTimeField(source="span.start")
    end = serializers.DateTimeField(source="span.end")
    by = serializers.ChoiceField(choices=[by.value for by in By])
    rows = ResultSerializer(many=True)
    total = ResultSerializer()
    equity_drawdown = MicrosField(help_text="largest fall of the profit with inventory at the best bids")
    curve = EquityPointSerializer(many=True)


class AmountsSerializer(serializers.Serializer[Any]):
    cash = MicrosField()
    inventory = MicrosField(help_text="at cost")
    receivable = MicrosField(help_text="payouts that are not in the wallet yet")
    deposits = MicrosField(help_text="net of withdrawals")
    realised = MicrosField()
    fees = MicrosField()
    rewards = MicrosField()
    rounding = MicrosField()


class LineSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    title = serializers.CharField()
    amounts = AmountsSerializer()


class TokenLineSerializer(serializers.Serializer[Any]):
    token_id = serializers.CharField()
    market_id = serializers.CharField()
    question = serializers.CharField()
    outcome = serializers.CharField()
    opening = MicrosField()
    came = MicrosField()
    went = MicrosField()
    closing = MicrosField()
    venue = MicrosField(allow_null=True, help_text="what the venue says, where it differs")


class VenueWordSerializer(serializers.Serializer[Any]):
    read_at = serializers.DateTimeField()
    cash = MicrosField()
    unexplained = MicrosField(help_text="venue − books, when everything explicable was booked")
    booked_since = MicrosField(help_text="closing cash = cash − unexplained + booked_since")


class StatementSerializer(serializers.Serializer[Any]):
    account = serializers.CharField()
    start = serializers.DateTimeField(source="span.start")
    end = serializers.DateTimeField(source="span.end")
    opening = AmountsSerializer()
    lines = LineSerializer(many=True)
    closing = AmountsSerializer()
    differences = LineSerializer(many=True, help_text="lines that took a difference to the venue over")
    venue = VenueWordSerializer(allow_null=True)
    agrees = serializers.BooleanField(help_text="the books are the venue's, to the micro-unit")
    tokens = TokenLineSerializer(many=True)
