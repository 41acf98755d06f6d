/** What is held, what it cost and what it would bring, and what closed positions brought. */
import { type ReactElement, useState } from "react";
import { Chips, Empty, Flash, Gain, Search, Skeleton, What } from "../components/parts";
import { type Column, Table } from "../components/Table";
import { useDesk, useMarket, useTopics } from "../desk";
import { dollars, type Micros, price, shares } from "../format/money";
import { entryPrice, unrealised } from "../live/results";
import { useCell } from "../live/store";
import type { Position, Quote } from "../model";
import { useMatch } from "./match";
import { Moment } from "./Orders";

type Show = "open" | "closed";

export function Positions(): ReactElement {
  const desk = useDesk();
  const loaded = useCell(desk.loaded);
  const all = useCell(desk.positions);
  const [show, setShow] = useState<Show>("open");
  const [search, setSearch] = useState("");
  const matches = useMatch(search);
  const open = all.filter((position) => position.open);
  useTopics(open.map((position) => `prices:${position.tokenId}`));
  const rows = all.filter((p) => p.open === (show === "open") && matches(p.marketId, [p.strategy]));
  return (
    <>
      <div className="head">
        <h1>Positions</h1>
        <Chips
          label="Which positions"
          options={[
            ["open", `Open ${open.length}`],
            ["closed", `Closed ${all.length - open.length}`],
          ]}
          value={show}
          onChange={setShow}
        />
        <Search label="Search positions" value={search} onChange={setSearch} />
      </div>
      <section className="card tabled live">
        {rows.length > 0 ? (
          <Table
            label="Positions"
            columns={show === "open" ? OPEN : CLOSED}
            rows={rows}
            rowKey={(position) => position.id}
          />
        ) : loaded ? (
          <Empty
            icon="positions"
            title={
              search === "" ? (show === "open" ? "Nothing is held" : "Nothing was closed yet") : "No position matches"
            }
          >
            {search === "" ? "Positions appear when orders are filled." : "Try another word."}
          </Empty>
        ) : (
          <Skeleton />
        )}
      </section>
    </>
  );
}

const MARKET: Column<Position> = {
  title: "Market",
  full: true,
  cell: (p) => <What marketId={p.marketId} tokenId={p.tokenId} note={p.strategy} />,
};
const FEES: Column<Position> = { title: "Fees", right: true, cell: (p) => dollars(p.fees) };
const REALISED: Column<Position> = { title: "Realised", right: true, cell: (p) => <Gain amount={p.realised} /> };

const OPEN: readonly Column<Position>[] = [
  MARKET,
  { title: "Size", right: true, cell: (p) => <Size position={p} /> },
  { title: "Entry", right: true, cell: (p) => <Priced marketId={p.marketId} amount={entryPrice(p)} /> },
  { title: "Mark", right: true, cell: (p) => <Mark position={p} /> },
  { title: "Unrealised", right: true, cell: (p) => <Unrealised position={p} /> },
  REALISED,
  { title: "Take profit", right: true, cell: (p) => <Priced marketId={p.marketId} amount={p.takeProfit} /> },
  { title: "Stop loss", right: true, cell: (p) => <Priced marketId={p.marketId} amount={p.stopLoss} /> },
  FEES,
  { title: "Opened", right: true, cell: (p) => <Moment at={p.openedAt} /> },
];

const CLOSED: readonly Column<Position>[] = [
  MARKET,
  { title: "Exit", right: true, cell: (p) => <Priced marketId={p.marketId} amount={p.exitPrice} /> },
  REALISED,
  FEES,
  { title: "After fees", right: true, cell: (p) => <Gain amount={p.realised - p.fees} /> },
  { title: "Opened", right: true, cell: (p) => <Moment at={p.openedAt} /> },
  { title: "Closed", right: true, cell: (p) => <Moment at={p.closedAt} /> },
];

function Size({ position }: { position: Position }): ReactElement {
  const waiting = position.unsettled === 0 ? "" : `${shares(position.unsettled)} not settled yet`;
  return (
    <span title={waiting}>
      {shares(position.size)}
      {waiting === "" ? null : <span className="warn"> *</span>}
    </span>
  );
}

function Priced({ marketId, amount }: { marketId: string; amount: Micros | null }): ReactElement {
  return <>{price(amount, useMarket(marketId)?.tick)}</>;
}

function useQuote(position: Position): Quote | null {
  return useCell(useDesk().quote(position.tokenId).quote);
}

function Mark({ position }: { position: Position }): ReactElement {
  const bid = useQuote(position)?.bid ?? null;
  return (
    <Flash value={bid}>
      <Priced marketId={position.marketId} amount={bid} />
    </Flash>
  );
}

function Unrealised({ position }: { position: Position }): ReactElement {
  return <Gain amount={unrealised(position, useQuote(position))} />;
}
