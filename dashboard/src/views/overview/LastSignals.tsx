/** What the strategies wanted last, why, and what became of it. */
import type { ReactElement } from "react";
import { Empty, SideLabel } from "../../components/parts";
import { useDesk, useMarket, useNow } from "../../desk";
import { price, shares } from "../../format/money";
import { ago } from "../../format/time";
import { outcomeOf } from "../../live/catalog";
import { useCell } from "../../live/store";
import type { Signal } from "../../model";
import { href } from "../../route";
import { Half, SHOWN } from "./Half";

export function LastSignals(): ReactElement {
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
