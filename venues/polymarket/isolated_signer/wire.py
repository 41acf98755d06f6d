"""What trader and signer say to each other: one JSON message after the other, each behind its length (four bytes, big-endian).

The client greets with its version and gets the signer's address. Then it asks, and may ask again before the answer has come: answers carry the id of
their question. Unknown fields and values of another type are refused, because a field that one side does not know would be judged by nobody.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from venues.polymarket.auth import KeyRequest
from venues.polymarket.signing import OrderStatement
from venues.polymarket.wallet.statements import DepositBatch, PlainTransaction, ProxyBatch, SafeBatch

VERSION = 1
LENGTH_BYTES = 4
MAX_MESSAGE_BYTES = 64 * 1024

Signable = OrderStatement | KeyRequest | DepositBatch | SafeBatch | ProxyBatch | PlainTransaction
Id = Annotated[int, Meta(ge=0, lt=1 << 53)]


class Hello(Struct, tag="hello", forbid_unknown_fields=True):
    """The client's first message."""

    version: int


class SignRequest(Struct, tag="sign", forbid_unknown_fields=True):
    """Asks for a signature; the digest is left out on purpose."""

    id: Id
    statement: Signable


class StatusRequest(Struct, tag="status", forbid_unknown_fields=True):
    """Asks what was signed and refused."""

    id: Id


class Welcome(Struct, tag="welcome", forbid_unknown_fields=True):
    """The answer to `Hello`."""

    version: int
    address: str


class Signed(Struct, tag="signed", forbid_unknown_fields=True):
    """A signature, and the digest it is of: it must be the one that the client makes of its statement."""

    id: Id
    digest: bytes
    signature: bytes


class Refused(Struct, tag="refused", forbid_unknown_fields=True):
    """No signature. `id` is 0 where the question could not be read; the signer then hangs up."""

    id: Id
    code: str
    text: str


class Status(Struct, tag="state", forbid_unknown_fields=True):
    """Counts since the signer started, and what was signed on this UTC day and may be; amounts are micro-units."""

    id: Id
    address: str
    signed: int
    refused: dict[str, int]
    day: str
    bought: int
    sold_shares: int
    max_day_notional: int
    max_day_shares: int


Question = Hello | SignRequest | StatusRequest
Answer = Welcome | Signed | Refused | Status

_questions = msgspec.json.Decoder(Question)
_answers = msgspec.json.Decoder(Answer)


def framed(message: Question | Answer) -> bytes:
    """Return a message as it travels. Raises `ValueError` when it is too large."""
    content = msgspec.json.encode(message)
    if len(content) > MAX_MESSAGE_BYTES:
        raise ValueError(f"the message has {len(content)} bytes, expected at most {MAX_MESSAGE_BYTES}")
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


def read_question(content: bytes) -> Question:
    """Return what a client said. Raises `ValueError` (of which msgspec's errors are) or `RecursionError`."""
    question: Question = _questions.decode(content)
    return question


def read_answer(content: bytes) -> Answer:
    """Return what the signer said. Raises like `read_question`."""
    answer: Answer = _answers.decode(content)
    return answer
