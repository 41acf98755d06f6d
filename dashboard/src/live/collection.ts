/**
 * A bounded table of rows by key, newest first. A row replaces the one with its key unless it is older; past the bound the oldest rows go.
 */
import { type Frames, Lazy } from "./store";

interface Entry<T> {
  readonly row: T;
  /** When it came in, by this browser's clock. */
  readonly arrived: number;
}

export interface Keys<T> {
  key(row: T): string;
  /** The moment a row is sorted by. */
  born(row: T): number;
  /** The moment of its latest news, when it says so: older news about the same key is ignored. */
  changed?(row: T): number;
}

export class Collection<T> extends Lazy<readonly T[]> {
  private readonly entries = new Map<string, Entry<T>>();

  constructor(
    frames: Frames,
    private readonly now: () => number,
    private readonly bound: number,
    private readonly keys: Keys<T>,
  ) {
    super(frames);
  }

  upsert(row: T): void {
    const key = this.keys.key(row);
    const known = this.entries.get(key);
    const changed = this.keys.changed;
    if (known !== undefined && changed !== undefined && changed(row) < changed(known.row)) return;
    this.entries.set(key, { row, arrived: this.now() });
    if (this.entries.size > this.bound * 1.25) this.trim();
    this.invalidate();
  }

  /** Take rows the site was asked for at `askedAt`. Events that came in since are newer; rows it does not mention stay. */
  merge(rows: Iterable<T>, askedAt: number): void {
    for (const row of rows) {
      const known = this.entries.get(this.keys.key(row));
      if (known === undefined || known.arrived < askedAt) this.upsert(row);
    }
  }

  clear(): void {
    this.entries.clear();
    this.invalidate();
  }

  protected override compute(): readonly T[] {
    return this.sorted().slice(0, this.bound);
  }

  private sorted(): T[] {
    const rows = [...this.entries.values()].map((entry) => entry.row);
    return rows.sort((a, b) => this.keys.born(b) - this.keys.born(a));
  }

  private trim(): void {
    for (const row of this.sorted().slice(this.bound)) this.entries.delete(this.keys.key(row));
  }
}
