import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MarketStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MARKET_STATUS_UNSPECIFIED: _ClassVar[MarketStatus]
    MARKET_STATUS_ACTIVE: _ClassVar[MarketStatus]
    MARKET_STATUS_CLOSED: _ClassVar[MarketStatus]
    MARKET_STATUS_SETTLED: _ClassVar[MarketStatus]
MARKET_STATUS_UNSPECIFIED: MarketStatus
MARKET_STATUS_ACTIVE: MarketStatus
MARKET_STATUS_CLOSED: MarketStatus
MARKET_STATUS_SETTLED: MarketStatus

class TokenPair(_message.Message):
    __slots__ = ("token_id", "outcome")
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    token_id: str
    outcome: str
    def __init__(self, token_id: _Optional[str] = ..., outcome: _Optional[str] = ...) -> None: ...

class FeeSchedule(_message.Message):
    __slots__ = ("rate_micros", "exponent", "taker_only", "rebate_micros")
    RATE_MICROS_FIELD_NUMBER: _ClassVar[int]
    EXPONENT_FIELD_NUMBER: _ClassVar[int]
    TAKER_ONLY_FIELD_NUMBER: _ClassVar[int]
    REBATE_MICROS_FIELD_NUMBER: _ClassVar[int]
    rate_micros: int
    exponent: int
    taker_only: bool
    rebate_micros: int
    def __init__(self, rate_micros: _Optional[int] = ..., exponent: _Optional[int] = ..., taker_only: _Optional[bool] = ..., rebate_micros: _Optional[int] = ...) -> None: ...

class Market(_message.Message):
    __slots__ = ("id", "venue", "question", "slug", "condition_id", "tokens", "tick_micros", "min_size_micros", "neg_risk", "status", "accepting_orders", "fees", "category", "group_id", "volume_micros", "volume_24h_micros", "taker_delay_ms", "rules_hash", "end_at", "created_at", "closed_at", "winner")
    ID_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    SLUG_FIELD_NUMBER: _ClassVar[int]
    CONDITION_ID_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    TICK_MICROS_FIELD_NUMBER: _ClassVar[int]
    MIN_SIZE_MICROS_FIELD_NUMBER: _ClassVar[int]
    NEG_RISK_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTING_ORDERS_FIELD_NUMBER: _ClassVar[int]
    FEES_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    VOLUME_MICROS_FIELD_NUMBER: _ClassVar[int]
    VOLUME_24H_MICROS_FIELD_NUMBER: _ClassVar[int]
    TAKER_DELAY_MS_FIELD_NUMBER: _ClassVar[int]
    RULES_HASH_FIELD_NUMBER: _ClassVar[int]
    END_AT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    WINNER_FIELD_NUMBER: _ClassVar[int]
    id: str
    venue: str
    question: str
    slug: str
    condition_id: str
    tokens: _containers.RepeatedCompositeFieldContainer[TokenPair]
    tick_micros: int
    min_size_micros: int
    neg_risk: bool
    status: MarketStatus
    accepting_orders: bool
    fees: FeeSchedule
    category: str
    group_id: str
    volume_micros: int
    volume_24h_micros: int
    taker_delay_ms: int
    rules_hash: str
    end_at: _timestamp_pb2.Timestamp
    created_at: _timestamp_pb2.Timestamp
    closed_at: _timestamp_pb2.Timestamp
    winner: int
    def __init__(self, id: _Optional[str] = ..., venue: _Optional[str] = ..., question: _Optional[str] = ..., slug: _Optional[str] = ..., condition_id: _Optional[str] = ..., tokens: _Optional[_Iterable[_Union[TokenPair, _Mapping]]] = ..., tick_micros: _Optional[int] = ..., min_size_micros: _Optional[int] = ..., neg_risk: _Optional[bool] = ..., status: _Optional[_Union[MarketStatus, str]] = ..., accepting_orders: _Optional[bool] = ..., fees: _Optional[_Union[FeeSchedule, _Mapping]] = ..., category: _Optional[str] = ..., group_id: _Optional[str] = ..., volume_micros: _Optional[int] = ..., volume_24h_micros: _Optional[int] = ..., taker_delay_ms: _Optional[int] = ..., rules_hash: _Optional[str] = ..., end_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., winner: _Optional[int] = ...) -> None: ...

class ConditionGroup(_message.Message):
    __slots__ = ("id", "title", "market_ids", "status", "exclusive", "augmented", "category")
    ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    MARKET_IDS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    AUGMENTED_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    id: str
    title: str
    market_ids: _containers.RepeatedScalarFieldContainer[str]
    status: MarketStatus
    exclusive: bool
    augmented: bool
    category: str
    def __init__(self, id: _Optional[str] = ..., title: _Optional[str] = ..., market_ids: _Optional[_Iterable[str]] = ..., status: _Optional[_Union[MarketStatus, str]] = ..., exclusive: _Optional[bool] = ..., augmented: _Optional[bool] = ..., category: _Optional[str] = ...) -> None: ...
