/** Small pieces that several views share. */
import { type ReactElement, type ReactNode, useRef } from "react";
import { useMarket } from "../desk";
import { count, gain, type Micros, tone } from "../format/money";
import { outcomeOf } from "../live/catalog";
import type { Side } from "../model";
import { href } from "../route";
import { Icon, type IconName } from "./Icon";

export function Empty({
  icon,
  title,
  children,
}: {
  icon: IconName;
  title: string;
  children?: ReactNode;
}): ReactElement {
  return (
    <div className="empty">
      <Icon name={icon} />
      <strong>{title}</strong>
      {children === undefined ? null : <p>{children}</p>}
    </div>
  );
}

export function Skeleton({ rows = 5 }: { rows?: number }): ReactElement {
  return (
    <div className="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars are alike and never move
        <span key={index} />
      ))}
    </div>
  );
}

/** A gain or a loss with sign and colour. */
export function Gain({ amount }: { amount: Micros | null }): ReactElement {
  return <span className={`nowrap ${tone(amount)}`}>{gain(amount)}</span>;
}

export function SideLabel({ side }: { side: Side }): ReactElement {
  return <span className={`side-${side}`}>{side === "buy" ? "Buy" : "Sell"}</span>;
}

/** A figure that lights up when it changes: upwards green, downwards red. */
export function Flash({ value, children }: { value: Micros | null; children: ReactNode }): ReactElement {
  const last = useRef({ value, direction: "", count: 0 });
  if (last.current.value !== value) {
    const before = last.current.value;
    const direction = before === null || value === null ? "" : value > before ? "flash-up" : "flash-down";
    last.current = { value, direction, count: last.current.count + 1 };
  }
  return (
    <span key={last.current.count} className={last.current.direction}>
      {children}
    </span>
  );
}

/** What is traded: the question, the outcome and who trades it, linked to the market. */
export function What({ marketId, tokenId, note }: { marketId: string; tokenId: string; note?: string }): ReactElement {
  const market = useMarket(marketId);
  const outcome = outcomeOf(market, tokenId);
  return (
    <a className="what" href={href("markets", marketId)}>
      <span className="question">{market?.question ?? `Market ${marketId.slice(0, 12)}…`}</span>
      <span className="sub">{[outcome, note].filter(Boolean).join(" · ")}</span>
    </a>
  );
}

const TONES: Readonly<Record<string, string>> = {
  live: "info",
  partially_filled: "info",
  matched: "good",
  filled: "good",
  partial: "warn",
  pending: "info",
  confirmed: "good",
  running: "good",
  unknown: "warn",
  delayed: "warn",
  cancelling: "warn",
  retrying: "warn",
  initializing: "warn",
  stopping: "warn",
  rejected: "bad",
  failed: "bad",
  error: "bad",
};

export function StatusBadge({ status, title }: { status: string; title?: string }): ReactElement {
  return (
    <span className={`badge ${TONES[status] ?? ""}`} {...(title ? { title } : {})}>
      {status.replaceAll("_", " ") || "unknown"}
    </span>
  );
}

/** One figure with its name, for a row of them. */
export function Tile({ title, value, note }: { title: string; value: string; note: string }): ReactElement {
  return (
    <div className="card tile">
      <dt>{title}</dt>
      <dd>{value}</dd>
      <dd className="note">{note}</dd>
    </div>
  );
}

interface ChipsProps<T extends string> {
  readonly label: string;
  readonly options: readonly (readonly [T, string])[];
  readonly value: T;
  readonly onChange: (value: T) => void;
}

/** A row of choices of which one is taken. */
export function Chips<T extends string>({ label, options, value, onChange }: ChipsProps<T>): ReactElement {
  return (
    <fieldset className="chips" aria-label={label}>
      {options.map(([key, text]) => (
        <button key={key} type="button" aria-pressed={key === value} onClick={() => onChange(key)}>
          {text}
        </button>
      ))}
    </fieldset>
  );
}

interface SearchProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** A search field; the key `/` goes to the one that is shown. */
export function Search({ label, value, onChange }: SearchProps): ReactElement {
  return (
    <label className="field search">
      <Icon name="search" />
      <span className="unseen">{label}</span>
      <input
        type="search"
        value={value}
        placeholder={label}
        data-search=""
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}

/** How often something was refused, and for which reasons; open on demand. */
export function Reasons({
  reasons,
  what,
}: {
  reasons: readonly (readonly [string, number])[];
  what: string;
}): ReactElement | null {
  if (reasons.length === 0) return null;
  const total = reasons.reduce((sum, [, times]) => sum + times, 0);
  return (
    <details className="refusals live">
      <summary>
        {count(total)} {what}
      </summary>
      <dl>
        {reasons.map(([reason, times]) => (
          <div key={reason}>
            <dt>{reason.replaceAll("_", " ")}</dt>
            <dd>{count(times)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
