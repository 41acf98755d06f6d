import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from . import order_pb2 as _order_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ArbType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARB_TYPE_UNSPECIFIED: _ClassVar[ArbType]
    ARB_TYPE_REBALANCING: _ClassVar[ArbType]
    ARB_TYPE_COMBINATORIAL: _ClassVar[ArbType]
    ARB_TYPE_CROSS_PLATFORM: _ClassVar[ArbType]

class ArbStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARB_STATUS_UNSPECIFIED: _ClassVar[ArbStatus]
    ARB_STATUS_PENDING: _ClassVar[ArbStatus]
    ARB_STATUS_PARTIAL: _ClassVar[ArbStatus]
    ARB_STATUS_FILLED: _ClassVar[ArbStatus]
    ARB_STATUS_CANCELLED: _ClassVar[ArbStatus]
    ARB_STATUS_FAILED: _ClassVar[ArbStatus]
ARB_TYPE_UNSPECIFIED: ArbType
ARB_TYPE_REBALANCING: ArbType
ARB_TYPE_COMBINATORIAL: ArbType
ARB_TYPE_CROSS_PLATFORM: ArbType
ARB_STATUS_UNSPECIFIED: ArbStatus
ARB_STATUS_PENDING: ArbStatus
ARB_STATUS_PARTIAL: ArbStatus
ARB_STATUS_FILLED: ArbStatus
ARB_STATUS_CANCELLED: ArbStatus
ARB_STATUS_FAILED: ArbStatus

class ArbLeg(_message.Message):
    __slots__ = ("number", "order_id", "market_id", "token_id", "side", "expected_price_micros", "filled_price_micros", "size_micros", "filled_micros", "unwound_micros", "residual_micros", "fee_micros", "slippage_bps", "status")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    MARKET_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_PRICE_MICROS_FIELD_NUMBER: _ClassVar[int]
    FILLED_PRICE_MICROS_FIELD_NUMBER: _ClassVar[int]
    SIZE_MICROS_FIELD_NUMBER: _ClassVar[int]
    FILLED_MICROS_FIELD_NUMBER: _ClassVar[int]
    UNWOUND_MICROS_FIELD_NUMBER: _ClassVar[int]
    RESIDUAL_MICROS_FIELD_NUMBER: _ClassVar[int]
    FEE_MICROS_FIELD_NUMBER: _ClassVar[int]
    SLIPPAGE_BPS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    number: int
    order_id: str
    market_id: str
    token_id: str
    side: _order_pb2.OrderSide
    expected_price_micros: int
    filled_price_micros: int
    size_micros: int
    filled_micros: int
    unwound_micros: int
    residual_micros: int
    fee_micros: int
    slippage_bps: int
    status: str
    def __init__(self, number: _Optional[int] = ..., order_id: _Optional[str] = ..., market_id: _Optional[str] = ..., token_id: _Optional[str] = ..., side: _Optional[_Union[_order_pb2.OrderSide, str]] = ..., expected_price_micros: _Optional[int] = ..., filled_price_micros: _Optional[int] = ..., size_micros: _Optional[int] = ..., filled_micros: _Optional[int] = ..., unwound_micros: _Optional[int] = ..., residual_micros: _Optional[int] = ..., fee_micros: _Optional[int] = ..., slippage_bps: _Optional[int] = ..., status: _Optional[str] = ...) -> None: ...

class ArbExecution(_message.Message):
    __slots__ = ("id", "account", "opportunity_id", "arb_type", "leg_group_id", "strategy_name", "gross_edge_bps", "expected_micros", "fees_micros", "slippage_micros", "net_pnl_micros", "residual_micros", "residual_cost_micros", "status", "started_at", "completed_at", "legs")
    ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    OPPORTUNITY_ID_FIELD_NUMBER: _ClassVar[int]
    ARB_TYPE_FIELD_NUMBER: _ClassVar[int]
    LEG_GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_NAME_FIELD_NUMBER: _ClassVar[int]
    GROSS_EDGE_BPS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_MICROS_FIELD_NUMBER: _ClassVar[int]
    FEES_MICROS_FIELD_NUMBER: _ClassVar[int]
    SLIPPAGE_MICROS_FIELD_NUMBER: _ClassVar[int]
    NET_PNL_MICROS_FIELD_NUMBER: _ClassVar[int]
    RESIDUAL_MICROS_FIELD_NUMBER: _ClassVar[int]
    RESIDUAL_COST_MICROS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_AT_FIELD_NUMBER: _ClassVar[int]
    LEGS_FIELD_NUMBER: _ClassVar[int]
    id: str
    account: str
    opportunity_id: str
    arb_type: ArbType
    leg_group_id: str
    strategy_name: str
    gross_edge_bps: int
    expected_micros: int
    fees_micros: int
    slippage_micros: int
    net_pnl_micros: int
    residual_micros: int
    residual_cost_micros: int
    status: ArbStatus
    started_at: _timestamp_pb2.Timestamp
    completed_at: _timestamp_pb2.Timestamp
    legs: _containers.RepeatedCompositeFieldContainer[ArbLeg]
    def __init__(self, id: _Optional[str] = ..., account: _Optional[str] = ..., opportunity_id: _Optional[str] = ..., arb_type: _Optional[_Union[ArbType, str]] = ..., leg_group_id: _Optional[str] = ..., strategy_name: _Optional[str] = ..., gross_edge_bps: _Optional[int] = ..., expected_micros: _Optional[int] = ..., fees_micros: _Optional[int] = ..., slippage_micros: _Optional[int] = ..., net_pnl_micros: _Optional[int] = ..., residual_micros: _Optional[int] = ..., residual_cost_micros: _Optional[int] = ..., status: _Optional[_Union[ArbStatus, str]] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., completed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., legs: _Optional[_Iterable[_Union[ArbLeg, _Mapping]]] = ...) -> None: ...
