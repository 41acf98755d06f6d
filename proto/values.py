"""How single values cross between domain and protobuf: enums by name, instants as nanoseconds."""

from __future__ import annotations

from enum import Enum
from typing import Generic, TypeVar, cast

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

_SECOND = 1_000_000_000
E = TypeVar("E", bound=Enum)
P = TypeVar("P", bound=int)


class MappingError(ValueError):
    """A message that is no value of the domain."""


class EnumPair(Generic[E, P]):
    """A domain enum and its protobuf twin, whose values are `<PREFIX>_<NAME>`. A name missing on either side fails at import."""

    def __init__(self, domain: type[E], proto: type[P], prefix: str) -> None:
        self._name = domain.__name__
        generated = cast(EnumTypeWrapper, proto)
        self._numbers = {member: cast(P, generated.Value(f"{prefix}_{member.name}")) for member in domain}
        self._members: dict[int, E] = {number: member for member, number in self._numbers.items()}

    def to_proto(self, member: E) -> P:
        return self._numbers[member]

    def from_proto(self, number: int) -> E:
        """Return the member; `MappingError` for a number that this version does not know, or for none at all."""
        try:
            return self._members[number]
        except KeyError:
            raise MappingError(f"{self._name} was number {number}, expected one of {sorted(self._members)}") from None


def timestamp(nanoseconds: int | None) -> Timestamp | None:
    """Return UTC `nanoseconds` as a protobuf timestamp, exactly."""
    if nanoseconds is None:
        return None
    seconds, nanos = divmod(nanoseconds, _SECOND)
    return Timestamp(seconds=seconds, nanos=nanos)


def nanoseconds(message: Message, field: str) -> int:
    """Return the timestamp `field` of `message` in nanoseconds; `MappingError` when it is absent."""
    if not message.HasField(field):
        raise MappingError(f"{type(message).__name__} came without {field}")
    value: Timestamp = getattr(message, field)
    return value.seconds * _SECOND + value.nanos
