/** The eight views; at the side on a desk, at the bottom on a phone. */
import type { ReactElement } from "react";
import { useDesk } from "../desk";
import { useCell } from "../live/store";
import { href, type View } from "../route";
import { Icon } from "./Icon";

export const TITLES: Record<View, string> = {
  overview: "Overview",
  markets: "Markets",
  orders: "Orders",
  positions: "Positions",
  fills: "Fills",
  results: "Results",
  strategies: "Strategies",
  arbitrage: "Arbitrage",
};

export function Nav({ view, onHelp }: { view: View; onHelp: () => void }): ReactElement {
  const status = useCell(useDesk().status);
  const counts: Partial<Record<View, number>> =
    status === null
      ? {}
      : { orders: status.openOrders, positions: status.openPositions, markets: status.watchedMarkets };
  return (
    <nav className="side" aria-label="Views">
      <ul>
        {(Object.keys(TITLES) as View[]).map((name) => (
          <li key={name}>
            <a href={href(name)} title={TITLES[name]} {...(name === view ? { "aria-current": "page" as const } : {})}>
              <Icon name={name} />
              <span className="label">{TITLES[name]}</span>
              {counts[name] ? <span className="count">{counts[name]}</span> : null}
            </a>
          </li>
        ))}
      </ul>
      <button type="button" className="item foot" onClick={onHelp} title="Keys and help (?)">
        <Icon name="help" />
        <span className="label">Keys and help</span>
      </button>
    </nav>
  );
}
