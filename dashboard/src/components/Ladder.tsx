/** The depth ladder: both sides around the spread, a bar for each level's size and a paler one for all that lies before it, our own orders marked. */
import type { CSSProperties, ReactElement } from "react";
import { type Micros, notional, price, shares, short } from "../format/money";
import { duration } from "../format/time";
import type { Book, Level, Side } from "../model";
import { Flash } from "./parts";

export interface Rung extends Level {
  /** Shares from the best price up to and including this level, and what they cost. */
  readonly total: Micros;
  readonly cost: Micros;
}

/** The first `count` levels with their running totals. */
export function rungs(levels: readonly Level[], count: number): Rung[] {
  let total = 0;
  let cost = 0;
  return levels.slice(0, count).map((level) => {
    total += level.size;
    cost += notional(level.price, level.size) ?? 0;
    return { ...level, total, cost };
  });
}

/** Open shares of our own by `side price`. */
export type OwnSizes = ReadonlyMap<string, Micros>;

interface LadderProps {
  readonly book: Book;
  readonly own: OwnSizes;
  readonly depth: number;
  readonly now: number;
}

export function Ladder({ book, own, depth, now }: LadderProps): ReactElement {
  const asks = rungs(book.asks, depth);
  const bids = rungs(book.bids, depth);
  const deepest = Math.max(asks[asks.length - 1]?.total ?? 0, bids[bids.length - 1]?.total ?? 0, 1);
  const rung = (side: Side) => (level: Rung) => (
    <LevelRow
      key={level.price}
      side={side}
      level={level}
      tick={book.tick}
      own={own.get(`${side} ${level.price}`) ?? 0}
      depth={level.total / deepest}
      size={level.size / deepest}
    />
  );
  return (
    <table className="ladder" aria-label="Order book">
      <thead>
        <tr className="captions">
          <th scope="col">Price</th>
          <th scope="col">Shares</th>
          <th scope="col">Total</th>
          <th scope="col">Cost</th>
        </tr>
      </thead>
      <tbody aria-label="Sellers">
        {asks.length === 0 ? <Nobody text="Nobody sells" /> : asks.map(rung("sell")).reverse()}
      </tbody>
      <tbody>
        <Middle book={book} now={now} />
      </tbody>
      <tbody aria-label="Buyers">{bids.length === 0 ? <Nobody text="Nobody buys" /> : bids.map(rung("buy"))}</tbody>
    </table>
  );
}

function Nobody({ text }: { text: string }): ReactElement {
  return (
    <tr className="none">
      <td colSpan={4}>{text}</td>
    </tr>
  );
}

interface LevelProps {
  readonly side: Side;
  readonly level: Rung;
  readonly tick: Micros;
  readonly own: Micros;
  readonly depth: number;
  readonly size: number;
}

function LevelRow({ side, level, tick, own, depth, size }: LevelProps): ReactElement {
  const bars = { "--depth": depth.toFixed(4), "--size": size.toFixed(4) } as CSSProperties;
  return (
    <tr className={`level ${side === "buy" ? "bid" : "ask"}`} style={bars}>
      <td>
        <span className="price">{price(level.price, tick)}</span>
        {own > 0 ? (
          <span className="own" title={`${shares(own)} of these are our own order`}>
            ours {shares(own)}
          </span>
        ) : null}
      </td>
      <td>{shares(level.size)}</td>
      <td className="muted">{short(level.total, "")}</td>
      <td className="muted">{short(level.cost)}</td>
    </tr>
  );
}

function Middle({ book, now }: { book: Book; now: number }): ReactElement {
  const bid = book.bids[0]?.price ?? null;
  const ask = book.asks[0]?.price ?? null;
  const mid = bid === null || ask === null ? null : (bid + ask) / 2;
  const age = Math.max(0, (now - book.at) / 1000);
  return (
    <tr className="middle">
      <td>
        <strong>
          <Flash value={mid}>{price(mid, book.tick)}</Flash>
        </strong>
      </td>
      <td colSpan={2} className="muted">
        {bid === null || ask === null ? "one side only" : `spread ${price(ask - bid, book.tick)}`}
      </td>
      <td className={book.complete ? "muted small" : "warn small"}>
        {book.complete ? `${duration(age)} old` : "catching up"}
      </td>
    </tr>
  );
}
