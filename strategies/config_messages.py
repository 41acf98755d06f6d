"""Strategy settings as protobuf: under `stratcfg:{name}` for who comes later, as events on `ch:strategy:{name}` for who listens.

Reading bytes that are no settings raises `MappingError`.
"""

from __future__ import annotations

import json

from google.protobuf.message import DecodeError

from domain.ports import Clock, Ids
from proto.polybot.v1 import events_pb2, strategy_pb2
from proto.values import MappingError, nanoseconds, timestamp
from strategies.store import StoredConfig

EVENT_TYPE = "strategy_config"
ALL_CHANNELS = "ch:strategy:*"


def key(name: str) -> str:
    """Return where the settings of a strategy lie in Redis."""
    return f"stratcfg:{name}"


def channel(name: str) -> str:
    """Return where changes of a strategy are told."""
    return f"ch:strategy:{name}"


def to_bytes(config: StoredConfig) -> bytes:
    """Return the encoded `StrategyConfig`."""
    return _to_proto(config).SerializeToString()


def to_event(config: StoredConfig, clock: Clock, ids: Ids) -> bytes:
    """Return the settings as an encoded `Event`; it belongs to no trader's sequence, so its number is 0."""
    event = events_pb2.Event(
        event_id=ids.uuid(), type=EVENT_TYPE, timestamp=timestamp(clock.now_ns()), strategy_config=_to_proto(config)
    )
    return event.SerializeToString()


def from_bytes(data: bytes) -> StoredConfig:
    """Return the settings that `to_bytes` encoded."""
    try:
        return _from_proto(strategy_pb2.StrategyConfig.FromString(data))
    except DecodeError as error:
        raise MappingError(f"strategy settings could not be decoded: {error}") from None


def from_event(data: bytes) -> StoredConfig | None:
    """Return the settings an event carries, None for every other event."""
    try:
        event = events_pb2.Event.FromString(data)
    except DecodeError as error:
        raise MappingError(f"event could not be decoded: {error}") from None
    return _from_proto(event.strategy_config) if event.HasField("strategy_config") else None


def _to_proto(config: StoredConfig) -> strategy_pb2.StrategyConfig:
    return strategy_pb2.StrategyConfig(
        name=config.name,
        config_json=json.dumps(dict(config.parameters)),
        enabled=config.enabled,
        updated_at=timestamp(config.updated_ns),
    )


def _from_proto(message: strategy_pb2.StrategyConfig) -> StoredConfig:
    try:
        parameters = json.loads(message.config_json)
    except ValueError as error:
        raise MappingError(f"parameters of {message.name} are no JSON: {error}") from None
    if not isinstance(parameters, dict):
        raise MappingError(f"parameters of {message.name} were {type(parameters).__name__}, expected an object")
    return StoredConfig(
        name=message.name,
        parameters=parameters,
        enabled=message.enabled,
        updated_ns=nanoseconds(message, "updated_at"),
    )
