/** The state of trading on one screen: profit so far, what is open, what the strategies wanted last, and what is healthy. */
import { type ReactElement, useMemo } from "react";
import { Chart } from "../components/LazyChart";
import { Empty, Gain, Tile } from "../components/parts";
import { useDesk, useNow } from "../desk";
import { dollars, gain, tone } from "../format/money";
import { duration } from "../format/time";
import { profitCurve, type Results, results } from "../live/results";
import { useCell } from "../live/store";
import type { Status } from "../model";
import { HealthLights } from "./overview/HealthLights";
import { LastOrders } from "./overview/LastOrders";
import { LastPositions } from "./overview/LastPositions";
import { LastSignals } from "./overview/LastSignals";

/** The curve's last point moves this often, not with every quote. */
const CURVE_STEP_MS = 5_000;

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
  const present = Math.floor(useNow() / CURVE_STEP_MS) * CURVE_STEP_MS;
  const points = useMemo(
    () => profitCurve(ledger?.curve ?? [], { at: present, profit: now.profit }),
    [ledger, present, now.profit],
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

/** What the figures of the orders do not say: orders nobody knows the fate of, and a venue that takes no new ones. */
function ordersNote(status: Status): string {
  const unknown = status.unknownOrders > 0 ? `${status.unknownOrders} of unknown fate` : "";
  const mode = ["", "normal"].includes(status.venueMode) ? "" : `venue ${status.venueMode}`;
  return [unknown, mode].filter(Boolean).join(", ");
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
        note={known ? ordersNote(status) : ""}
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
