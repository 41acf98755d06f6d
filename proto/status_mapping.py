"""Domain ↔ protobuf for what a trader and its strategies say of themselves, and the halts that stand. As exact, and as strict, as `proto.mapping`."""

from __future__ import annotations

import json

from domain.halt import Halt, HaltScope
from domain.status import StrategyInfo, StrategyState, TraderStatus
from proto.polybot.v1 import events_pb2, strategy_pb2
from proto.values import EnumPair, nanoseconds, timestamp

STRATEGY_STATES = EnumPair(StrategyState, strategy_pb2.StrategyState, "STRATEGY_STATE")


def halt_to_proto(halt: Halt) -> events_pb2.Halt:
    return events_pb2.Halt(
        account=halt.account,
        scope=halt.scope.value,
        target=halt.target,
        reason=halt.reason,
        set_by=halt.set_by,
        set_at=timestamp(halt.set_ns),
    )


def halt_from_proto(message: events_pb2.Halt) -> Halt:
    return Halt(
        account=message.account,
        scope=HaltScope(message.scope),
        target=message.target,
        reason=message.reason,
        set_by=message.set_by,
        set_ns=nanoseconds(message, "set_at"),
    )


def status_to_proto(status: TraderStatus) -> events_pb2.BotStatus:
    return events_pb2.BotStatus(
        mode=status.mode,
        ws_connected=status.feed_connected,
        uptime_seconds=status.uptime_seconds,
        open_positions=status.open_positions,
        open_orders=status.open_orders,
        strategy_name=",".join(status.active_strategies),
        account=status.account,
        venue=status.venue,
        user_ws_connected=status.user_feed_connected,
        last_message_at=timestamp(status.last_message_ns or None),
        halts=[halt_to_proto(halt) for halt in status.halts],
        cash_micros=status.cash,
        realized_micros=status.realised,
        unrealized_micros=status.unrealised,
        fees_micros=status.fees,
        unknown_orders=status.unknown_orders,
        watched_markets=status.watched_markets,
        ready=status.ready,
        epoch=status.epoch,
        venue_mode=status.venue_mode,
        refused_frames=status.refused_frames,
        counters=dict(status.counters),
        leg_groups=status.leg_groups,
        session_started_at=timestamp(status.session_ns or None),
    )


def status_from_proto(message: events_pb2.BotStatus) -> TraderStatus:
    return TraderStatus(
        mode=message.mode,
        account=message.account,
        venue=message.venue,
        ready=message.ready,
        feed_connected=message.ws_connected,
        user_feed_connected=message.user_ws_connected,
        last_message_ns=nanoseconds(message, "last_message_at") if message.HasField("last_message_at") else 0,
        uptime_seconds=message.uptime_seconds,
        epoch=message.epoch,
        open_orders=message.open_orders,
        unknown_orders=message.unknown_orders,
        open_positions=message.open_positions,
        watched_markets=message.watched_markets,
        venue_mode=message.venue_mode,
        refused_frames=message.refused_frames,
        counters=dict(message.counters),
        leg_groups=message.leg_groups,
        session_ns=nanoseconds(message, "session_started_at") if message.HasField("session_started_at") else 0,
        active_strategies=tuple(filter(None, message.strategy_name.split(","))),
        halts=tuple(halt_from_proto(halt) for halt in message.halts),
        cash=message.cash_micros,
        realised=message.realized_micros,
        unrealised=message.unrealized_micros,
        fees=message.fees_micros,
    )


def strategy_to_proto(info: StrategyInfo, account: str) -> strategy_pb2.StrategyStatus:
    return strategy_pb2.StrategyStatus(
        name=info.name,
        state=STRATEGY_STATES.to_proto(info.state),
        enabled=info.enabled,
        signals_sent=info.signals_sent,
        last_signal_at=timestamp(info.last_signal_ns),
        error_count=info.error_count,
        last_error=info.last_error,
        budget_overruns=info.budget_overruns,
        parameters_json=json.dumps(dict(info.parameters)),
        refusals=info.refusals,
        account=account,
    )


def strategy_from_proto(message: strategy_pb2.StrategyStatus) -> StrategyInfo:
    return StrategyInfo(
        name=message.name,
        state=STRATEGY_STATES.from_proto(message.state),
        enabled=message.enabled,
        signals_sent=message.signals_sent,
        error_count=message.error_count,
        budget_overruns=message.budget_overruns,
        last_signal_ns=nanoseconds(message, "last_signal_at") if message.HasField("last_signal_at") else None,
        last_error=message.last_error,
        parameters=json.loads(message.parameters_json),
        refusals=dict(message.refusals),
    )
