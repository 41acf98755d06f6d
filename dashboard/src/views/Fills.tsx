/** What was really bought and sold, newest first. */
import { type ReactElement, useState } from "react";
import { Empty, Search, SideLabel, Skeleton, StatusBadge, What } from "../components/parts";
import { type Column, Table } from "../components/Table";
import { useDesk } from "../desk";
import { dollars, notional, price, shares } from "../format/money";
import { useCell } from "../live/store";
import type { Fill } from "../model";
import { useMatch } from "./match";
import { Moment } from "./Orders";

export function Fills(): ReactElement {
  const desk = useDesk();
  const loaded = useCell(desk.loaded);
  const all = useCell(desk.fills);
  const [search, setSearch] = useState("");
  const matches = useMatch(search);
  const rows = all.filter((fill) => matches(fill.marketId, [fill.strategy, fill.status]));
  return (
    <>
      <div className="head">
        <h1>Fills</h1>
        <Search label="Search fills" value={search} onChange={setSearch} />
        <span className="muted push">{rows.length === 0 ? "" : `${rows.length} latest`}</span>
      </div>
      <section className="card tabled live">
        {rows.length > 0 ? (
          <Table label="Fills" columns={COLUMNS} rows={rows} rowKey={(fill) => fill.key} />
        ) : loaded ? (
          <Empty icon="fills" title={search === "" ? "No fills yet" : "No fill matches"}>
            {search === "" ? "A fill appears when the venue matches one of our orders." : "Try another word."}
          </Empty>
        ) : (
          <Skeleton />
        )}
      </section>
    </>
  );
}

const COLUMNS: readonly Column<Fill>[] = [
  { title: "Market", full: true, cell: (f) => <What marketId={f.marketId} tokenId={f.tokenId} note={f.strategy} /> },
  { title: "Side", cell: (f) => <SideLabel side={f.side} /> },
  { title: "Size", right: true, cell: (f) => shares(f.size) },
  { title: "Price", right: true, cell: (f) => price(f.price) },
  { title: "Amount", right: true, cell: (f) => dollars(notional(f.price, f.size)) },
  { title: "Fee", right: true, cell: (f) => dollars(f.fee) },
  { title: "Role", cell: (f) => f.liquidity },
  { title: "Status", cell: (f) => <StatusBadge status={f.status} /> },
  { title: "Time", right: true, cell: (f) => <Moment at={f.at} /> },
];
