/** What the account earned in a period: the worth over time, results by group, the statement, and all of it as CSV. */
import { type ReactElement, useEffect, useState } from "react";
import type { Period } from "../api/api";
import { Icon } from "../components/Icon";
import { Chart } from "../components/LazyChart";
import { Chips, Empty, Gain, Skeleton, Tile } from "../components/parts";
import { type Column, Table } from "../components/Table";
import { useDesk, useNow } from "../desk";
import { count, decimal, dollars, gain } from "../format/money";
import { useCell } from "../live/store";
import type { Grouping, Report, Result, Statement, StatementLine } from "../model";
import { href } from "../route";
import { Shadow } from "./Shadow";

const DAY_MS = 86_400_000;
/** How often the figures are read again while the view is open. */
const REFRESH_MS = 60_000;

const PERIODS = [
  ["1", "Today"],
  ["7", "7 days"],
  ["30", "30 days"],
  ["365", "Year"],
] as const;
type Days = (typeof PERIODS)[number][0];

const BY: readonly (readonly [Grouping, string])[] = [
  ["strategy", "Strategy"],
  ["market", "Market"],
  ["category", "Category"],
  ["arbitrage", "Arbitrage"],
  ["day", "Day"],
  ["week", "Week"],
  ["month", "Month"],
];

/** The last `days` days until today, in UTC. */
export function lastDays(days: number, now: number): Period {
  const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
  return { from: day(now - (days - 1) * DAY_MS), to: day(now) };
}

interface Found {
  readonly report: Report;
  readonly statement: Statement;
}

/** Report and statement, read again now and then; `null` before the first answer. */
function useResults(period: Period, by: Grouping): Found | null {
  const desk = useDesk();
  const looking = useCell(desk.looking);
  const turn = Math.floor(useNow() / REFRESH_MS);
  const [found, setFound] = useState<{ readonly about: string; readonly results: Found } | null>(null);
  const about = [period.from, period.to, by, looking].join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the period is in `about`, and a new turn reads again
  useEffect(() => {
    let wanted = true;
    Promise.all([desk.api.report(period, by), desk.api.statement(period)]).then(
      ([report, statement]) => wanted && setFound({ about, results: { report, statement } }),
      (error) => wanted && desk.failed("Could not read the results", error),
    );
    return () => {
      wanted = false;
    };
  }, [desk, about, turn]);
  return found?.about === about ? found.results : null;
}

export function Results(): ReactElement {
  const desk = useDesk();
  const [days, setDays] = useState<Days>("30");
  const [by, setBy] = useState<Grouping>("strategy");
  const period = lastDays(Number(days), useNow());
  const found = useResults(period, by);
  return (
    <div className="results">
      <div className="head">
        <h1>Results</h1>
        <Chips label="Period" options={PERIODS} value={days} onChange={setDays} />
        <span className="muted small push">days of UTC</span>
      </div>
      {found === null ? <Skeleton rows={3} /> : <Totals report={found.report} />}
      <section className="card" aria-label="Profit over time">
        <div className="chart">
          {found === null || found.report.curve.length < 2 ? (
            <Empty icon="results" title="No curve yet">
              It begins with the first minutes of trading in the period.
            </Empty>
          ) : (
            <Chart
              label="Profit over time, with positions at the best bids"
              points={found.report.curve.map((point) => ({ at: point.at, value: point.profit }))}
              format={gain}
            />
          )}
        </div>
      </section>
      <div className="head">
        <Chips label="Group by" options={BY} value={by} onChange={setBy} />
        <Download href={desk.api.download("profit", period, by)} label="Results" />
        <Download href={desk.api.download("fills", period, by)} label="Fills" />
      </div>
      <section className="card tabled">
        {found === null ? (
          <Skeleton />
        ) : found.report.rows.length === 0 ? (
          <Empty icon="results" title="Nothing was traded in this period">
            Choose a longer one.
          </Empty>
        ) : (
          <Table label={`Results by ${by}`} columns={columns(by)} rows={found.report.rows} rowKey={(row) => row.key} />
        )}
      </section>
      <div className="head">
        <h2>Statement</h2>
        {found === null ? null : <Agreement statement={found.statement} />}
        <Download href={desk.api.download("statement", period, by)} label="Statement" />
      </div>
      <section className="card tabled">
        {found === null ? (
          <Skeleton />
        ) : (
          <Table label="Statement" columns={STATEMENT} rows={found.statement.lines} rowKey={(line) => line.kind} />
        )}
      </section>
      <Shadow />
    </div>
  );
}

function Download({ href: address, label }: { href: string; label: string }): ReactElement {
  return (
    <a className="button" href={address} download="" title={`${label} as CSV, for a spreadsheet`}>
      <Icon name="download" /> {label} CSV
    </a>
  );
}

function Totals({ report }: { report: Report }): ReactElement {
  const { total } = report;
  return (
    <dl className="numbers live">
      <Tile title="Profit" value={gain(total.profit)} note="realised, after fees, with rewards" />
      <Tile title="Fees" value={dollars(total.fees)} note={`${dollars(total.rewards)} rewards`} />
      <Tile title="Volume" value={dollars(total.volume)} note={`${count(total.fills)} fills`} />
      <Tile
        title="Drawdown"
        value={dollars(report.equityDrawdown)}
        note={`largest fall of the worth; ${dollars(total.maxDrawdown)} of what was realised`}
      />
    </dl>
  );
}

function percent(part: number | null): string {
  return part === null ? "–" : `${Math.round(part * 100)} %`;
}

function Group({ row, by }: { row: Result; by: Grouping }): ReactElement {
  if (by !== "market" || row.key === "") return <span className="what">{row.title}</span>;
  return (
    <a className="what" href={href("markets", row.key)}>
      <span className="question">{row.title}</span>
    </a>
  );
}

function columns(by: Grouping): readonly Column<Result>[] {
  return [
    { title: "Group", full: true, cell: (row) => <Group row={row} by={by} /> },
    { title: "Profit", right: true, cell: (row) => <Gain amount={row.profit} /> },
    { title: "Realised", right: true, cell: (row) => <Gain amount={row.realised} /> },
    { title: "Fees", right: true, cell: (row) => dollars(row.fees) },
    { title: "Volume", right: true, cell: (row) => dollars(row.volume) },
    { title: "Fills", right: true, cell: (row) => count(row.fills) },
    {
      title: "Maker",
      help: "Part of the volume that rested in the book until others took it",
      right: true,
      cell: (row) => percent(row.makerShare),
    },
    {
      title: "Won",
      help: "Part of the closed positions that brought a profit",
      right: true,
      cell: (row) => percent(row.winRate),
    },
    {
      title: "Drawdown",
      help: "Largest fall of the realised profit after fees from a peak",
      right: true,
      cell: (row) => dollars(row.maxDrawdown),
    },
    {
      title: "Held",
      help: "Positions at cost at the end of the period",
      right: true,
      cell: (row) => dollars(row.exposure),
    },
  ];
}

function Agreement({ statement }: { statement: Statement }): ReactElement {
  if (statement.agrees)
    return (
      <span className="badge good" title="Cash and shares are the venue's, to the micro-unit">
        agrees with the venue
      </span>
    );
  if (statement.unexplained === null) return <span className="badge">venue not read yet</span>;
  const cash = decimal(statement.unexplained, 6).replace(/^(−?)/, "$1$");
  return (
    <span className="badge warn" title="The CSV names the shares that differ">
      venue − books: {cash} of cash{statement.unexplained === 0 ? ", shares differ" : ""}
    </span>
  );
}

const STATEMENT: readonly Column<StatementLine>[] = [
  { title: "Movement", full: true, cell: (line) => line.title },
  { title: "Cash", right: true, cell: (line) => dollars(line.cash) },
  { title: "Positions at cost", right: true, cell: (line) => dollars(line.inventory) },
  { title: "Payouts due", right: true, cell: (line) => dollars(line.receivable) },
];
