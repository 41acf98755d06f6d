import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StrategyState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STRATEGY_STATE_UNSPECIFIED: _ClassVar[StrategyState]
    STRATEGY_STATE_PENDING: _ClassVar[StrategyState]
    STRATEGY_STATE_INITIALIZING: _ClassVar[StrategyState]
    STRATEGY_STATE_RUNNING: _ClassVar[StrategyState]
    STRATEGY_STATE_STOPPING: _ClassVar[StrategyState]
    STRATEGY_STATE_STOPPED: _ClassVar[StrategyState]
    STRATEGY_STATE_ERROR: _ClassVar[StrategyState]
STRATEGY_STATE_UNSPECIFIED: StrategyState
STRATEGY_STATE_PENDING: StrategyState
STRATEGY_STATE_INITIALIZING: StrategyState
STRATEGY_STATE_RUNNING: StrategyState
STRATEGY_STATE_STOPPING: StrategyState
STRATEGY_STATE_STOPPED: StrategyState
STRATEGY_STATE_ERROR: StrategyState

class StrategyConfig(_message.Message):
    __slots__ = ("name", "config_json", "enabled", "updated_at")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CONFIG_JSON_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    name: str
    config_json: str
    enabled: bool
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., config_json: _Optional[str] = ..., enabled: _Optional[bool] = ..., updated_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StrategyStatus(_message.Message):
    __slots__ = ("name", "state", "enabled", "signals_sent", "last_signal_at", "error_count", "last_error", "budget_overruns", "parameters_json", "refusals", "account")
    class RefusalsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    SIGNALS_SENT_FIELD_NUMBER: _ClassVar[int]
    LAST_SIGNAL_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    BUDGET_OVERRUNS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_JSON_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: StrategyState
    enabled: bool
    signals_sent: int
    last_signal_at: _timestamp_pb2.Timestamp
    error_count: int
    last_error: str
    budget_overruns: int
    parameters_json: str
    refusals: _containers.ScalarMap[str, int]
    account: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[StrategyState, str]] = ..., enabled: _Optional[bool] = ..., signals_sent: _Optional[int] = ..., last_signal_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error_count: _Optional[int] = ..., last_error: _Optional[str] = ..., budget_overruns: _Optional[int] = ..., parameters_json: _Optional[str] = ..., refusals: _Optional[_Mapping[str, int]] = ..., account: _Optional[str] = ...) -> None: ...
