/**
 * What happened to an execution, in order: decided, ordered, filled, over. Pure. Venues tell the time of a match in whole seconds: a fill
 * stands no earlier than its order.
 */
import { type Micros, notional } from "../format/money";
import type { ArbDetail, Side } from "../model";

export interface Happening {
  readonly key: string;
  readonly title: string;
  /** Seconds since the first step. */
  readonly after: number;
  readonly side: Side | null;
  readonly size: Micros | null;
  readonly price: Micros | null;
  /** What a fill paid or brought, after its fee. */
  readonly cash: Micros | null;
  readonly status: string;
}

type Step = Omit<Happening, "after"> & { readonly at: number };

const NOTHING = { side: null, size: null, price: null, cash: null } as const;

export function timeline({ execution, decidedAt, orders, fills }: ArbDetail): Happening[] {
  const legs = new Map(execution.legs.map((leg) => [leg.orderId, `leg ${leg.number + 1}`]));
  const ordered = new Map(orders.map((order) => [order.id, order.createdAt]));
  const of = (orderId: string): string => legs.get(orderId) ?? "a way out";
  const steps: Step[] = [];
  if (decidedAt !== null)
    steps.push({
      key: "decided",
      title: `${execution.legs.length} legs decided`,
      at: decidedAt,
      ...NOTHING,
      status: "",
    });
  for (const order of orders)
    steps.push({
      key: order.id,
      title: `Order of ${of(order.id)}`,
      at: order.createdAt,
      side: order.side,
      size: order.size,
      price: order.price,
      cash: null,
      status: order.status,
    });
  for (const fill of fills) {
    const amount = notional(fill.price, fill.size) ?? 0;
    steps.push({
      key: fill.key,
      title: `Fill of ${of(fill.orderId)}`,
      at: Math.max(fill.at, ordered.get(fill.orderId) ?? fill.at),
      side: fill.side,
      size: fill.size,
      price: fill.price,
      cash: (fill.side === "sell" ? amount : -amount) - fill.fee,
      status: fill.status,
    });
  }
  if (execution.endedAt !== null)
    steps.push({ key: "over", title: "Over", at: execution.endedAt, ...NOTHING, status: execution.status });
  steps.sort((one, other) => one.at - other.at);
  const begin = steps[0]?.at ?? 0;
  return steps.map(({ at, ...step }) => ({ ...step, after: (at - begin) / 1000 }));
}
