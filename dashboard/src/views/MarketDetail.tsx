/** One market: what it asks, live depth of either outcome, its path, the last trades, our own orders in it, and the event's other markets. */
import { type ReactElement, useEffect, useMemo, useState } from "react";
import { Ladder, type OwnSizes } from "../components/Ladder";
import { Chart } from "../components/LazyChart";
import { Empty, Flash, SideLabel, Skeleton } from "../components/parts";
import { useDesk, useMarket, useNow, useTopics } from "../desk";
import { type Micros, price, shares, short } from "../format/money";
import { clock, until } from "../format/time";
import { useCell } from "../live/store";
import { type Market, OPEN_STATUSES } from "../model";
import { href } from "../route";

const PRINTS = 12;

export function MarketDetail({ id }: { id: string }): ReactElement {
  const market = useMarket(id);
  return market === null ? <Missing id={id} /> : <Known market={market} />;
}

function Missing({ id }: { id: string }): ReactElement {
  const desk = useDesk();
  const [waited, setWaited] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setWaited(true), 4_000);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => void desk.catalog.market(id), [desk, id]);
  if (!waited) return <Skeleton rows={10} />;
  return (
    <Empty icon="markets" title="Unknown market">
      The site does not know {id}. <a href={href("markets")}>All markets</a>
    </Empty>
  );
}

function Known({ market }: { market: Market }): ReactElement {
  const [index, setIndex] = useState<0 | 1>(0);
  const token = market.tokenIds[index];
  useTopics(market.tokenIds.map((id) => `prices:${id}`));
  return (
    <>
      <Intro market={market} />
      <fieldset className="outcomes live" aria-label="Outcome">
        <OutcomeButton market={market} index={0} chosen={index} onChoose={setIndex} />
        <OutcomeButton market={market} index={1} chosen={index} onChoose={setIndex} />
      </fieldset>
      <Depth key={token} token={token} />
      <Path key={`path ${token}`} token={token} tick={market.tick} />
      <Prints token={token} tick={market.tick} />
      <Siblings market={market} />
    </>
  );
}

function Intro({ market }: { market: Market }): ReactElement {
  const now = useNow();
  const winner = market.winner === null ? null : market.outcomes[market.winner];
  return (
    <div className="intro">
      <a className="narrow-only small" href={href("markets")}>
        ← All markets
      </a>
      <h2>{market.question}</h2>
      <div className="tags">
        {market.category === "" ? null : <span className="badge">{market.category}</span>}
        {market.tradable ? null : (
          <span className="badge warn">{market.status === "active" ? "not accepting orders" : market.status}</span>
        )}
        {winner === null ? null : <span className="badge good">{winner} won</span>}
        <span className="badge">ends {until(market.endsAt, now)}</span>
        <span className="badge">{short(market.volume)} traded</span>
        <span className="badge">tick {price(market.tick, market.tick)}</span>
        <span className="badge">at least {shares(market.minSize)} shares</span>
        {market.negRisk ? <span className="badge">exclusive outcomes</span> : null}
      </div>
    </div>
  );
}

interface OutcomeProps {
  readonly market: Market;
  readonly index: 0 | 1;
  readonly chosen: 0 | 1;
  readonly onChoose: (index: 0 | 1) => void;
}

function OutcomeButton({ market, index, chosen, onChoose }: OutcomeProps): ReactElement {
  const live = useCell(useDesk().quote(market.tokenIds[index]).quote);
  const bid = (live ?? (index === 0 ? market.quote : null))?.bid ?? null;
  return (
    <button type="button" aria-pressed={index === chosen} onClick={() => onChoose(index)}>
      <span className="clip">{market.outcomes[index]}</span>
      <span className="bid">
        <Flash value={bid}>{price(bid, market.tick)}</Flash>
      </span>
    </button>
  );
}

function Depth({ token }: { token: string }): ReactElement {
  const desk = useDesk();
  useTopics(useMemo(() => [`orderbook:${token}`], [token]));
  const book = useCell(desk.book(token));
  const orders = useCell(desk.orders);
  const now = useNow();
  const own = useMemo<OwnSizes>(() => {
    const sizes = new Map<string, Micros>();
    for (const order of orders) {
      if (order.tokenId !== token || !OPEN_STATUSES.has(order.status)) continue;
      const key = `${order.side} ${order.price}`;
      sizes.set(key, (sizes.get(key) ?? 0) + order.size - order.filled);
    }
    return sizes;
  }, [orders, token]);
  return book === null ? (
    <Skeleton rows={12} />
  ) : (
    <div className="live">
      <Ladder book={book} own={own} depth={10} now={Math.max(now, book.at)} />
    </div>
  );
}

function Path({ token, tick }: { token: string; tick: Micros }): ReactElement | null {
  const trail = useCell(useDesk().quote(token).trail);
  const points = useMemo(() => trail.map(({ at, mid }) => ({ at, value: mid })), [trail]);
  const format = useMemo(() => (value: Micros | null) => price(value, tick), [tick]);
  if (points.length < 3) return null;
  return (
    <section className="section">
      <h3>Price since this page watches</h3>
      <div className="chart live">
        <Chart label="Mid price" points={points} format={format} />
      </div>
    </section>
  );
}

function Prints({ token, tick }: { token: string; tick: Micros }): ReactElement {
  const trades = useCell(useDesk().trades(token));
  const now = useNow();
  return (
    <section className="section live">
      <h3>Last trades</h3>
      {trades.length === 0 ? (
        <Empty icon="fills" title="No trades since this page watches" />
      ) : (
        <ul className="prints">
          {trades.slice(0, PRINTS).map((trade) => (
            <li key={trade.key}>
              <span>
                {trade.side === null ? null : <SideLabel side={trade.side} />} {price(trade.price, tick)}
              </span>
              <span>{shares(trade.size)}</span>
              <span className="muted">{clock(trade.at, now)}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** The other markets of the same event. */
function Siblings({ market }: { market: Market }): ReactElement | null {
  const desk = useDesk();
  const [siblings, setSiblings] = useState<readonly Market[]>([]);
  const { groupId } = market;
  useEffect(() => {
    if (groupId === null) return;
    let current = true;
    desk.api.markets({ search: "", status: "", group: groupId }).then(
      (page) => {
        desk.catalog.add(page.markets);
        if (current) setSiblings(page.markets);
      },
      (error: unknown) => desk.failed("Could not read the event's other markets", error),
    );
    return () => {
      current = false;
    };
  }, [desk, groupId]);
  useTopics(useMemo(() => siblings.map((sibling) => `prices:${sibling.tokenIds[0]}`), [siblings]));
  if (siblings.length < 2) return null;
  return (
    <section className="section">
      <h3>{market.groupTitle || "Same event"}</h3>
      <ul className="siblings">
        {siblings.map((sibling) => (
          <li key={sibling.id}>
            <Sibling sibling={sibling} chosen={sibling.id === market.id} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Sibling({ sibling, chosen }: { sibling: Market; chosen: boolean }): ReactElement {
  const quote = useCell(useDesk().quote(sibling.tokenIds[0]).quote) ?? sibling.quote;
  return (
    <a href={href("markets", sibling.id)} {...(chosen ? { "aria-current": true as const } : {})}>
      <span className="clip">{sibling.question}</span>
      <span className="gain live">{price(quote?.bid ?? null, sibling.tick)}</span>
      <span className="loss live">{price(quote?.ask ?? null, sibling.tick)}</span>
    </a>
  );
}
