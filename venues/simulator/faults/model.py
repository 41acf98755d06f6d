"""What a fault is: what it does, where, and when. The JSON of `--faults` and of /admin/faults, to the key.

`plans.py` reads and checks it. Times are in seconds of the venue's clock. A fault strikes one of four things, told apart by its kind:

    a request      `cut` `silence` `half` `answer` `delay` `edit` `stale_book` `inflate`; chosen by method, path, wallet, market
    a frame        `cut` `delay` `edit` `freeze` `duplicate` `reorder` `lose` `empty_dump` `garbage`; needs `where.channel`
    a new trade    `settle`; chosen by wallet and market
    the venue      `restart` `drop` `inject` `skew` `tick_change` `lose_book` `hold` `change`: at a time, or with a request when
                   `where` names a method or path

Only `settle` and the last four kinds (and the engine's part of `restart`) change the venue's world: they go through its input log and outlive
it. All else is on the wire, and is forgotten with the process.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from venues.simulator.inputs import EndEvent, ModeChange, Reorg

Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
Channel = Literal["market", "user"]


class FaultError(ValueError):
    """A fault cannot be armed as written; the message names the place and the remedy."""


class _Kind(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True, tag_field="kind"
):
    pass


class Cut(_Kind, frozen=True, tag="cut"):
    """The connection ends without an answer: with a TCP reset, or without (a WebSocket then closes with 1001)."""

    reset: bool = True


class Silence(_Kind, frozen=True, tag="silence"):
    """Nothing is answered for `seconds`; then the connection ends."""

    seconds: Seconds = 600


class Half(_Kind, frozen=True, tag="half"):
    """The request is carried out, but its answer breaks off in the middle of the body."""


class Answer(_Kind, frozen=True, tag="answer"):
    """Another answer: one of `answers.ANSWERS` by `name`, or `status` with `body` and `headers` (which also amend a named one)."""

    name: str = ""
    status: Annotated[int, Meta(ge=200, le=599)] | None = None
    headers: dict[str, str] = {}
    body: str | None = None


class Delay(_Kind, frozen=True, tag="delay"):
    """A request waits before the venue acts on it (stage "before") or its answer does ("after"); a frame goes out later than those after it."""

    seconds: Seconds


class Edit(_Kind, frozen=True, tag="edit"):
    """Values of an answer or a frame are replaced: `values` maps paths ("maker_orders.*.size") to JSON values.

    With `keep` (frames only) the true frame goes out first and the edited one is sent on top of it.
    """

    values: dict[str, Any]
    keep: bool = False


class StaleBook(_Kind, frozen=True, tag="stale_book"):
    """GET /book and POST /books show nothing but 0.01 bid and 0.99 ask; their hashes are right."""


class Inflate(_Kind, frozen=True, tag="inflate"):
    """The true answer, padded with `kibibytes` of blanks; with `gzip` it travels compressed, whatever the client accepts."""

    kibibytes: Annotated[int, Meta(ge=0, le=262_144)] = 0
    gzip: bool = False


class Freeze(_Kind, frozen=True, tag="freeze"):
    """The connection tells nothing more, while PONG goes on, for `seconds` (null: until it ends). What is not told is lost."""

    seconds: Seconds | None = None


class Duplicate(_Kind, frozen=True, tag="duplicate"):
    """The frame is sent `copies` times more."""

    copies: Annotated[int, Meta(ge=1, le=100)] = 1


class Reorder(_Kind, frozen=True, tag="reorder"):
    """The frame goes out after the next `behind` frames of its connection."""

    behind: Annotated[int, Meta(ge=1, le=1000)] = 1


class Lose(_Kind, frozen=True, tag="lose"):
    """The frame is not sent."""


class EmptyDump(_Kind, frozen=True, tag="empty_dump"):
    """A subscription's dump of books is `[]`."""


class Garbage(_Kind, frozen=True, tag="garbage"):
    """`text` is sent instead of the frame."""

    text: str = '{"event_type":"price_change","price_chan'


Step = tuple[Seconds, Literal["MINED", "CONFIRMED", "RETRYING", "FAILED"]]


class Settle(_Kind, frozen=True, tag="settle"):
    """A new trade settles by these steps (seconds after its match, status) and no others; without steps it stays MATCHED.

    [[1, "FAILED"]] is a ghost fill, [[1, "RETRYING"], [60, "FAILED"]] one that keeps everybody waiting.
    """

    steps: tuple[Step, ...] = ((1.0, "FAILED"),)


class Restart(_Kind, frozen=True, tag="restart"):
    """Every connection drops, for `refuse_seconds` none is accepted, and the matching engine restarts: 425, then post-only.

    Resting orders are kept, cancelled, or lost without a word.
    """

    down_seconds: Seconds = 90
    post_only_seconds: Seconds = 120
    refuse_seconds: Seconds = 0
    orders: Literal["kept", "cancelled", "lost"] = "kept"


class Drop(_Kind, frozen=True, tag="drop"):
    """All WebSocket connections of `where.channel` ("": both) and `where.wallet` end."""

    reset: bool = True


class Inject(_Kind, frozen=True, tag="inject"):
    """Every connection of `where.channel` and `where.wallet` gets one more frame: JSON, or any `text`."""

    frame: Any = None
    text: str | None = None


class Skew(_Kind, frozen=True, tag="skew"):
    """The venue's clock is off by `offset` seconds for `seconds` (null: until disarmed).

    So GET /time, the timestamps of books and frames, and the time by which signed requests are judged. Times in records stay true.
    """

    offset: Annotated[float, Meta(ge=-86_400, le=86_400)]
    seconds: Seconds | None = None


class TickChange(_Kind, frozen=True, tag="tick_change"):
    """`where.market` ("": one drawn) gets another tick; resting orders keep their prices."""

    tick: Literal["0.1", "0.01", "0.005", "0.0025", "0.001", "0.0001"]


class LoseBook(_Kind, frozen=True, tag="lose_book"):
    """`where.market` ("": one drawn) has no book any more, for `seconds` (null: for ever)."""

    seconds: Seconds | None = None


class Hold(_Kind, frozen=True, tag="hold"):
    """Orders that match at once in `where.market` ("": one drawn) are delayed by `milliseconds`, for `seconds` (null: for ever)."""

    milliseconds: Annotated[int, Meta(ge=1, le=600_000)] = 3000
    seconds: Seconds | None = None


class Change(_Kind, frozen=True, tag="change"):
    """Something of the venue changes: one of its modes (`inputs.ModeChange`), an event ends, the chain's last blocks are replaced."""

    input: ModeChange | EndEvent | Reorg


RequestKind = Cut | Silence | Half | Answer | Delay | Edit | StaleBook | Inflate
FrameKind = Cut | Delay | Edit | Freeze | Duplicate | Reorder | Lose | EmptyDump | Garbage
VenueKind = Restart | Drop | Inject | Skew | TickChange | LoseBook | Hold | Change
Kind = (
    Cut
    | Silence
    | Half
    | Answer
    | Delay
    | Edit
    | StaleBook
    | Inflate
    | Freeze
    | Duplicate
    | Reorder
    | Lose
    | EmptyDump
    | Garbage
    | Settle
    | Restart
    | Drop
    | Inject
    | Skew
    | TickChange
    | LoseBook
    | Hold
    | Change
)


class Where(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What is chosen; "" is any.

    `path` is a pattern with `*` and `?` over the path without query; "" is every REST path, but WebSocket handshakes only when it begins with
    "/ws". `event` is a frame's `event_type`, "dump" for an array of books, "PONG" for the answer to a PING. `wallet` is a wallet or its
    owner; `market` a condition or token id that occurs in the request, the frame or the trade (a cancel by order id names none).
    """

    method: Literal["", "GET", "POST", "DELETE", "PUT"] = ""
    path: str = ""
    channel: Literal["", "market", "user"] = ""
    event: str = ""
    wallet: str = ""
    market: str = ""


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Which of what `where` chooses is struck: the first `skip` are spared, then each with probability `share`, at most `times` (null: all).

    Only what comes `after` so many seconds since arming counts, and only during `during` seconds (null: for ever). `stage` says whether a request
    is struck before the venue acts on it or after.
    """

    skip: Count = 0
    times: Count | None = 1
    share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    after: Seconds = 0
    during: Seconds | None = None
    stage: Literal["before", "after"] = "before"


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One fault. `name` is how it is disarmed; without one it gets its kind and a number."""

    do: Kind
    where: Where = Where()
    when: When = When()
    name: str = ""

    @property
    def kind(self) -> str:
        return str(type(self.do).__struct_config__.tag)


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Faults to arm: a ready mix, those listed, or both. `seed` decides every draw (null: the venue's own seed)."""

    mix: str = ""
    faults: tuple[Fault, ...] = ()
    seed: int | None = None


NO_FAULTS = Plan()
