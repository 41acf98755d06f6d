/** What the account has earned, from what the trader and the ledger say. Pure; a part that is unknown makes the sum unknown. */
import type { Micros } from "../format/money";
import { notional } from "../format/money";
import type { EquityPoint, Ledger, Position, Quote, Status } from "../model";

export interface Results {
  readonly realised: Micros | null;
  readonly unrealised: Micros | null;
  readonly fees: Micros | null;
  /** realised − fees + unrealised */
  readonly profit: Micros | null;
  readonly cash: Micros | null;
  /** Cash, payouts due and held tokens at the best bid. */
  readonly worth: Micros | null;
}

function profitOf(realised: Micros | null, fees: Micros | null, unrealised: Micros | null): Micros | null {
  return realised === null || fees === null || unrealised === null ? null : realised - fees + unrealised;
}

function sum(a: Micros | null, b: Micros | null): Micros | null {
  return a === null || b === null ? null : a + b;
}

/** The trader's own figures while it speaks, the ledger's otherwise. */
export function results(status: Status | null, ledger: Ledger | null): Results {
  const worth = ledger === null ? null : sum(sum(ledger.cash, ledger.receivable), ledger.inventoryValue);
  const { realised, unrealised, fees, cash } = status ?? ledger ?? UNKNOWN;
  return { realised, unrealised, fees, profit: profitOf(realised, fees, unrealised), cash, worth };
}

const UNKNOWN = { realised: null, unrealised: null, fees: null, cash: null } as const;

/** Profit at each moment of the ledger's curve, with the present at its end. */
export function profitCurve(
  curve: readonly EquityPoint[],
  now: { at: number; profit: Micros | null },
): { at: number; value: Micros | null }[] {
  const points = curve.map((point) => ({
    at: point.at,
    value: profitOf(point.realised, point.fees, point.unrealised),
  }));
  const last = points[points.length - 1];
  return now.profit === null || (last !== undefined && last.at >= now.at)
    ? points
    : [...points, { at: now.at, value: now.profit }];
}

/** What selling a position at the best bid would add to its cost; unknown without a bid. */
export function unrealised(position: Position, quote: Quote | null): Micros | null {
  const value = notional(quote?.bid ?? null, position.size);
  return value === null ? null : value - position.cost;
}

/** Average cost of a share, `null` when flat. */
export function entryPrice(position: Position): Micros | null {
  return position.size > 0 ? Math.round((position.cost / position.size) * 1_000_000) : null;
}
