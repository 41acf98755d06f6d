/** Positions on the overview. */
import type { ReactElement, ReactNode } from "react";
import { Empty, Flash, Gain, Skeleton } from "../../components/parts";
import { useDesk, useMarket, useNow, useTopics } from "../../desk";
import { dollars, type Micros, price, shares } from "../../format/money";
import { ago } from "../../format/time";
import { outcomeOf } from "../../live/catalog";
import { unrealised } from "../../live/results";
import { useCell } from "../../live/store";
import type { Position } from "../../model";
import { href } from "../../route";
import { Half, SHOWN } from "./Half";

/** What is held; with room left, what was closed last and what it brought. */
export function LastPositions(): ReactElement {
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
