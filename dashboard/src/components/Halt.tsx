/** Stopping and resuming all new risk: the button that is always in reach, its dialogs, and the strip that says what is halted. */
import { type ReactElement, useState } from "react";
import { ApiError } from "../api/http";
import { useDesk, useMarket, useMayHalt } from "../desk";
import { clock } from "../format/time";
import { outcomeOf } from "../live/catalog";
import { useCell } from "../live/store";
import type { Halt, Market } from "../model";
import { href } from "../route";
import { Confirm } from "./Dialog";
import { Icon } from "./Icon";

const DEFAULT_REASON = "Stopped from the dashboard";

/** The halt of everything, when there is one. */
function haltOfAll(halts: readonly Halt[] | undefined): Halt | undefined {
  return halts?.find((halt) => halt.scope === "all");
}

export function HaltButton({ onAsk }: { onAsk: () => void }): ReactElement {
  const halted = haltOfAll(useCell(useDesk().status)?.halts) !== undefined;
  const allowed = useMayHalt();
  return (
    <button
      type="button"
      className={`button ${halted ? "" : "danger"}`}
      onClick={onAsk}
      disabled={!allowed}
      title={allowed ? "Key: h" : "Needs the role trader"}
    >
      <Icon name={halted ? "play" : "stop"} />
      {halted ? "Resume" : "Halt"}
    </button>
  );
}

/** The dialog behind the button and the key: halts when nothing is halted, resumes otherwise. */
export function HaltDialog({ onClose }: { onClose: () => void }): ReactElement {
  const desk = useDesk();
  const [halt] = useState(() => haltOfAll(desk.status.get()?.halts));
  return halt === undefined ? <StopDialog onClose={onClose} /> : <ResumeDialog halt={halt} onClose={onClose} />;
}

const SCOPES = [
  ["all", "all trading"],
  ["venue", "the venue"],
  ["strategy", "one strategy"],
  ["market", "one market"],
  ["arbitrage", "all arbitrage"],
] as const;
const SELL = "sell";

function StopDialog({ onClose }: { onClose: () => void }): ReactElement {
  const desk = useDesk();
  const [reason, setReason] = useState(DEFAULT_REASON);
  const [scope, setScope] = useState<string>("all");
  const [target, setTarget] = useState("");
  const [flatten, setFlatten] = useState(false);
  const [word, setWord] = useState("");
  const targeted = scope === "strategy" || scope === "market";
  const venue = useCell(desk.status)?.venue ?? "";
  const named = scope === "venue" ? venue : targeted ? target.trim() : "";
  const selling = flatten && scope !== "arbitrage";
  const run = async (): Promise<void> => {
    if (targeted && named === "") throw new ApiError(400, `Name the ${scope}.`, "");
    if (scope === "venue" && named === "") {
      throw new ApiError(400, "The trader has not said yet where it trades.", "Halt all trading instead.");
    }
    if (selling && word.trim().toLowerCase() !== SELL) {
      throw new ApiError(400, `Type “${SELL}” to confirm that positions are sold.`, "");
    }
    const answer = await desk.api.halt({
      scope,
      target: named,
      reason: reason.trim() || DEFAULT_REASON,
      flatten: selling,
    });
    if (answer === "done") desk.toasts.add("success", "Trading is halted", "Its open orders are cancelled.");
    else if (answer === "unconfirmed")
      desk.toasts.add("info", "Trading is halted", "The venue has not confirmed yet that no order is open.");
    else if (selling)
      desk.toasts.add("info", "Halted, and selling", "What is held is sold in slices the book can take.");
    else desk.toasts.add("info", "The halt is sent", "The trader has not answered yet; it takes effect when it does.");
  };
  return (
    <Confirm
      title={scope === "all" ? "Halt all trading?" : "Halt?"}
      action={selling ? "Halt and sell" : "Halt now"}
      danger
      run={run}
      onClose={onClose}
    >
      <p className="muted">
        No new risk is taken and all open orders are cancelled. Positions stay unless you sell them; orders that reduce
        them are still allowed.
      </p>
      <label className="field">
        <span className="unit">What</span>
        <select value={scope} onChange={(event) => setScope(event.target.value)}>
          {SCOPES.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </select>
      </label>
      {targeted ? (
        <label className="field">
          <span className="unit">{scope === "market" ? "Market id" : "Strategy"}</span>
          <input value={target} maxLength={120} onChange={(event) => setTarget(event.target.value)} />
        </label>
      ) : null}
      {scope === "arbitrage" ? null : (
        <label className="field">
          <input type="checkbox" checked={flatten} onChange={(event) => setFlatten(event.target.checked)} />
          <span className="unit">Also sell what it holds, at most 5 ¢ below the best bid</span>
        </label>
      )}
      {selling ? (
        <label className="field">
          <span className="unit">Type “{SELL}” to confirm</span>
          <input value={word} maxLength={10} autoComplete="off" onChange={(event) => setWord(event.target.value)} />
        </label>
      ) : null}
      <label className="field">
        <span className="unit">Reason</span>
        <input value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} />
      </label>
    </Confirm>
  );
}

function ResumeDialog({ halt, onClose }: { halt: Halt; onClose: () => void }): ReactElement {
  const desk = useDesk();
  const run = async (): Promise<void> => {
    const answer = await desk.api.resume(halt.scope, halt.target);
    if (answer === "done") desk.toasts.add("success", "Trading goes on");
    else desk.toasts.add("info", "The resume is sent", "The trader has not answered yet.");
  };
  return (
    <Confirm title={`Lift the halt of ${scopeText(halt)}?`} action="Resume" run={run} onClose={onClose}>
      <p className="muted">
        “{halt.reason}”, set by {halt.setBy || "the system"}. Strategies may take new risk again at once.
      </p>
    </Confirm>
  );
}

export function HaltStrips(): ReactElement | null {
  const status = useCell(useDesk().status);
  const allowed = useMayHalt();
  const [lifting, setLifting] = useState<Halt | null>(null);
  if (status === null || status.halts.length === 0) return null;
  return (
    <>
      {status.halts.map((halt) => (
        <div key={`${halt.scope} ${halt.target}`} className="strip halted" role="alert">
          <strong>
            <Icon name="stop" /> Halted: <Halted halt={halt} />
          </strong>
          <span>
            <HaltReason halt={halt} /> – {halt.setBy || "system"}, {clock(halt.setAt, status.at)}
          </span>
          <button type="button" className="button tiny" disabled={!allowed} onClick={() => setLifting(halt)}>
            Resume
          </button>
        </div>
      ))}
      {lifting === null ? null : <ResumeDialog halt={lifting} onClose={() => setLifting(null)} />}
    </>
  );
}

/** The market that a halt stops, as soon as it is known; `null` for every other scope. */
function useHaltedMarket(halt: Halt): Market | null {
  return useMarket(halt.scope === "market" ? halt.target : "");
}

function Halted({ halt }: { halt: Halt }): ReactElement {
  const market = useHaltedMarket(halt);
  if (market === null) return <>{scopeText(halt)}</>;
  return (
    <a href={href("markets", market.id)} title={`Market ${market.id}`}>
      {market.question}
    </a>
  );
}

/** The reason, with the outcomes of the halted market in the place of its tokens. */
function HaltReason({ halt }: { halt: Halt }): ReactElement {
  const market = useHaltedMarket(halt);
  const tokens = market?.tokenIds ?? [];
  return (
    <>{tokens.reduce((text, token) => text.replaceAll(token, `“${outcomeOf(market, token) ?? token}”`), halt.reason)}</>
  );
}

function scopeText(halt: Halt): string {
  if (halt.scope !== "all") return `${halt.scope} ${halt.target}`.trim();
  return halt.target === "" ? "all trading" : `all trading (${halt.target.replaceAll("_", " ")})`;
}
