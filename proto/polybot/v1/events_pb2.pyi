import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from . import arbitrage_pb2 as _arbitrage_pb2
from . import order_pb2 as _order_pb2
from . import orderbook_pb2 as _orderbook_pb2
from . import position_pb2 as _position_pb2
from . import signal_pb2 as _signal_pb2
from . import strategy_pb2 as _strategy_pb2
from . import trade_pb2 as _trade_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Event(_message.Message):
    __slots__ = ("event_id", "type", "timestamp", "sequence", "stream_id", "orderbook_snapshot", "price_change", "last_trade_price", "trade_signal", "order_result", "position_update", "bot_status", "fill", "arb_execution", "strategy_status", "health_status", "bbo", "strategy_config")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    ORDERBOOK_SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    PRICE_CHANGE_FIELD_NUMBER: _ClassVar[int]
    LAST_TRADE_PRICE_FIELD_NUMBER: _ClassVar[int]
    TRADE_SIGNAL_FIELD_NUMBER: _ClassVar[int]
    ORDER_RESULT_FIELD_NUMBER: _ClassVar[int]
    POSITION_UPDATE_FIELD_NUMBER: _ClassVar[int]
    BOT_STATUS_FIELD_NUMBER: _ClassVar[int]
    FILL_FIELD_NUMBER: _ClassVar[int]
    ARB_EXECUTION_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_STATUS_FIELD_NUMBER: _ClassVar[int]
    HEALTH_STATUS_FIELD_NUMBER: _ClassVar[int]
    BBO_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_CONFIG_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    type: str
    timestamp: _timestamp_pb2.Timestamp
    sequence: int
    stream_id: str
    orderbook_snapshot: _orderbook_pb2.OrderbookSnapshot
    price_change: _orderbook_pb2.PriceChange
    last_trade_price: _orderbook_pb2.LastTradePrice
    trade_signal: _signal_pb2.TradeSignal
    order_result: _order_pb2.OrderResult
    position_update: _position_pb2.PositionUpdate
    bot_status: BotStatus
    fill: _trade_pb2.Fill
    arb_execution: _arbitrage_pb2.ArbExecution
    strategy_status: _strategy_pb2.StrategyStatus
    health_status: HealthStatus
    bbo: _orderbook_pb2.BBO
    strategy_config: _strategy_pb2.StrategyConfig
    def __init__(self, event_id: _Optional[str] = ..., type: _Optional[str] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sequence: _Optional[int] = ..., stream_id: _Optional[str] = ..., orderbook_snapshot: _Optional[_Union[_orderbook_pb2.OrderbookSnapshot, _Mapping]] = ..., price_change: _Optional[_Union[_orderbook_pb2.PriceChange, _Mapping]] = ..., last_trade_price: _Optional[_Union[_orderbook_pb2.LastTradePrice, _Mapping]] = ..., trade_signal: _Optional[_Union[_signal_pb2.TradeSignal, _Mapping]] = ..., order_result: _Optional[_Union[_order_pb2.OrderResult, _Mapping]] = ..., position_update: _Optional[_Union[_position_pb2.PositionUpdate, _Mapping]] = ..., bot_status: _Optional[_Union[BotStatus, _Mapping]] = ..., fill: _Optional[_Union[_trade_pb2.Fill, _Mapping]] = ..., arb_execution: _Optional[_Union[_arbitrage_pb2.ArbExecution, _Mapping]] = ..., strategy_status: _Optional[_Union[_strategy_pb2.StrategyStatus, _Mapping]] = ..., health_status: _Optional[_Union[HealthStatus, _Mapping]] = ..., bbo: _Optional[_Union[_orderbook_pb2.BBO, _Mapping]] = ..., strategy_config: _Optional[_Union[_strategy_pb2.StrategyConfig, _Mapping]] = ...) -> None: ...

class Halt(_message.Message):
    __slots__ = ("account", "scope", "target", "reason", "set_by", "set_at")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    SET_BY_FIELD_NUMBER: _ClassVar[int]
    SET_AT_FIELD_NUMBER: _ClassVar[int]
    account: str
    scope: str
    target: str
    reason: str
    set_by: str
    set_at: _timestamp_pb2.Timestamp
    def __init__(self, account: _Optional[str] = ..., scope: _Optional[str] = ..., target: _Optional[str] = ..., reason: _Optional[str] = ..., set_by: _Optional[str] = ..., set_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class BotStatus(_message.Message):
    __slots__ = ("mode", "ws_connected", "uptime_seconds", "open_positions", "open_orders", "strategy_name", "account", "venue", "user_ws_connected", "last_message_at", "halts", "cash_micros", "realized_micros", "unrealized_micros", "fees_micros", "unknown_orders", "watched_markets", "ready", "epoch", "venue_mode", "refused_frames", "counters", "leg_groups", "session_started_at")
    class CountersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    MODE_FIELD_NUMBER: _ClassVar[int]
    WS_CONNECTED_FIELD_NUMBER: _ClassVar[int]
    UPTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    OPEN_POSITIONS_FIELD_NUMBER: _ClassVar[int]
    OPEN_ORDERS_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_NAME_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    USER_WS_CONNECTED_FIELD_NUMBER: _ClassVar[int]
    LAST_MESSAGE_AT_FIELD_NUMBER: _ClassVar[int]
    HALTS_FIELD_NUMBER: _ClassVar[int]
    CASH_MICROS_FIELD_NUMBER: _ClassVar[int]
    REALIZED_MICROS_FIELD_NUMBER: _ClassVar[int]
    UNREALIZED_MICROS_FIELD_NUMBER: _ClassVar[int]
    FEES_MICROS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_ORDERS_FIELD_NUMBER: _ClassVar[int]
    WATCHED_MARKETS_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    VENUE_MODE_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FRAMES_FIELD_NUMBER: _ClassVar[int]
    COUNTERS_FIELD_NUMBER: _ClassVar[int]
    LEG_GROUPS_FIELD_NUMBER: _ClassVar[int]
    SESSION_STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    mode: str
    ws_connected: bool
    uptime_seconds: int
    open_positions: int
    open_orders: int
    strategy_name: str
    account: str
    venue: str
    user_ws_connected: bool
    last_message_at: _timestamp_pb2.Timestamp
    halts: _containers.RepeatedCompositeFieldContainer[Halt]
    cash_micros: int
    realized_micros: int
    unrealized_micros: int
    fees_micros: int
    unknown_orders: int
    watched_markets: int
    ready: bool
    epoch: int
    venue_mode: str
    refused_frames: int
    counters: _containers.ScalarMap[str, int]
    leg_groups: int
    session_started_at: _timestamp_pb2.Timestamp
    def __init__(self, mode: _Optional[str] = ..., ws_connected: _Optional[bool] = ..., uptime_seconds: _Optional[int] = ..., open_positions: _Optional[int] = ..., open_orders: _Optional[int] = ..., strategy_name: _Optional[str] = ..., account: _Optional[str] = ..., venue: _Optional[str] = ..., user_ws_connected: _Optional[bool] = ..., last_message_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., halts: _Optional[_Iterable[_Union[Halt, _Mapping]]] = ..., cash_micros: _Optional[int] = ..., realized_micros: _Optional[int] = ..., unrealized_micros: _Optional[int] = ..., fees_micros: _Optional[int] = ..., unknown_orders: _Optional[int] = ..., watched_markets: _Optional[int] = ..., ready: _Optional[bool] = ..., epoch: _Optional[int] = ..., venue_mode: _Optional[str] = ..., refused_frames: _Optional[int] = ..., counters: _Optional[_Mapping[str, int]] = ..., leg_groups: _Optional[int] = ..., session_started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class HealthCheck(_message.Message):
    __slots__ = ("name", "ok", "age_seconds", "interval_seconds", "last_error")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OK_FIELD_NUMBER: _ClassVar[int]
    AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    name: str
    ok: bool
    age_seconds: float
    interval_seconds: float
    last_error: str
    def __init__(self, name: _Optional[str] = ..., ok: _Optional[bool] = ..., age_seconds: _Optional[float] = ..., interval_seconds: _Optional[float] = ..., last_error: _Optional[str] = ...) -> None: ...

class RateBudget(_message.Message):
    __slots__ = ("name", "left", "limit", "requests", "waits", "refusals", "too_many")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    WAITS_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    TOO_MANY_FIELD_NUMBER: _ClassVar[int]
    name: str
    left: int
    limit: int
    requests: int
    waits: int
    refusals: int
    too_many: int
    def __init__(self, name: _Optional[str] = ..., left: _Optional[int] = ..., limit: _Optional[int] = ..., requests: _Optional[int] = ..., waits: _Optional[int] = ..., refusals: _Optional[int] = ..., too_many: _Optional[int] = ...) -> None: ...

class HealthStatus(_message.Message):
    __slots__ = ("ok", "checks", "budgets", "account")
    OK_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    BUDGETS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ok: bool
    checks: _containers.RepeatedCompositeFieldContainer[HealthCheck]
    budgets: _containers.RepeatedCompositeFieldContainer[RateBudget]
    account: str
    def __init__(self, ok: _Optional[bool] = ..., checks: _Optional[_Iterable[_Union[HealthCheck, _Mapping]]] = ..., budgets: _Optional[_Iterable[_Union[RateBudget, _Mapping]]] = ..., account: _Optional[str] = ...) -> None: ...
