import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from . import order_pb2 as _order_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PriceLevel(_message.Message):
    __slots__ = ("price", "size")
    PRICE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    price: float
    size: float
    def __init__(self, price: _Optional[float] = ..., size: _Optional[float] = ...) -> None: ...

class OrderbookSnapshot(_message.Message):
    __slots__ = ("asset_id", "bids", "asks", "best_bid", "best_ask", "mid_price", "timestamp", "bid_prices", "bid_sizes", "ask_prices", "ask_sizes", "version", "market_id", "tick_size")
    ASSET_ID_FIELD_NUMBER: _ClassVar[int]
    BIDS_FIELD_NUMBER: _ClassVar[int]
    ASKS_FIELD_NUMBER: _ClassVar[int]
    BEST_BID_FIELD_NUMBER: _ClassVar[int]
    BEST_ASK_FIELD_NUMBER: _ClassVar[int]
    MID_PRICE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    BID_PRICES_FIELD_NUMBER: _ClassVar[int]
    BID_SIZES_FIELD_NUMBER: _ClassVar[int]
    ASK_PRICES_FIELD_NUMBER: _ClassVar[int]
    ASK_SIZES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MARKET_ID_FIELD_NUMBER: _ClassVar[int]
    TICK_SIZE_FIELD_NUMBER: _ClassVar[int]
    asset_id: str
    bids: _containers.RepeatedCompositeFieldContainer[PriceLevel]
    asks: _containers.RepeatedCompositeFieldContainer[PriceLevel]
    best_bid: float
    best_ask: float
    mid_price: float
    timestamp: _timestamp_pb2.Timestamp
    bid_prices: _containers.RepeatedScalarFieldContainer[float]
    bid_sizes: _containers.RepeatedScalarFieldContainer[float]
    ask_prices: _containers.RepeatedScalarFieldContainer[float]
    ask_sizes: _containers.RepeatedScalarFieldContainer[float]
    version: int
    market_id: str
    tick_size: float
    def __init__(self, asset_id: _Optional[str] = ..., bids: _Optional[_Iterable[_Union[PriceLevel, _Mapping]]] = ..., asks: _Optional[_Iterable[_Union[PriceLevel, _Mapping]]] = ..., best_bid: _Optional[float] = ..., best_ask: _Optional[float] = ..., mid_price: _Optional[float] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., bid_prices: _Optional[_Iterable[float]] = ..., bid_sizes: _Optional[_Iterable[float]] = ..., ask_prices: _Optional[_Iterable[float]] = ..., ask_sizes: _Optional[_Iterable[float]] = ..., version: _Optional[int] = ..., market_id: _Optional[str] = ..., tick_size: _Optional[float] = ...) -> None: ...

class PriceChange(_message.Message):
    __slots__ = ("asset_id", "side", "price", "size", "timestamp", "bid_prices", "bid_sizes", "ask_prices", "ask_sizes", "version")
    ASSET_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    BID_PRICES_FIELD_NUMBER: _ClassVar[int]
    BID_SIZES_FIELD_NUMBER: _ClassVar[int]
    ASK_PRICES_FIELD_NUMBER: _ClassVar[int]
    ASK_SIZES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    asset_id: str
    side: str
    price: float
    size: float
    timestamp: _timestamp_pb2.Timestamp
    bid_prices: _containers.RepeatedScalarFieldContainer[float]
    bid_sizes: _containers.RepeatedScalarFieldContainer[float]
    ask_prices: _containers.RepeatedScalarFieldContainer[float]
    ask_sizes: _containers.RepeatedScalarFieldContainer[float]
    version: int
    def __init__(self, asset_id: _Optional[str] = ..., side: _Optional[str] = ..., price: _Optional[float] = ..., size: _Optional[float] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., bid_prices: _Optional[_Iterable[float]] = ..., bid_sizes: _Optional[_Iterable[float]] = ..., ask_prices: _Optional[_Iterable[float]] = ..., ask_sizes: _Optional[_Iterable[float]] = ..., version: _Optional[int] = ...) -> None: ...

class LastTradePrice(_message.Message):
    __slots__ = ("asset_id", "price", "size", "timestamp", "side")
    ASSET_ID_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    asset_id: str
    price: float
    size: float
    timestamp: _timestamp_pb2.Timestamp
    side: _order_pb2.OrderSide
    def __init__(self, asset_id: _Optional[str] = ..., price: _Optional[float] = ..., size: _Optional[float] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., side: _Optional[_Union[_order_pb2.OrderSide, str]] = ...) -> None: ...

class BBO(_message.Message):
    __slots__ = ("asset_id", "best_bid", "bid_size", "best_ask", "ask_size", "mid_price", "timestamp")
    ASSET_ID_FIELD_NUMBER: _ClassVar[int]
    BEST_BID_FIELD_NUMBER: _ClassVar[int]
    BID_SIZE_FIELD_NUMBER: _ClassVar[int]
    BEST_ASK_FIELD_NUMBER: _ClassVar[int]
    ASK_SIZE_FIELD_NUMBER: _ClassVar[int]
    MID_PRICE_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    asset_id: str
    best_bid: float
    bid_size: float
    best_ask: float
    ask_size: float
    mid_price: float
    timestamp: _timestamp_pb2.Timestamp
    def __init__(self, asset_id: _Optional[str] = ..., best_bid: _Optional[float] = ..., bid_size: _Optional[float] = ..., best_ask: _Optional[float] = ..., ask_size: _Optional[float] = ..., mid_price: _Optional[float] = ..., timestamp: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
