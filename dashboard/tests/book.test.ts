import { create } from "@bufbuild/protobuf";
import { beforeEach, expect, test } from "vitest";
import { rungs } from "../src/components/Ladder";
import { OrderbookSnapshotSchema, PriceChangeSchema } from "../src/gen/polybot/v1/orderbook_pb";
import { LiveBook } from "../src/live/book";
import { handFrames } from "./support";

const snapshot = (version: bigint) =>
  create(OrderbookSnapshotSchema, {
    assetId: "1",
    bidPrices: [0.52, 0.51],
    bidSizes: [100, 50],
    askPrices: [0.53, 0.54],
    askSizes: [10, 20.5],
    tickSize: 0.01,
    version,
  });

let book: LiveBook;
let told: number;
let flush: () => void;

beforeEach(() => {
  const hand = handFrames();
  flush = hand.flush;
  book = new LiveBook(hand.frames, () => 7);
  told = 0;
  book.subscribe(() => {
    told += 1;
  });
});

test("a snapshot is shown best level first, in exact amounts", () => {
  expect(book.get()).toBeNull();
  book.snapshot(snapshot(3n));
  expect(book.get()).toEqual({
    bids: [
      { price: 520_000, size: 100_000_000 },
      { price: 510_000, size: 50_000_000 },
    ],
    asks: [
      { price: 530_000, size: 10_000_000 },
      { price: 540_000, size: 20_500_000 },
    ],
    tick: 10_000,
    at: 7,
    complete: true,
  });
});

test("a snapshot in single levels says the same as one in packed arrays", () => {
  book.snapshot(
    create(OrderbookSnapshotSchema, { bids: [{ price: 0.4, size: 3 }], asks: [{ price: 0.6, size: 4 }], version: 1n }),
  );
  expect(book.get()?.bids).toEqual([{ price: 400_000, size: 3_000_000 }]);
  expect(book.get()?.asks).toEqual([{ price: 600_000, size: 4_000_000 }]);
});

test("changes apply in order; a size of zero removes the level", () => {
  book.snapshot(snapshot(3n));
  book.change(
    create(PriceChangeSchema, {
      bidPrices: [0.52, 0.5],
      bidSizes: [0, 9],
      askPrices: [0.53],
      askSizes: [11],
      version: 4n,
    }),
  );
  book.change(create(PriceChangeSchema, { side: "SELL", price: 0.55, size: 1, version: 5n }));
  expect(book.get()?.bids.map((level) => level.price)).toEqual([510_000, 500_000]);
  expect(book.get()?.asks.map((level) => level.size)).toEqual([11_000_000, 20_500_000, 1_000_000]);
});

test("a change that does not follow is not applied, and the book says it is not complete until the next snapshot", () => {
  book.snapshot(snapshot(3n));
  const before = book.get()?.bids;
  book.change(create(PriceChangeSchema, { bidPrices: [0.52], bidSizes: [1], version: 6n }));
  book.change(create(PriceChangeSchema, { bidPrices: [0.52], bidSizes: [2], version: 7n }));
  expect(book.get()?.bids).toEqual(before);
  expect(book.get()?.complete).toBe(false);
  book.snapshot(snapshot(8n));
  expect(book.get()?.complete).toBe(true);
});

test("a change older than the snapshot is ignored", () => {
  book.snapshot(snapshot(3n));
  book.change(create(PriceChangeSchema, { bidPrices: [0.52], bidSizes: [1], version: 3n }));
  expect(book.get()?.bids[0]?.size).toBe(100_000_000);
  expect(book.get()?.complete).toBe(true);
});

test("two hundred changes within a frame are told once", () => {
  book.snapshot(snapshot(0n));
  for (let version = 1n; version <= 200n; version += 1n) {
    book.change(create(PriceChangeSchema, { bidPrices: [0.5], bidSizes: [Number(version)], version }));
  }
  expect(told).toBe(0);
  flush();
  expect(told).toBe(1);
  expect(book.get()?.bids[2]?.size).toBe(200_000_000);
});

test("the ladder's totals and costs run from the best level", () => {
  book.snapshot(snapshot(0n));
  const bids = rungs(book.get()?.bids ?? [], 10);
  expect(bids.map((rung) => rung.total)).toEqual([100_000_000, 150_000_000]);
  expect(bids.map((rung) => rung.cost)).toEqual([52_000_000, 77_500_000]);
});
