/**
 * The markets this page has heard of, by id and by token. A market that an order or a signal names is looked up once; while it is on its
 * way, or when the site does not know it, the answer is `null`.
 */
import type { Market } from "../model";
import { Cell, type Frames } from "./store";

export class Catalog {
  private readonly cells = new Map<string, Cell<Market | null>>();
  private readonly asked = new Set<string>();

  constructor(
    private readonly frames: Frames,
    private readonly lookUp: (id: string) => Promise<Market>,
  ) {}

  add(markets: Iterable<Market>): void {
    for (const market of markets) {
      this.asked.add(market.id);
      this.cell(market.id).set(market);
    }
  }

  market(id: string): Cell<Market | null> {
    if (id !== "" && !this.asked.has(id)) {
      this.asked.add(id);
      this.lookUp(id).then(
        (market) => this.cell(id).set(market),
        () => this.asked.delete(id),
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
