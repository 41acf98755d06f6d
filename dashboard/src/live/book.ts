/**
 * A live book: a snapshot replaces it, changes apply only to the version they follow.
 *
 * A change that follows another version means that a message was missed: the book keeps what it has, says that it is not complete and takes
 * no more changes until the next snapshot, which the publisher sends right after a burst.
 */
import { type Micros, micros } from "../format/money";
import type { OrderbookSnapshot, PriceChange, PriceLevel } from "../gen/polybot/v1/orderbook_pb";
import type { Book, Level } from "../model";
import { type Frames, Lazy } from "./store";

const DEFAULT_TICK = 10_000;

export class LiveBook extends Lazy<Book | null> {
  private bids = new Map<Micros, Micros>();
  private asks = new Map<Micros, Micros>();
  private version: bigint | null = null;
  private tick = DEFAULT_TICK;
  private at = 0;

  constructor(
    frames: Frames,
    private readonly now: () => number,
  ) {
    super(frames);
  }

  snapshot(message: OrderbookSnapshot): void {
    this.bids = levels(message.bidPrices, message.bidSizes, message.bids);
    this.asks = levels(message.askPrices, message.askSizes, message.asks);
    this.version = message.version;
    this.tick = micros(message.tickSize) || DEFAULT_TICK;
    this.touch();
  }

  change(message: PriceChange): void {
    if (this.version === null || message.version <= this.version) return;
    if (message.version !== this.version + 1n) {
      this.version = null;
      this.invalidate();
      return;
    }
    this.version = message.version;
    apply(this.bids, message.bidPrices, message.bidSizes);
    apply(this.asks, message.askPrices, message.askSizes);
    if (message.bidPrices.length + message.askPrices.length === 0) {
      apply(message.side === "BUY" ? this.bids : this.asks, [message.price], [message.size]);
    }
    this.touch();
  }

  protected override compute(): Book | null {
    if (this.at === 0) return null;
    return {
      bids: sorted(this.bids, (a, b) => b.price - a.price),
      asks: sorted(this.asks, (a, b) => a.price - b.price),
      tick: this.tick,
      at: this.at,
      complete: this.version !== null,
    };
  }

  private touch(): void {
    this.at = this.now();
    this.invalidate();
  }
}

function levels(prices: number[], sizes: number[], unpacked: PriceLevel[]): Map<Micros, Micros> {
  const side = new Map<Micros, Micros>();
  apply(side, prices, sizes);
  if (prices.length === 0) {
    apply(
      side,
      unpacked.map((level) => level.price),
      unpacked.map((level) => level.size),
    );
  }
  return side;
}

function apply(side: Map<Micros, Micros>, prices: readonly number[], sizes: readonly number[]): void {
  prices.forEach((value, index) => {
    const price = micros(value);
    const size = micros(sizes[index]);
    if (price === null || size === null) return;
    if (size > 0) side.set(price, size);
    else side.delete(price);
  });
}

function sorted(side: Map<Micros, Micros>, order: (a: Level, b: Level) => number): Level[] {
  return [...side].map(([price, size]) => ({ price, size })).sort(order);
}
