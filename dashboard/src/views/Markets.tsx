/** All markets with live prices; the chosen one with its depth beside them, or instead of them on a narrow page. */
import { type ReactElement, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Chips, Empty, Flash, Search, Skeleton } from "../components/parts";
import { Sparkline } from "../components/Sparkline";
import { useDesk, useTopics } from "../desk";
import { type Micros, price, short } from "../format/money";
import { isTaken } from "../keys";
import { useCell } from "../live/store";
import type { Market, Quote } from "../model";
import { go, href } from "../route";
import { MarketDetail } from "./MarketDetail";
import { type MarketList, useMarketList } from "./marketList";

export type Sort = "volume" | "spread" | "activity";
type Show = "active" | "closed" | "settled";

const SORT_EVERY_MS = 3_000;
const LIVE_ROWS = 150;

export function Markets({ chosen }: { chosen: string }): ReactElement {
  const [search, setSearch] = useState("");
  const [show, setShow] = useState<Show>("active");
  const [sort, setSort] = useState<Sort>("volume");
  const list = useMarketList(search, show);
  const markets = useSorted(list.markets, sort);
  useTopics(
    useMemo(
      () =>
        markets
          .slice(0, LIVE_ROWS)
          .map((market) => `prices:${market.tokenIds[0]}`)
          .sort(),
      [markets],
    ),
  );
  useChoosing(markets, chosen);
  return (
    <>
      <div className={`head ${chosen === "" ? "" : "narrow-hidden"}`}>
        <h1>Markets</h1>
        <div className="filters">
          <Search label="Search markets" value={search} onChange={setSearch} />
          <Chips
            label="Which markets"
            options={[
              ["active", "Open"],
              ["closed", "Closed"],
              ["settled", "Settled"],
            ]}
            value={show}
            onChange={setShow}
          />
          <Chips
            label="Sort by"
            options={[
              ["volume", "Volume"],
              ["spread", "Spread"],
              ["activity", "Activity"],
            ]}
            value={sort}
            onChange={setSort}
          />
        </div>
      </div>
      <div className={`markets ${chosen === "" ? "" : "chosen"}`}>
        <List list={list} markets={markets} chosen={chosen} searching={search !== ""} />
        <section className="card detail" aria-label="Chosen market">
          {chosen === "" ? (
            <Empty icon="markets" title="Choose a market">
              Its order book, last trades and our own orders appear here.
            </Empty>
          ) : (
            <MarketDetail key={chosen} id={chosen} />
          )}
        </section>
      </div>
    </>
  );
}

interface ListProps {
  readonly list: MarketList;
  readonly markets: readonly Market[];
  readonly chosen: string;
  readonly searching: boolean;
}

function List({ list, markets, chosen, searching }: ListProps): ReactElement {
  if (markets.length === 0) {
    return (
      <section className="card list" aria-label="Markets">
        {list.loading ? (
          <Skeleton rows={8} />
        ) : list.failed ? (
          <Empty icon="alert" title="Markets could not be read">
            <button type="button" className="button" onClick={list.again}>
              Try again
            </button>
          </Empty>
        ) : (
          <Empty icon="markets" title={searching ? "No market matches" : "No markets yet"}>
            {searching ? "Try another word." : "Discovery lists the venue's markets a few seconds after the start."}
          </Empty>
        )}
      </section>
    );
  }
  return (
    <section className="card list" aria-label="Markets">
      <div className="row captions" aria-hidden="true">
        <span>{markets.length} markets</span>
        <span className="optional">2 min</span>
        <span className="num">Bid</span>
        <span className="num">Ask</span>
        <span className="num optional">Spread</span>
        <span className="num optional">24 h</span>
      </div>
      <ul>
        {markets.map((market) => (
          <li key={market.id}>
            <MarketRow market={market} chosen={market.id === chosen} />
          </li>
        ))}
      </ul>
      {list.more === null ? null : (
        <div className="body">
          <button type="button" className="button" disabled={list.loading} onClick={list.more}>
            {list.loading ? "Loading…" : "More markets"}
          </button>
        </div>
      )}
    </section>
  );
}

function MarketRow({ market, chosen }: { market: Market; chosen: boolean }): ReactElement {
  const token = market.tokenIds[0];
  const live = useCell(useDesk().quote(token).quote);
  const quote = live ?? market.quote;
  const element = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (chosen) element.current?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <a
      ref={element}
      className="row"
      href={href("markets", market.id)}
      {...(chosen ? { "aria-current": true as const } : {})}
    >
      <span className="what">
        <span className="question">{market.question}</span>
        <span className="sub clip">{subtitle(market)}</span>
      </span>
      <span className="optional">
        <Sparkline token={token} />
      </span>
      <span className="num gain live">
        <span className="unseen">Best bid </span>
        <Flash value={quote?.bid ?? null}>{price(quote?.bid ?? null, market.tick)}</Flash>
      </span>
      <span className="num loss live">
        <span className="unseen">Best ask </span>
        <Flash value={quote?.ask ?? null}>{price(quote?.ask ?? null, market.tick)}</Flash>
      </span>
      <span className="num muted optional live">{price(spread(quote), market.tick)}</span>
      <span className="num muted optional">{short(market.volume24h)}</span>
    </a>
  );
}

/** The category and the event, unless the question begins with the event's own words. */
function subtitle({ category, groupTitle, question }: Market): string {
  const event = question.startsWith(groupTitle.replace(/\?$/, "")) ? "" : groupTitle;
  return [category, event].filter(Boolean).join(" · ");
}

function spread(quote: Quote | null): Micros | null {
  return quote === null || quote.bid === null || quote.ask === null ? null : quote.ask - quote.bid;
}

/** The markets in the wanted order, sorted anew every few seconds: rows that move under the pointer cannot be chosen. */
function useSorted(markets: readonly Market[], sort: Sort): readonly Market[] {
  const desk = useDesk();
  const order = useCallback(() => {
    const now = desk.clock.get();
    const rank = (market: Market): number => {
      const live = desk.quote(market.tokenIds[0]);
      if (sort === "activity") return -live.activity(now);
      if (sort === "spread") return spread(live.quote.get() ?? market.quote) ?? Number.POSITIVE_INFINITY;
      return -(market.volume24h ?? -1);
    };
    const ranks = new Map(markets.map((market) => [market.id, rank(market)]));
    return [...markets].sort((a, b) => (ranks.get(a.id) ?? 0) - (ranks.get(b.id) ?? 0));
  }, [desk, markets, sort]);
  const [sorted, setSorted] = useState(order);
  useEffect(() => {
    setSorted(order());
    if (sort === "volume") return;
    const timer = setInterval(() => setSorted(order()), SORT_EVERY_MS);
    return () => clearInterval(timer);
  }, [order, sort]);
  return sorted;
}

/** Keys `j` and `k` choose the next and previous market, Escape goes back to the list. */
function useChoosing(markets: readonly Market[], chosen: string): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && event.target instanceof HTMLInputElement) event.target.blur();
      else if (!isTaken(event) && event.key === "Escape") go("markets");
      else if (!isTaken(event) && (event.key === "j" || event.key === "k")) {
        const at = markets.findIndex((market) => market.id === chosen);
        const next = markets[Math.max(0, Math.min(markets.length - 1, at + (event.key === "j" ? 1 : -1)))];
        if (next !== undefined) go("markets", next.id);
      }
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [markets, chosen]);
}
