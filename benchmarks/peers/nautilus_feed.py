"""nautilus_trader's Polymarket adapter: frame to both books, the way its data client does it, without its cache lookups and message bus."""

# mypy: ignore-errors
# Runs in an environment of its own, where its imports exist.

import json
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
from nautilus_trader.adapters.polymarket.common.enums import PolymarketOrderSide
from nautilus_trader.adapters.polymarket.schemas.book import PolymarketBookSnapshot, PolymarketQuotes
from nautilus_trader.core.datetime import millis_to_nanos
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.currencies import USDC_POS
from nautilus_trader.model.data import BookOrder, OrderBookDelta, OrderBookDeltas
from nautilus_trader.model.enums import AssetClass, BookAction, BookType, OrderSide, RecordFlag
from nautilus_trader.model.identifiers import InstrumentId, Symbol
from nautilus_trader.model.instruments import BinaryOption
from nautilus_trader.model.objects import Price, Quantity

PORTION = 100
decode = msgspec.json.Decoder(PolymarketBookSnapshot | PolymarketQuotes).decode


def instrument(token: str) -> BinaryOption:
    return BinaryOption(
        instrument_id=InstrumentId.from_str(f"0xcondition-{token}.POLYMARKET"),
        raw_symbol=Symbol(token),
        outcome="Yes",
        description="bench",
        asset_class=AssetClass.ALTERNATIVE,
        currency=USDC_POS,
        price_increment=Price.from_str("0.001"),
        price_precision=3,
        size_increment=Quantity.from_str("0.000001"),
        size_precision=6,
        activation_ns=0,
        expiration_ns=2**62,
        max_quantity=None,
        min_quantity=Quantity.from_int(5),
        maker_fee=Decimal(0),
        taker_fee=Decimal(0),
        ts_event=0,
        ts_init=0,
    )


def apply_changes(frame: bytes, instruments: dict, books: dict) -> None:
    message = decode(frame)
    for change in message.price_changes:
        one = instruments[change.asset_id]
        order = BookOrder(
            side=OrderSide.BUY if change.side == PolymarketOrderSide.BUY else OrderSide.SELL,
            price=one.make_price(float(change.price)),
            size=one.make_qty(float(change.size)),
            order_id=0,
        )
        delta = OrderBookDelta(
            instrument_id=one.id,
            action=BookAction.UPDATE if order.size > 0 else BookAction.DELETE,
            order=order,
            flags=RecordFlag.F_LAST,
            sequence=0,
            ts_event=millis_to_nanos(float(message.timestamp)),
            ts_init=time.time_ns(),
        )
        books[change.asset_id].apply(OrderBookDeltas(one.id, [delta]))


def replace_book(frame: bytes, instruments: dict, books: dict) -> None:
    message = decode(frame)
    one = instruments[message.asset_id]
    book = OrderBook(one.id, book_type=BookType.L2_MBP)
    book.apply_deltas(message.parse_to_snapshot(instrument=one, ts_init=time.time_ns()))
    books[message.asset_id] = book


def main() -> None:
    work = json.loads(Path(sys.argv[1]).read_text())
    changes = [text.encode() for text in work["changes"]]
    snapshots = [text.encode() for text in work["books"]]
    instruments = {token: instrument(token) for token in work["tokens"]}
    books = {token: OrderBook(one.id, book_type=BookType.L2_MBP) for token, one in instruments.items()}
    for frame in snapshots:
        replace_book(frame, instruments, books)
    for _ in sys.stdin:
        portions = [changes[i : i + PORTION] for i in range(0, len(changes), PORTION)]
        result = {
            "feed_price_change": min(per_frame(apply_changes, portion, instruments, books) for portion in portions),
            "feed_book_snapshot": min(per_frame(replace_book, snapshots, instruments, books) for _ in range(50)),
        }
        print(json.dumps(result), flush=True)


def per_frame(apply: Callable[..., None], frames: list, instruments: dict, books: dict) -> float:
    start = time.perf_counter()
    for frame in frames:
        apply(frame, instruments, books)
    return (time.perf_counter() - start) / len(frames) * 1e6


main()
