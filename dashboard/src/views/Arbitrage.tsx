/** What leg groups were expected to bring and what they brought: the sums, how they came about, and every execution. */
import { type ReactElement, useEffect, useRef, useState } from "react";
import { Chart } from "../components/LazyChart";
import { Chips, Empty, Gain, Skeleton, StatusBadge, Tile } from "../components/parts";
import { type Column, Table } from "../components/Table";
import { useDesk, useMarket, useNow } from "../desk";
import { count, dollars, gain, type Micros, shares } from "../format/money";
import { clock } from "../format/time";
import { useCell } from "../live/store";
import type { ArbExecution, ArbProfit, ArbType } from "../model";
import { href } from "../route";
import { ArbitrageDetail } from "./ArbitrageDetail";
import { Moment } from "./Orders";
import { lastDays } from "./Results";

/** How often the sums are read again while executions change, and while they do not. */
const CHANGED_MS = 2_000;
const REFRESH_MS = 60_000;

const TYPES: readonly (readonly [ArbType | "", string])[] = [
  ["", "All"],
  ["rebalancing", "Rebalancing"],
  ["combinatorial", "Combinatorial"],
  ["cross_platform", "Cross-platform"],
];
const SPANS = [
  ["0", "Session"],
  ["7", "7 days"],
  ["30", "30 days"],
] as const;
type Span = (typeof SPANS)[number][0];

export function Arbitrage({ chosen }: { chosen: string }): ReactElement {
  return chosen === "" ? <All /> : <ArbitrageDetail key={chosen} id={chosen} />;
}

/** The sums of a type since a moment, read again soon after an execution changed; `null` before the first answer. */
function useProfit(type: ArbType | "", since: string): ArbProfit | null {
  const desk = useDesk();
  const looking = useCell(desk.looking);
  const now = useNow();
  const latest = useRef<readonly ArbExecution[]>([]);
  latest.current = useCell(desk.executions);
  const [counted, setCounted] = useState(latest.current);
  const [found, setFound] = useState<{ readonly about: string; readonly profit: ArbProfit } | null>(null);
  const about = [type, since, looking].join(" ");
  const soon = Math.floor(now / CHANGED_MS);
  const turn = Math.floor(now / REFRESH_MS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new moment takes over what changed since the last one
  useEffect(() => setCounted(latest.current), [soon]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: type and moment are in `about`; a change or a new turn reads again
  useEffect(() => {
    let wanted = true;
    desk.api.arbProfit(type, since).then(
      (profit) => wanted && setFound({ about, profit }),
      (error: unknown) => wanted && desk.failed("Could not read the arbitrage results", error),
    );
    return () => {
      wanted = false;
    };
  }, [desk, about, counted, turn]);
  return found?.about === about ? found.profit : null;
}

function All(): ReactElement {
  const desk = useDesk();
  const now = useNow();
  const loaded = useCell(desk.loaded);
  const executions = useCell(desk.executions);
  const [type, setType] = useState<ArbType | "">("");
  const [span, setSpan] = useState<Span>("0");
  const profit = useProfit(type, span === "0" ? "" : lastDays(Number(span), now).from);
  const rows = executions.filter((each) => type === "" || each.type === type);
  return (
    <div className="results">
      <div className="head">
        <h1>Arbitrage</h1>
        <Chips label="Type" options={TYPES} value={type} onChange={setType} />
        <Chips label="Period" options={SPANS} value={span} onChange={setSpan} />
        <span className="muted small push">{profit === null ? "" : beginning(profit, now)}</span>
      </div>
      {profit === null ? <Skeleton rows={3} /> : <Totals profit={profit} />}
      <section className="card" aria-label="Realised edge over time">
        <div className="chart">
          {profit === null || profit.curve.length === 0 ? (
            <Empty icon="arbitrage" title="No curve yet">
              It begins with the first execution that is over.
            </Empty>
          ) : (
            <Chart label="Realised edge, summed over executions" points={curveOf(profit)} format={gain} />
          )}
        </div>
      </section>
      <section className="card tabled live">
        {rows.length > 0 ? (
          <Table label="Executions" columns={COLUMNS} rows={rows} rowKey={(each) => each.id} />
        ) : loaded ? (
          <Empty icon="arbitrage" title={executions.length === 0 ? "No executions yet" : "No execution of this type"}>
            An execution appears with the first fill of a group of legs that are worth something only together.
          </Empty>
        ) : (
          <Skeleton />
        )}
      </section>
    </div>
  );
}

/** The realised sums over time, from nothing at the beginning of the period until the first result. */
function curveOf(profit: ArbProfit): { at: number; value: Micros }[] {
  const results = profit.curve.map((point) => ({ at: point.at, value: point.realised }));
  const first = results[0]?.at ?? profit.since;
  return [{ at: profit.since, value: 0 }, { at: Math.max(profit.since, first - 1), value: 0 }, ...results];
}

function beginning(profit: ArbProfit, now: number): string {
  return `since ${clock(profit.since, now)}${profit.session ? ", when the trader started" : ""}`;
}

function Totals({ profit }: { profit: ArbProfit }): ReactElement {
  const { total } = profit;
  const ended = `${count(total.wins)} won · ${count(total.losses)} lost · ${count(total.failed)} failed`;
  return (
    <dl className="numbers live">
      <Tile title="Realised" value={gain(total.realised)} note={`${gain(total.expected)} expected`} />
      <Tile
        title="Executions"
        value={count(total.executions)}
        note={total.running === 0 ? ended : `${ended} · ${count(total.running)} on the way`}
      />
      <Tile title="Fees" value={dollars(total.fees)} note={`${dollars(total.slippage)} slippage`} />
      <Tile title="Residual" value={dollars(total.residualCost)} note="cost of what nothing hedges" />
    </dl>
  );
}

/** The event of the legs, or the question of the first one when it stands alone, and what the strategy calls the group. */
function Group({ of: each }: { of: ArbExecution }): ReactElement {
  const market = useMarket(each.legs[0]?.marketId ?? "");
  const known = market === null ? "" : market.groupTitle || market.question;
  const about = [known === "" ? "" : each.group, each.strategy, each.type.replaceAll("_", " ")];
  return (
    <a className="what" href={href("arbitrage", each.id)}>
      <span className="question">{known || each.group}</span>
      <span className="sub">{about.filter(Boolean).join(" · ")}</span>
    </a>
  );
}

const COLUMNS: readonly Column<ArbExecution>[] = [
  {
    title: "Group",
    full: true,
    cell: (each) => <Group of={each} />,
  },
  { title: "Status", cell: (each) => <StatusBadge status={each.status} /> },
  {
    title: "Legs",
    right: true,
    cell: (each) => `${each.legs.filter((leg) => leg.filled > 0).length} of ${each.legs.length}`,
  },
  { title: "Edge", right: true, cell: (each) => <span className="nowrap">{count(each.edgeBps)} bps</span> },
  { title: "Expected", right: true, cell: (each) => <Gain amount={each.expected} /> },
  { title: "Realised", right: true, cell: (each) => <Gain amount={each.realised} /> },
  { title: "Fees", right: true, cell: (each) => dollars(each.fees) },
  { title: "Slippage", right: true, cell: (each) => dollars(each.slippage) },
  { title: "Residual", right: true, cell: (each) => shares(each.residual) },
  { title: "Began", right: true, cell: (each) => <Moment at={each.startedAt} /> },
];
