import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from . import order_pb2 as _order_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SignalUrgency(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SIGNAL_URGENCY_UNSPECIFIED: _ClassVar[SignalUrgency]
    SIGNAL_URGENCY_LOW: _ClassVar[SignalUrgency]
    SIGNAL_URGENCY_MEDIUM: _ClassVar[SignalUrgency]
    SIGNAL_URGENCY_HIGH: _ClassVar[SignalUrgency]
    SIGNAL_URGENCY_IMMEDIATE: _ClassVar[SignalUrgency]
SIGNAL_URGENCY_UNSPECIFIED: SignalUrgency
SIGNAL_URGENCY_LOW: SignalUrgency
SIGNAL_URGENCY_MEDIUM: SignalUrgency
SIGNAL_URGENCY_HIGH: SignalUrgency
SIGNAL_URGENCY_IMMEDIATE: SignalUrgency

class TradeSignal(_message.Message):
    __slots__ = ("id", "source", "market_id", "token_id", "side", "price", "size", "urgency", "reason", "metadata", "created_at", "expires_at", "price_micros", "size_micros", "order_type", "effect", "post_only", "take_profit_micros", "stop_loss_micros", "decision", "account")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    MARKET_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    URGENCY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    PRICE_MICROS_FIELD_NUMBER: _ClassVar[int]
    SIZE_MICROS_FIELD_NUMBER: _ClassVar[int]
    ORDER_TYPE_FIELD_NUMBER: _ClassVar[int]
    EFFECT_FIELD_NUMBER: _ClassVar[int]
    POST_ONLY_FIELD_NUMBER: _ClassVar[int]
    TAKE_PROFIT_MICROS_FIELD_NUMBER: _ClassVar[int]
    STOP_LOSS_MICROS_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    id: str
    source: str
    market_id: str
    token_id: str
    side: _order_pb2.OrderSide
    price: float
    size: float
    urgency: SignalUrgency
    reason: str
    metadata: _containers.ScalarMap[str, str]
    created_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    price_micros: int
    size_micros: int
    order_type: _order_pb2.OrderType
    effect: _order_pb2.Effect
    post_only: bool
    take_profit_micros: int
    stop_loss_micros: int
    decision: str
    account: str
    def __init__(self, id: _Optional[str] = ..., source: _Optional[str] = ..., market_id: _Optional[str] = ..., token_id: _Optional[str] = ..., side: _Optional[_Union[_order_pb2.OrderSide, str]] = ..., price: _Optional[float] = ..., size: _Optional[float] = ..., urgency: _Optional[_Union[SignalUrgency, str]] = ..., reason: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., price_micros: _Optional[int] = ..., size_micros: _Optional[int] = ..., order_type: _Optional[_Union[_order_pb2.OrderType, str]] = ..., effect: _Optional[_Union[_order_pb2.Effect, str]] = ..., post_only: _Optional[bool] = ..., take_profit_micros: _Optional[int] = ..., stop_loss_micros: _Optional[int] = ..., decision: _Optional[str] = ..., account: _Optional[str] = ...) -> None: ...
