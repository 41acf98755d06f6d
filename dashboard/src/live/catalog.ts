/**
 * The markets this page has heard of, by id and by token. A market that an order or a signal names is looked up once; while it is on its
 * way, or when the site does not know it, the answer is `null`; a failed look-up is tried again after 30 s at the earliest.
 */
import type { Market } from "../model";
import { Cell, type Frames } from "./store";

const RETRY_MS = 30_000;

export class Catalog {
  private readonly cells = new Map<string, Cell<Market | null>>();
  /** When a market may be looked up again; never for those that are known. */
  private readonly askAgain = new Map<string, number>();

  constructor(
    private readonly frames: Frames,
    private readonly now: () => number,
    private readonly lookUp: (id: string) => Promise<Market>,
  ) {}

  add(markets: Iterable<Market>): void {
    for (const market of markets) {
      this.askAgain.set(market.id, Number.POSITIVE_INFINITY);
      this.cell(market.id).set(market);
    }
  }

  market(id: string): Cell<Market | null> {
    if (id !== "" && (this.askAgain.get(id) ?? 0) <= this.now()) {
      this.askAgain.set(id, this.now() + RETRY_MS);
      this.lookUp(id).then(
        (market) => this.add([market]),
        // The market stays unknown and is shown by its id.
        () => undefined,
      );
    }
    return this.cell(id);
  }

  private cell(id: string): Cell<Market | null> {
    let cell = this.cells.get(id);
    if (cell === undefined) {
      cell = new Cell<Market | null>(null, this.frames);
      this.cells.set(id, cell);
    }
    return cell;
  }
}

/** The outcome that `tokenId` pays in `market`; `null` when it is not one of its tokens. */
export function outcomeOf(market: Market | null, tokenId: string): string | null {
  if (market === null) return null;
  const index = market.tokenIds.indexOf(tokenId);
  return index < 0 ? null : (market.outcomes[index] ?? null);
}
