"""Rows of the trading tables as JSON. Names of amounts and prices carry decimal texts; times are ISO 8601 in UTC."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from domain.money import format_micros, multiply_floor
from domain.position import PositionStatus
from trading.api.fields import MicrosField, OfAMarket


class OrderSerializer(OfAMarket):
    id = serializers.CharField()
    account = serializers.CharField()
    side = serializers.CharField()
    order_type = serializers.CharField()
    effect = serializers.CharField()
    price = MicrosField(source="price_ticks")
    size = MicrosField(source="size_units")
    filled_size = MicrosField(source="filled_units")
    status = serializers.CharField()
    reason = serializers.CharField(help_text="why it was decided")
    status_reason = serializers.CharField(help_text="why it is in this status")
    strategy = serializers.CharField(source="strategy_name")
    post_only = serializers.BooleanField()
    take_profit = MicrosField(source="take_profit_ticks", allow_null=True)
    stop_loss = MicrosField(source="stop_loss_ticks", allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    filled_at = serializers.DateTimeField(allow_null=True)
    cancelled_at = serializers.DateTimeField(allow_null=True)


class FillSerializer(OfAMarket):
    trade_id = serializers.CharField()
    order_id = serializers.CharField()
    position_id = serializers.CharField()
    account = serializers.CharField()
    side = serializers.CharField()
    price = MicrosField(source="price_ticks")
    size = MicrosField(source="size_units")
    fee = MicrosField(source="fee_units")
    liquidity = serializers.CharField()
    status = serializers.CharField()
    strategy = serializers.CharField(source="strategy_name")
    transaction_hash = serializers.CharField()
    matched_at = serializers.DateTimeField()


class PositionSerializer(OfAMarket):
    """A position at its mark: the best bid now. `context["marks"]` maps token ids to it; what is not known is null."""

    id = serializers.CharField()
    account = serializers.CharField()
    strategy = serializers.CharField(source="strategy_name")
    settled = MicrosField(source="settled_units")
    unsettled = MicrosField(source="unsettled_units")
    size = serializers.SerializerMethodField()
    entry_price = MicrosField(source="entry_price_ticks")
    cost = MicrosField(source="cost_units")
    mark_price = serializers.SerializerMethodField()
    unrealized_pnl = serializers.SerializerMethodField()
    realized_pnl = MicrosField(source="realised_units")
    fees = MicrosField(source="fees_units")
    take_profit = MicrosField(source="take_profit_ticks", allow_null=True)
    stop_loss = MicrosField(source="stop_loss_ticks", allow_null=True)
    exit_price = MicrosField(source="exit_price_ticks", allow_null=True)
    status = serializers.CharField()
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)

    def get_size(self, row: Any) -> str:
        return format_micros(row.settled_units + row.unsettled_units)

    def get_mark_price(self, row: Any) -> str | None:
        return _text(self._mark(row))

    def get_unrealized_pnl(self, row: Any) -> str | None:
        mark = self._mark(row)
        if mark is None:
            return None
        return _text(multiply_floor(mark, row.settled_units + row.unsettled_units) - row.cost_units)

    def _mark(self, row: Any) -> int | None:
        marks: dict[str, int] = self.context["marks"]
        return marks.get(row.token_id) if row.status == PositionStatus.OPEN else None


class AccountSerializer(serializers.Serializer[Any]):
    account = serializers.CharField()
    kind = serializers.CharField(help_text="sim, paper, live or monitor")
    running = serializers.BooleanField(help_text="a trader holds its lease")
    last_seen = serializers.DateTimeField(help_text="until when a trader held, or holds, its lease")


class CommandSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    account = serializers.CharField()
    kind = serializers.CharField()
    status = serializers.CharField()
    result = serializers.DictField()
    issued_by = serializers.CharField()
    issued_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class HaltSerializer(serializers.Serializer[Any]):
    scope = serializers.CharField()
    target = serializers.CharField()
    reason = serializers.CharField()
    set_by = serializers.CharField()
    set_at = serializers.DateTimeField()


class QuarantinedTradeSerializer(serializers.Serializer[Any]):
    """A trade that is not in the books."""

    trade_id = serializers.CharField(source="trade.report.trade_id")
    order_id = serializers.CharField(source="trade.report.order_id")
    ours = serializers.BooleanField(source="trade.ours", help_text="its order was placed here")
    market = serializers.CharField(
        source="trade.market_id", help_text="target of the halt it set; the condition id where the market is not known"
    )
    condition_id = serializers.CharField(source="trade.report.condition_id")
    token_id = serializers.CharField(source="trade.report.token_id")
    side = serializers.CharField(source="trade.report.side.value")
    price = MicrosField(source="trade.report.price")
    size = MicrosField(source="trade.report.size")
    reason = serializers.CharField(source="trade.reason", help_text="why it is not booked")
    since = serializers.DateTimeField()


class HaltsSerializer(serializers.Serializer[Any]):
    halts = HaltSerializer(many=True)
    quarantine = QuarantinedTradeSerializer(
        many=True, help_text="trades that are not in the books; lifting their market's halt looks at them again"
    )


class CurvePointSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    equity = MicrosField(help_text="cash, payouts on their way, and tokens at the best bids")
    deposits = MicrosField(help_text="less withdrawals; equity − deposits is the profit so far")
    realised = MicrosField()
    fees = MicrosField()
    unrealised = MicrosField()


class LedgerSerializer(serializers.Serializer[Any]):
    account = serializers.CharField(allow_null=True)
    cash = MicrosField()
    inventory_cost = MicrosField()
    inventory_value = MicrosField(allow_null=True, help_text="at the best bids; null while one is unknown")
    receivable = MicrosField(help_text="payouts of resolved markets that are not in the wallet yet")
    deposits = MicrosField()
    realised = MicrosField(help_text="before fees")
    fees = MicrosField()
    rewards = MicrosField(help_text="what the venue paid for liquidity, and rebates of fees")
    rounding = MicrosField(
        help_text="differences to the venue's books that were taken over; negative: money was missing"
    )
    profit = MicrosField(help_text="realised − fees + rewards + rounding")
    unrealised = MicrosField(allow_null=True)
    balanced = serializers.BooleanField()
    curve = CurvePointSerializer(many=True)


class TraderStatusSerializer(serializers.Serializer[Any]):
    online = serializers.BooleanField(help_text="a trader has reported within the last ten seconds")
    age_seconds = serializers.FloatField(allow_null=True)
    account = serializers.CharField(allow_null=True)
    mode = serializers.CharField()
    venue = serializers.CharField()
    ready = serializers.BooleanField()
    ws_connected = serializers.BooleanField()
    user_ws_connected = serializers.BooleanField()
    last_message_at = serializers.DateTimeField(allow_null=True)
    uptime_seconds = serializers.IntegerField()
    epoch = serializers.IntegerField()
    open_orders = serializers.IntegerField()
    unknown_orders = serializers.IntegerField()
    open_positions = serializers.IntegerField()
    watched_markets = serializers.IntegerField()
    venue_mode = serializers.CharField(help_text='what the venue takes now: "normal", or why new risk waits')
    counters = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="what became of intents and leg groups since start, trades in quarantine",
    )
    leg_groups = serializers.IntegerField(help_text="leg groups that are not over")
    session_started_at = serializers.DateTimeField(
        allow_null=True, help_text="when the session began, which restarts do not end"
    )
    refused_frames = serializers.IntegerField(help_text="frames of the venue that could not be believed, since start")
    strategies = serializers.ListField(child=serializers.CharField())
    halts = HaltSerializer(many=True)


def _text(micros: int | None) -> str | None:
    return None if micros is None else format_micros(micros)
