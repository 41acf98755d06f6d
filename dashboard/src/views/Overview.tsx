/** The state of trading on one screen: profit so far, what is open, what the strategies wanted last, and what is healthy. */
import { type ReactElement, type ReactNode, useMemo } from "react";
import { Chart } from "../components/LazyChart";
import { Empty, Flash, Gain, SideLabel, Skeleton, StatusBadge } from "../components/parts";
import { useDesk, useMarket, useNow, useTopics } from "../desk";
import { dollars, gain, type Micros, price, shares, tone } from "../format/money";
import { ago, duration } from "../format/time";
import { outcomeOf } from "../live/catalog";
import { profitCurve, type Results, results, unrealised } from "../live/results";
import { useCell } from "../live/store";
import { type Check, OPEN_STATUSES, type Order, type Position, type Signal } from "../model";
import { href } from "../route";

const SHOWN = 6;
/** Health is read every 10 s, so an age may be that much older than the check. */
const LATE_SECONDS = 12;

export function Overview(): ReactElement {
  const desk = useDesk();
  const status = useCell(desk.status);
  const ledger = useCell(desk.ledger);
  const now = results(status, ledger);
  return (
    <>
      <h1 className="unseen">Overview</h1>
      <div className="overview">
        <Profit now={now} />
        <Numbers now={now} />
        <LastPositions />
        <LastSignals />
        <LastOrders />
        <HealthLights />
      </div>
    </>
  );
}

function Profit({ now }: { now: Results }): ReactElement {
  const ledger = useCell(useDesk().ledger);
  const minute = Math.floor(useNow() / 5_000) * 5_000;
  const points = useMemo(
    () => profitCurve(ledger?.curve ?? [], { at: minute, profit: now.profit }),
    [ledger, minute, now.profit],
  );
  return (
    <section className="card profit" aria-label="Profit so far">
      <div className="headline">
        <div>
          <h2 className="muted">Profit so far</h2>
          <div className={`total live ${tone(now.profit)}`} data-testid="profit">
            {gain(now.profit)}
          </div>
        </div>
        <dl className="parts live">
          <div>
            <dt>Realised</dt>
            <dd>
              <Gain amount={now.realised} />
            </dd>
          </div>
          <div>
            <dt>Unrealised</dt>
            <dd>
              <Gain amount={now.unrealised} />
            </dd>
          </div>
          <div>
            <dt>Fees paid</dt>
            <dd>{dollars(now.fees)}</dd>
          </div>
        </dl>
      </div>
      <div className="chart">
        {points.length > 1 ? (
          <Chart label="Profit over time" points={points} format={gain} />
        ) : (
          <Empty icon="signal" title="No results yet">
            The curve begins with the first trades.
          </Empty>
        )}
      </div>
    </section>
  );
}

function Numbers({ now }: { now: Results }): ReactElement {
  const status = useCell(useDesk().status);
  const strategies = useCell(useDesk().strategyStatus);
  const running = [...strategies.values()].filter((strategy) => strategy.state === "running").length;
  const known = status !== null;
  return (
    <dl className="numbers live">
      <Tile
        title="Cash"
        value={dollars(now.cash)}
        note={now.worth === null ? "" : `${dollars(now.worth)} with positions`}
      />
      <Tile
        title="Open orders"
        value={known ? String(status.openOrders) : "–"}
        note={known && status.unknownOrders > 0 ? `${status.unknownOrders} of unknown fate` : ""}
      />
      <Tile
        title="Open positions"
        value={known ? String(status.openPositions) : "–"}
        note={known ? `${status.watchedMarkets} markets watched` : ""}
      />
      <Tile
        title="Strategies running"
        value={strategies.size === 0 ? "–" : `${running} of ${strategies.size}`}
        note={known ? `up ${duration(status.uptimeSeconds)}` : ""}
      />
    </dl>
  );
}

function Tile({ title, value, note }: { title: string; value: string; note: string }): ReactElement {
  return (
    <div className="card tile">
      <dt>{title}</dt>
      <dd>{value}</dd>
      <dd className="note">{note}</dd>
    </div>
  );
}

function Half({
  title,
  more,
  children,
}: {
  title: string;
  more?: { text: string; to: string };
  children: ReactElement;
}): ReactElement {
  return (
    <section className="card half" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {more === undefined ? null : (
          <a className="push small" href={more.to}>
            {more.text}
          </a>
        )}
      </header>
      {children}
    </section>
  );
}

/** What is held; with room left, what was closed last and what it brought. */
function LastPositions(): ReactElement {
  const desk = useDesk();
  const loaded = useCell(desk.loaded);
  const all = useCell(desk.positions);
  const open = all.filter((position) => position.open);
  const closed = all.filter((position) => !position.open).sort((a, b) => (b.closedAt ?? 0) - (a.closedAt ?? 0));
  const shown = [...open, ...closed].slice(0, SHOWN);
  useTopics(shown.filter((position) => position.open).map((position) => `prices:${position.tokenId}`));
  return (
    <Half title="Positions" more={{ text: open.length > 0 ? `All ${open.length} open` : "All", to: href("positions") }}>
      {shown.length > 0 ? (
        <ul className="rows live">
          {shown.map((position) =>
            position.open ? (
              <OpenLine key={position.id} position={position} />
            ) : (
              <ClosedLine key={position.id} position={position} />
            ),
          )}
        </ul>
      ) : loaded ? (
        <Empty icon="positions" title="Nothing is held">
          Positions appear when an order is filled.
        </Empty>
      ) : (
        <Skeleton />
      )}
    </Half>
  );
}

interface LineProps {
  readonly position: Position;
}

function OpenLine({ position }: LineProps): ReactElement {
  const market = useMarket(position.marketId);
  const quote = useCell(useDesk().quote(position.tokenId).quote);
  return (
    <PositionLine position={position} result={unrealised(position, quote)}>
      <span className="clip">
        {shares(position.size)} {outcomeOf(market, position.tokenId) ?? "shares"} for {dollars(position.cost)} ·{" "}
        {position.strategy}
      </span>
      <span className="push nowrap">
        bid <Flash value={quote?.bid ?? null}>{price(quote?.bid ?? null, market?.tick)}</Flash>
      </span>
    </PositionLine>
  );
}

function ClosedLine({ position }: LineProps): ReactElement {
  const market = useMarket(position.marketId);
  const now = useNow();
  return (
    <PositionLine position={position} result={position.realised - position.fees}>
      <span className="clip">
        {outcomeOf(market, position.tokenId) ?? "Shares"} closed {ago(position.closedAt, now)} · {position.strategy}
      </span>
      <span className="push nowrap">after fees</span>
    </PositionLine>
  );
}

function PositionLine({
  position,
  result,
  children,
}: LineProps & { readonly result: Micros | null; readonly children: ReactNode }): ReactElement {
  const market = useMarket(position.marketId);
  return (
    <li>
      <div className="line">
        <a className="question clip" href={href("markets", position.marketId)}>
          {market?.question ?? "…"}
        </a>
        <strong className="push">
          <Gain amount={result} />
        </strong>
      </div>
      <div className="line small muted">{children}</div>
    </li>
  );
}

function LastSignals(): ReactElement {
  const signals = useCell(useDesk().signals);
  return (
    <Half title="Last signals" more={{ text: "Strategies", to: href("strategies") }}>
      {signals.length > 0 ? (
        <ul className="rows live">
          {signals.slice(0, SHOWN).map((signal) => (
            <SignalLine key={signal.id} signal={signal} />
          ))}
        </ul>
      ) : (
        <Empty icon="signal" title="No signals yet">
          Strategies say here what they want and why.
        </Empty>
      )}
    </Half>
  );
}

function SignalLine({ signal }: { signal: Signal }): ReactElement {
  const market = useMarket(signal.marketId);
  const now = useNow();
  const refused = signal.decision !== "" && signal.decision !== "accepted";
  return (
    <li>
      <div className="line">
        <span className="nowrap">
          <SideLabel side={signal.side} /> {shares(signal.size)} {outcomeOf(market, signal.tokenId) ?? ""} at{" "}
          {price(signal.price, market?.tick)}
        </span>
        <a className="question clip muted" href={href("markets", signal.marketId)}>
          {market?.question ?? "…"}
        </a>
        <span className="push small muted nowrap">{ago(signal.at, now)}</span>
      </div>
      <p className="small muted">
        {signal.source}: {signal.reason || "no reason given"}
      </p>
      {refused ? <p className="small warn">Not done: {signal.decision}</p> : null}
    </li>
  );
}

/** Open orders; with room left, the latest of the others. */
function LastOrders(): ReactElement {
  const desk = useDesk();
  const loaded = useCell(desk.loaded);
  const all = useCell(desk.orders);
  const open = all.filter((order) => OPEN_STATUSES.has(order.status));
  const shown = [...open, ...all.filter((order) => !OPEN_STATUSES.has(order.status))].slice(0, SHOWN);
  return (
    <Half title="Orders" more={{ text: open.length > 0 ? `All ${open.length} open` : "All", to: href("orders") }}>
      {shown.length > 0 ? (
        <ul className="rows live">
          {shown.map((order) => (
            <OrderLine key={order.id} order={order} />
          ))}
        </ul>
      ) : loaded ? (
        <Empty icon="orders" title="No orders yet">
          Strategies place orders when their conditions are met.
        </Empty>
      ) : (
        <Skeleton />
      )}
    </Half>
  );
}

function OrderLine({ order }: { order: Order }): ReactElement {
  const market = useMarket(order.marketId);
  return (
    <li>
      <div className="line">
        <span className="nowrap">
          <SideLabel side={order.side} /> {shares(order.size)} {outcomeOf(market, order.tokenId) ?? ""} at{" "}
          {price(order.price, market?.tick)}
        </span>
        <a className="question clip muted" href={href("markets", order.marketId)}>
          {market?.question ?? "…"}
        </a>
        <span className="push">
          <StatusBadge status={order.status} />
        </span>
      </div>
    </li>
  );
}

function HealthLights(): ReactElement {
  const checks = useCell(useDesk().health);
  return (
    <Half title="Health">
      {checks === null ? (
        <Skeleton rows={3} />
      ) : (
        <ul className="lights">
          {checks.map((check) => (
            <Light key={check.name} check={check} />
          ))}
        </ul>
      )}
    </Half>
  );
}

function Light({ check }: { check: Check }): ReactElement {
  const now = useNow();
  const age = check.succeededAt === null ? null : (now - check.succeededAt) / 1000;
  const late = age === null || age > check.interval * 2 + LATE_SECONDS;
  const tone = !check.ok ? "bad" : late ? "warn" : "good";
  const word = !check.ok ? "failing" : late ? "late" : "ok";
  return (
    <li title={`Checked every ${duration(check.interval)}`}>
      <span className={`dot ${tone}`} aria-hidden="true" />
      <span>
        {check.name.replaceAll("_", " ")} <span className="unseen">{word}</span>
      </span>
      <span className="muted small">{age === null ? "never" : `${duration(age)} ago`}</span>
      {check.ok || check.error === "" ? null : <span className="error">{check.error}</span>}
    </li>
  );
}
