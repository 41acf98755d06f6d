/** The top bar: whose money, in which mode, how fresh, and the halt button. */
import type { ReactElement } from "react";
import { useDesk, useNow } from "../desk";
import { duration } from "../format/time";
import { type Freshness, freshness } from "../live/freshness";
import { useCell } from "../live/store";
import { nextTheme, type Theme, useTheme } from "../theme";
import { Accounts } from "./Accounts";
import { HaltButton } from "./Halt";
import { Icon } from "./Icon";

export function useFreshness(): Freshness {
  const desk = useDesk();
  return freshness(useCell(desk.socket.connection), useCell(desk.status), useNow());
}

export const KINDS = {
  sim: ["Simulated", "No real money: generated keys on a simulated venue."],
  paper: ["Paper", "Real market data, pretended orders. No real money."],
  live: ["Live money", "Orders are real and spend real money."],
  none: ["No account", "No trader has reported its account yet."],
} as const;

export function kindOf(account: string): keyof typeof KINDS {
  const prefix = account.split(":")[0];
  return prefix === "sim" || prefix === "paper" || prefix === "live" ? prefix : "none";
}

function Account(): ReactElement {
  const desk = useDesk();
  const traded = useCell(desk.status)?.account ?? "";
  const account = useCell(desk.looking) || traded;
  const kind = kindOf(account);
  const [label, meaning] = KINDS[kind];
  return (
    <span className={`account ${kind}`} title={account === "" ? meaning : `${meaning} Account ${account}`}>
      {label}
    </span>
  );
}

function Link(): ReactElement {
  const desk = useDesk();
  const now = useNow();
  const status = useCell(desk.status);
  const { tone, label } = useFreshness();
  const age = status === null ? null : (now - status.at) / 1000;
  return (
    <span
      className="link"
      role="status"
      title={status === null ? label : `Last word of the trader ${duration(age)} ago`}
    >
      <span className={`dot ${tone} ${tone === "good" ? "" : "busy"}`} aria-hidden="true" />
      <span>{label}</span>
      {tone === "good" ? <span className="muted wide">{duration(age)}</span> : null}
    </span>
  );
}

const THEMES: Record<Theme, readonly ["system" | "sun" | "moon", string]> = {
  system: ["system", "Colours as the system has them"],
  light: ["sun", "Light colours"],
  dark: ["moon", "Dark colours"],
};

export function StatusBar({ onHalt, onHelp }: { onHalt: () => void; onHelp: () => void }): ReactElement {
  const desk = useDesk();
  const status = useCell(desk.status);
  const user = useCell(desk.user);
  const [icon, label] = THEMES[useTheme()];
  return (
    <div className="statusbar">
      <a className="brand" href="#/overview" aria-label="polybot, overview">
        <Mark />
        <span className="name">polybot</span>
      </a>
      <Account />
      {status === null ? null : (
        <span className="badge wide" title="What the trader may do">
          {status.mode}
          {status.venue === "" ? "" : ` · ${status.venue}`}
        </span>
      )}
      <span className="push" />
      <Link />
      <button
        type="button"
        className="button plain icon wide"
        aria-label={`${label}; change`}
        title={`${label} (t)`}
        onClick={nextTheme}
      >
        <Icon name={icon} />
      </button>
      <button
        type="button"
        className="button plain icon"
        popoverTarget="menu"
        aria-label="Menu"
        title={user?.name ?? "Menu"}
      >
        <Icon name="user" />
      </button>
      <HaltButton onAsk={onHalt} />
      <Menu onHelp={onHelp} />
    </div>
  );
}

function Mark(): ReactElement {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="var(--accent-strong)" />
      <path
        d="M9 24V8h7.5a5.5 5.5 0 0 1 0 11H13"
        fill="none"
        stroke="#fff"
        strokeWidth="3.2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <circle cx="22.5" cy="23" r="2.4" fill="#7cf0c8" />
    </svg>
  );
}

function Menu({ onHelp }: { onHelp: () => void }): ReactElement {
  const user = useCell(useDesk().user);
  const [icon, label] = THEMES[useTheme()];
  return (
    <div id="menu" className="menu" popover="auto">
      <p>
        <strong>{user?.name ?? "Not signed in"}</strong>
        <br />
        <span className="muted small">{user === null ? "" : `Role: ${user.role}`}</span>
      </p>
      <Accounts />
      <button type="button" onClick={nextTheme}>
        <Icon name={icon} /> {label}
      </button>
      <button type="button" popoverTarget="menu" popoverTargetAction="hide" onClick={onHelp}>
        <Icon name="help" /> Keys and help
      </button>
      <a href="/admin/">
        <Icon name="gear" /> Admin
      </a>
      <a href="/api/docs/">
        <Icon name="book" /> API
      </a>
      <SignOut />
    </div>
  );
}

function SignOut(): ReactElement {
  const desk = useDesk();
  const leave = async (): Promise<void> => {
    try {
      await desk.api.signOut();
    } catch (error) {
      desk.failed("Could not sign out", error);
    }
  };
  return (
    <button type="button" onClick={() => void leave()}>
      <Icon name="leave" /> Sign out
    </button>
  );
}
