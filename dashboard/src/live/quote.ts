/** Best prices of one token, their recent path (one point a second, two minutes) and how lively they are. */
import type { Micros } from "../format/money";
import type { Quote } from "../model";
import { Cell, type Frames } from "./store";

const POINTS = 120;
const SPACING_MS = 1_000;
const MEMORY_MS = 60_000;

export interface TrailPoint {
  readonly at: number;
  readonly mid: Micros;
}

export class LiveQuote {
  readonly quote: Cell<Quote | null>;
  /** Where the mid price was, oldest first. */
  readonly trail: Cell<readonly TrailPoint[]>;
  private lastPointAt = 0;
  private liveliness = 0;
  private changedAt = 0;

  constructor(frames: Frames) {
    this.quote = new Cell<Quote | null>(null, frames);
    this.trail = new Cell<readonly TrailPoint[]>([], frames);
  }

  set(quote: Quote, now: number): void {
    this.liveliness = this.activity(now) + 1;
    this.changedAt = now;
    this.quote.set(quote);
    if (quote.bid === null || quote.ask === null || now - this.lastPointAt < SPACING_MS) return;
    this.lastPointAt = now;
    this.trail.set([...this.trail.get(), { at: now, mid: (quote.bid + quote.ask) / 2 }].slice(-POINTS));
  }

  /** Quotes in about the last minute, older ones fading out. */
  activity(now: number): number {
    return this.liveliness * Math.exp((this.changedAt - now) / MEMORY_MS);
  }
}
