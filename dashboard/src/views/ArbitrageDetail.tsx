/** One execution: what it was expected to bring and what it brought, its legs, and everything that happened to them in order. */
import { type ReactElement, useEffect, useState } from "react";
import { explain } from "../api/http";
import { Empty, Gain, SideLabel, Skeleton, StatusBadge, Tile, What } from "../components/parts";
import { type Column, Table } from "../components/Table";
import { useDesk, useNow } from "../desk";
import { count, dollars, gain, price, shares } from "../format/money";
import { clock, duration } from "../format/time";
import { isTaken } from "../keys";
import { useCell } from "../live/store";
import type { ArbDetail, ArbExecution, ArbLeg } from "../model";
import { go, href } from "../route";
import { type Happening, timeline } from "./timeline";

/** An execution as the site has it, read again when the live one changed; or why it could not be read. */
function useExecution(id: string): ArbDetail | string | null {
  const desk = useDesk();
  const looking = useCell(desk.looking);
  const live = useCell(desk.executions).find((each) => each.id === id);
  const [found, setFound] = useState<ArbDetail | string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another account, or news of the execution, reads again
  useEffect(() => {
    let wanted = true;
    desk.api.execution(id).then(
      (detail) => wanted && setFound(detail),
      (error: unknown) => wanted && setFound(explain(error)),
    );
    return () => {
      wanted = false;
    };
  }, [desk, id, looking, live]);
  return found;
}

export function ArbitrageDetail({ id }: { id: string }): ReactElement {
  const found = useExecution(id);
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && !isTaken(event)) go("arbitrage");
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
  return (
    <div className="results">
      <div className="head">
        <a className="button" href={href("arbitrage")}>
          ← All executions
        </a>
      </div>
      {found === null ? (
        <Skeleton rows={10} />
      ) : typeof found === "string" ? (
        <div className="card">
          <Empty icon="alert" title="This execution could not be read">
            {found}
          </Empty>
        </div>
      ) : (
        <Known detail={found} />
      )}
    </div>
  );
}

function Known({ detail }: { detail: ArbDetail }): ReactElement {
  const { execution } = detail;
  const happenings = timeline(detail);
  return (
    <>
      <div className="head">
        <h1>{execution.group}</h1>
        <StatusBadge status={execution.status} />
        <span className="badge">{execution.type.replaceAll("_", " ")}</span>
        {detail.policy === "" ? null : <span className="badge">{detail.policy.replaceAll("_", " ")}</span>}
        <span className="muted small push">
          <When execution={execution} />
        </span>
      </div>
      <dl className="numbers">
        <Tile title="Realised" value={gain(execution.realised)} note={`${gain(execution.expected)} expected`} />
        <Tile title="Gross edge" value={`${count(execution.edgeBps)} bps`} note={`by ${execution.strategy}`} />
        <Tile title="Fees" value={dollars(execution.fees)} note={`${dollars(execution.slippage)} slippage`} />
        <Tile
          title="Residual"
          value={`${shares(execution.residual)} shares`}
          note={`cost ${dollars(execution.residualCost)}`}
        />
      </dl>
      <section className="card tabled">
        <Table label="Legs" columns={LEGS} rows={execution.legs} rowKey={(leg) => String(leg.number)} />
      </section>
      <h2>What happened</h2>
      <section className="card tabled">
        <Table label="Timeline" columns={STEPS} rows={happenings} rowKey={(step) => step.key} />
      </section>
    </>
  );
}

function When({ execution }: { execution: ArbExecution }): ReactElement {
  const began = clock(execution.startedAt, useNow());
  return execution.endedAt === null ? (
    <>began {began}, not over yet</>
  ) : (
    <>
      {began}, over after {duration((execution.endedAt - execution.startedAt) / 1000)}
    </>
  );
}

const LEGS: readonly Column<ArbLeg>[] = [
  {
    title: "Leg",
    full: true,
    cell: (leg) => <What marketId={leg.marketId} tokenId={leg.tokenId} note={`leg ${leg.number + 1}`} />,
  },
  { title: "Side", cell: (leg) => <SideLabel side={leg.side} /> },
  { title: "Filled", right: true, cell: (leg) => `${shares(leg.filled)} of ${shares(leg.size)}` },
  { title: "Planned", right: true, cell: (leg) => price(leg.expectedPrice) },
  { title: "Paid", right: true, cell: (leg) => price(leg.filledPrice) },
  { title: "Slippage", right: true, cell: (leg) => <span className="nowrap">{count(leg.slippageBps)} bps</span> },
  { title: "Fee", right: true, cell: (leg) => dollars(leg.fee) },
  { title: "Bought out", right: true, cell: (leg) => shares(leg.unwound) },
  { title: "Residual", right: true, cell: (leg) => shares(leg.residual) },
  { title: "Status", cell: (leg) => <StatusBadge status={leg.status} /> },
];

const STEPS: readonly Column<Happening>[] = [
  { title: "Step", full: true, cell: (step) => step.title },
  { title: "After", right: true, cell: (step) => <span className="nowrap muted">+{duration(step.after)}</span> },
  { title: "Side", cell: (step) => (step.side === null ? "" : <SideLabel side={step.side} />) },
  { title: "Size", right: true, cell: (step) => (step.size === null ? "" : shares(step.size)) },
  { title: "Price", right: true, cell: (step) => (step.price === null ? "" : price(step.price)) },
  { title: "Amount", right: true, cell: (step) => (step.cash === null ? "" : <Gain amount={step.cash} />) },
  { title: "Status", cell: (step) => (step.status === "" ? "" : <StatusBadge status={step.status} />) },
];
