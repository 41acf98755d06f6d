import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from . import order_pb2 as _order_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FillStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FILL_STATUS_UNSPECIFIED: _ClassVar[FillStatus]
    FILL_STATUS_MATCHED: _ClassVar[FillStatus]
    FILL_STATUS_MINED: _ClassVar[FillStatus]
    FILL_STATUS_CONFIRMED: _ClassVar[FillStatus]
    FILL_STATUS_RETRYING: _ClassVar[FillStatus]
    FILL_STATUS_FAILED: _ClassVar[FillStatus]

class Liquidity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIQUIDITY_UNSPECIFIED: _ClassVar[Liquidity]
    LIQUIDITY_MAKER: _ClassVar[Liquidity]
    LIQUIDITY_TAKER: _ClassVar[Liquidity]
    LIQUIDITY_TRANSFER: _ClassVar[Liquidity]
FILL_STATUS_UNSPECIFIED: FillStatus
FILL_STATUS_MATCHED: FillStatus
FILL_STATUS_MINED: FillStatus
FILL_STATUS_CONFIRMED: FillStatus
FILL_STATUS_RETRYING: FillStatus
FILL_STATUS_FAILED: FillStatus
LIQUIDITY_UNSPECIFIED: Liquidity
LIQUIDITY_MAKER: Liquidity
LIQUIDITY_TAKER: Liquidity
LIQUIDITY_TRANSFER: Liquidity

class Fill(_message.Message):
    __slots__ = ("trade_id", "order_id", "account", "market_id", "token_id", "side", "price_micros", "size_micros", "fee_micros", "fee_rate_micros", "liquidity", "status", "strategy_name", "matched_at", "transaction_hash", "position_id")
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    MARKET_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    PRICE_MICROS_FIELD_NUMBER: _ClassVar[int]
    SIZE_MICROS_FIELD_NUMBER: _ClassVar[int]
    FEE_MICROS_FIELD_NUMBER: _ClassVar[int]
    FEE_RATE_MICROS_FIELD_NUMBER: _ClassVar[int]
    LIQUIDITY_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_NAME_FIELD_NUMBER: _ClassVar[int]
    MATCHED_AT_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_HASH_FIELD_NUMBER: _ClassVar[int]
    POSITION_ID_FIELD_NUMBER: _ClassVar[int]
    trade_id: str
    order_id: str
    account: str
    market_id: str
    token_id: str
    side: _order_pb2.OrderSide
    price_micros: int
    size_micros: int
    fee_micros: int
    fee_rate_micros: int
    liquidity: Liquidity
    status: FillStatus
    strategy_name: str
    matched_at: _timestamp_pb2.Timestamp
    transaction_hash: str
    position_id: str
    def __init__(self, trade_id: _Optional[str] = ..., order_id: _Optional[str] = ..., account: _Optional[str] = ..., market_id: _Optional[str] = ..., token_id: _Optional[str] = ..., side: _Optional[_Union[_order_pb2.OrderSide, str]] = ..., price_micros: _Optional[int] = ..., size_micros: _Optional[int] = ..., fee_micros: _Optional[int] = ..., fee_rate_micros: _Optional[int] = ..., liquidity: _Optional[_Union[Liquidity, str]] = ..., status: _Optional[_Union[FillStatus, str]] = ..., strategy_name: _Optional[str] = ..., matched_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., transaction_hash: _Optional[str] = ..., position_id: _Optional[str] = ...) -> None: ...
