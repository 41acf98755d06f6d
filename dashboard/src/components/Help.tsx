/** What the keys do and what the words mean. */
import type { ReactElement } from "react";
import { Dialog } from "./Dialog";

const KEYS: readonly (readonly [string, string])[] = [
  ["h", "Halt all trading, or resume (asks first)"],
  ["1 – 8", "Overview, markets, orders, positions, fills, results, strategies, arbitrage"],
  ["/", "Search"],
  ["j  k", "Next and previous market"],
  ["Esc", "Close, or back to the list"],
  ["t", "Light, dark or the system's colours"],
  ["?", "This help"],
];

export function Help({ onClose }: { onClose: () => void }): ReactElement {
  return (
    <Dialog title="Keys and help" onClose={onClose}>
      <dl className="keys">
        {KEYS.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p className="muted">
        Prices are dollars a share: 0.52 pays $1 if the outcome happens. “–” means not known. Greyed figures are old:
        the bar on top says how old and why.
      </p>
      <div className="actions">
        <button type="button" className="button primary" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
