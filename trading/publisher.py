"""The trader's news to Redis: orders, fills, positions, signals, arbitrage executions, strategies, status and health, each as one protobuf `Event`.

All but the last three go to streams (about `STREAM_LENGTH` entries are kept) and, with their stream ids, to channels. Open positions lie under
`pos:{account}:{id}`. Status, health and strategies are the latest word only: a channel, and a key of the account that expires when the trader falls
silent. Traders of several accounts may share a Redis: every event and key names its account, but for the arbitrage figures under the specification's
names, which are those of `arb:session:account`, real money first. Calls are synchronous and hand over to the pipe; without Redis nothing stops, and
the pipe's own probe tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from google.protobuf.message import Message

from domain.arbitrage import ArbExecution, ArbLeg
from domain.fill import Fill
from domain.money import format_micros
from domain.order import Order
from domain.ports import OrderState
from domain.position import Position, PositionStatus
from domain.signal import TradeSignal
from domain.status import BudgetFigure, StrategyInfo, TraderStatus
from infra.health import CheckStatus
from infra.redis_pipe import RedisPipe, Script
from proto.arbitrage_mapping import execution_to_proto
from proto.envelope import STREAM_ID_TAG, EventEncoder
from proto.mapping import (
    fill_to_proto,
    order_result_to_proto,
    position_to_proto,
    signal_to_proto,
)
from proto.polybot.v1 import events_pb2, position_pb2
from proto.status_mapping import status_to_proto, strategy_to_proto

STREAM_LENGTH = 10_000
_ARB_KEYS = {"rebalancing": "rebal", "combinatorial": "combo", "cross_platform": "xplat"}
STATUS_SECONDS = 10
HEALTH_SECONDS = 60
STRATEGY_SECONDS = 30

_SCRIPTS = Path(__file__).parent / "scripts"
PUBLISH_EVENT = Script((_SCRIPTS / "publish_event.lua").read_text(encoding="utf-8"))
PUBLISH_SESSION = Script((_SCRIPTS / "publish_session.lua").read_text(encoding="utf-8"))
SCRIPTS = (PUBLISH_EVENT, PUBLISH_SESSION)
"""What the pipe must load."""


def status_key(account: str, strategy: str) -> str:
    """Return where the status of a strategy of an account lies."""
    return f"strategy:status:{account}:{strategy}"


class EventPublisher:
    """Implements the kernel's event sink of one account, over a `RedisPipe` that was made with `SCRIPTS`."""

    def __init__(self, pipe: RedisPipe, encoder: EventEncoder, account: str) -> None:
        self._pipe = pipe
        self._encoder = encoder
        self._account = account

    def order(self, order: Order, state: OrderState) -> None:
        self._stream("orders", "order", order_result_to_proto(order, state))

    def fill(self, fill: Fill) -> None:
        event = self._encoder.encode(fill_to_proto(fill))
        self._pipe.append("XADD", "stream:fills", "MAXLEN", "~", STREAM_LENGTH, "*", "event", event)

    def position(self, position: Position) -> None:
        message = position_to_proto(position)
        key = f"pos:{position.account}:{position.id}"
        if position.status is PositionStatus.OPEN:
            self._pipe.latest(key, "SET", key, message.SerializeToString())
        else:
            self._pipe.latest(key, "DEL", key)
        self._stream("positions", "position", position_pb2.PositionUpdate(position=message))

    def signal(self, signal: TradeSignal, decision: str) -> None:
        """Publish a signal; `decision` is "accepted" or why it was not."""
        self._stream("signals", "signal", signal_to_proto(signal, decision, self._account))

    def strategy(self, info: StrategyInfo) -> None:
        message = strategy_to_proto(info, self._account)
        key = status_key(self._account, info.name)
        self._pipe.latest(key, "SET", key, message.SerializeToString(), "EX", STRATEGY_SECONDS)
        self._broadcast(f"ch:strategy:{info.name}", key, self._encoder.encode(message))

    def status(self, status: TraderStatus) -> None:
        """Publish the trader's status, and in its counters how the events themselves fare."""
        counters = {"events_dropped": self._pipe.dropped, "events_waiting": self._pipe.waiting}
        event = self._encoder.encode(status_to_proto(replace(status, counters={**status.counters, **counters})))
        key = f"status:{status.account}"
        self._pipe.latest(key, "SET", key, event, "EX", STATUS_SECONDS)
        self._broadcast("ch:status", key, event)

    def arb_execution(self, execution: ArbExecution, legs: Sequence[ArbLeg]) -> None:
        self._stream("arb:exec", "arb:profit", execution_to_proto(execution, legs))

    def arb_session(self, pnl: int, by_type: dict[str, int], count: int, wins: int, losses: int) -> None:
        """Publish the session's arbitrage figures; profits are dollars with six decimals."""
        figures = {
            "pnl": format_micros(pnl),
            **{f"pnl:{_ARB_KEYS[name]}": format_micros(amount) for name, amount in by_type.items()},
            "count": str(count),
            "count:win": str(wins),
            "count:loss": str(losses),
        }
        written = [part for name, value in figures.items() for part in (f"arb:session:{name}", value)]
        owner = "arb:session:account"
        self._pipe.latest(owner, "EVALSHA", PUBLISH_SESSION.sha, 1, owner, self._account, *written)

    def health(self, checks: Sequence[CheckStatus], budgets: Sequence[BudgetFigure] = ()) -> None:
        """Publish what the trader's own checks say of its account's venue, and how its rate limits stand."""
        lines = [
            events_pb2.HealthCheck(
                name=check.name,
                ok=check.ok,
                age_seconds=check.age,
                interval_seconds=check.interval,
                last_error=check.last_error,
            )
            for check in checks
        ]
        figures = [
            events_pb2.RateBudget(
                name=each.name,
                left=each.left,
                limit=each.limit,
                requests=each.requests,
                waits=each.waits,
                refusals=each.refusals,
                too_many=each.too_many,
            )
            for each in budgets
        ]
        ok = all(check.ok for check in checks)
        event = self._encoder.encode(
            events_pb2.HealthStatus(ok=ok, checks=lines, budgets=figures, account=self._account)
        )
        key = f"health:{self._account}"
        self._pipe.latest(key, "SET", key, event, "EX", HEALTH_SECONDS)
        self._broadcast("ch:status", key, event)

    def _stream(self, stream: str, channel: str, payload: Message) -> None:
        self._pipe.append(
            "EVALSHA",
            PUBLISH_EVENT.sha,
            1,
            f"stream:{stream}",
            f"ch:{channel}",
            STREAM_LENGTH,
            self._encoder.encode(payload),
            STREAM_ID_TAG,
        )

    def _broadcast(self, channel: str, about: str, event: bytes) -> None:
        self._pipe.latest(f"{channel} {about}", "PUBLISH", channel, event)
