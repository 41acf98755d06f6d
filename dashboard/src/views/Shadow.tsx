/** The paper twin beside the account: what each of the two filled, paid and earned. Nothing while no twin runs. */
import { type ReactElement, useEffect, useState } from "react";
import { accountLabel } from "../components/Accounts";
import { type Column, Table } from "../components/Table";
import { useDesk, useNow } from "../desk";
import { count, dollars, gain, shares } from "../format/money";
import { useCell } from "../live/store";
import type { Drift } from "../model";

/** How often the figures are read again while the view is open. */
const REFRESH_MS = 30_000;

interface Line {
  readonly title: string;
  readonly live: string;
  readonly twin: string;
  readonly note: string;
}

const COLUMNS: readonly Column<Line>[] = [
  { title: "", full: true, cell: (line) => line.title },
  { title: "Account", right: true, cell: (line) => line.live },
  { title: "Paper twin", right: true, cell: (line) => line.twin },
  { title: "Difference", right: true, cell: (line) => line.note },
];

/** The figures side by side. */
export function compared(drift: Drift): readonly Line[] {
  return [
    {
      title: "Profit, what is held at the best bids",
      live: gain(drift.profitLive),
      twin: gain(drift.profitTwin),
      note: gain(drift.profitLive - drift.profitTwin),
    },
    {
      title: "Shares filled",
      live: shares(drift.filledLive),
      twin: shares(drift.filledTwin),
      note: `${shares(drift.filledOnlyLive)} live only, ${shares(drift.filledOnlyTwin)} on paper only`,
    },
    {
      title: "Fees",
      live: dollars(drift.feesLive),
      twin: dollars(drift.feesTwin),
      note: gain(drift.feesTwin - drift.feesLive),
    },
    { title: "Price of the shares that both got", live: "", twin: "", note: gain(-drift.slippage) },
    {
      title: "Orders that only this one refused",
      live: count(drift.refusedLive),
      twin: count(drift.refusedTwin),
      note: `of ${count(drift.orders)} orders`,
    },
  ];
}

/** The figures, read again now and then; `null` before the first answer and without a twin. */
function useDrift(): Drift | null {
  const desk = useDesk();
  const looking = useCell(desk.looking);
  const turn = Math.floor(useNow() / REFRESH_MS);
  const [found, setFound] = useState<{ readonly about: string; readonly drift: Drift | null } | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new turn reads again
  useEffect(() => {
    let wanted = true;
    desk.api.drift().then(
      (drift) => wanted && setFound({ about: looking, drift }),
      (error) => wanted && desk.failed("Could not read the paper twin", error),
    );
    return () => {
      wanted = false;
    };
  }, [desk, looking, turn]);
  return found?.about === looking ? found.drift : null;
}

export function Shadow(): ReactElement | null {
  const drift = useDrift();
  if (drift === null) return null;
  return (
    <>
      <div className="head">
        <h2>Paper twin</h2>
        <span className="muted small">
          {accountLabel(drift.twin)} has had every order since {new Date(drift.since).toLocaleString()}
        </span>
        {drift.failures > 0 ? (
          <span className="badge warn" title="They influence nothing but these figures">
            {count(drift.failures)} failures of the twin
          </span>
        ) : null}
      </div>
      <section className="card tabled">
        <Table label="Account and paper twin" columns={COLUMNS} rows={compared(drift)} rowKey={(line) => line.title} />
      </section>
    </>
  );
}
