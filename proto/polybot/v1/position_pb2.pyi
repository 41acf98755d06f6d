import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PositionStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POSITION_STATUS_UNSPECIFIED: _ClassVar[PositionStatus]
    POSITION_STATUS_OPEN: _ClassVar[PositionStatus]
    POSITION_STATUS_CLOSED: _ClassVar[PositionStatus]
POSITION_STATUS_UNSPECIFIED: PositionStatus
POSITION_STATUS_OPEN: PositionStatus
POSITION_STATUS_CLOSED: PositionStatus

class Position(_message.Message):
    __slots__ = ("id", "account", "market_id", "token_id", "strategy_name", "settled_micros", "unsettled_micros", "cost_micros", "realized_micros", "fees_micros", "take_profit_micros", "stop_loss_micros", "opened_at", "closed_at", "exit_price_micros", "status", "side", "payout_micros")
    ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    MARKET_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_NAME_FIELD_NUMBER: _ClassVar[int]
    SETTLED_MICROS_FIELD_NUMBER: _ClassVar[int]
    UNSETTLED_MICROS_FIELD_NUMBER: _ClassVar[int]
    COST_MICROS_FIELD_NUMBER: _ClassVar[int]
    REALIZED_MICROS_FIELD_NUMBER: _ClassVar[int]
    FEES_MICROS_FIELD_NUMBER: _ClassVar[int]
    TAKE_PROFIT_MICROS_FIELD_NUMBER: _ClassVar[int]
    STOP_LOSS_MICROS_FIELD_NUMBER: _ClassVar[int]
    OPENED_AT_FIELD_NUMBER: _ClassVar[int]
    CLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    EXIT_PRICE_MICROS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    PAYOUT_MICROS_FIELD_NUMBER: _ClassVar[int]
    id: str
    account: str
    market_id: str
    token_id: str
    strategy_name: str
    settled_micros: int
    unsettled_micros: int
    cost_micros: int
    realized_micros: int
    fees_micros: int
    take_profit_micros: int
    stop_loss_micros: int
    opened_at: _timestamp_pb2.Timestamp
    closed_at: _timestamp_pb2.Timestamp
    exit_price_micros: int
    status: PositionStatus
    side: str
    payout_micros: int
    def __init__(self, id: _Optional[str] = ..., account: _Optional[str] = ..., market_id: _Optional[str] = ..., token_id: _Optional[str] = ..., strategy_name: _Optional[str] = ..., settled_micros: _Optional[int] = ..., unsettled_micros: _Optional[int] = ..., cost_micros: _Optional[int] = ..., realized_micros: _Optional[int] = ..., fees_micros: _Optional[int] = ..., take_profit_micros: _Optional[int] = ..., stop_loss_micros: _Optional[int] = ..., opened_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., closed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., exit_price_micros: _Optional[int] = ..., status: _Optional[_Union[PositionStatus, str]] = ..., side: _Optional[str] = ..., payout_micros: _Optional[int] = ...) -> None: ...

class PositionUpdate(_message.Message):
    __slots__ = ("position",)
    POSITION_FIELD_NUMBER: _ClassVar[int]
    position: Position
    def __init__(self, position: _Optional[_Union[Position, _Mapping]] = ...) -> None: ...
