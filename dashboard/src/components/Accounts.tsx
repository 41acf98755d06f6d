/** Which account is shown: the one that is traded, or another one to look at. Accounts never mix, and the page says loudly when it looks away. */
import type { ReactElement } from "react";
import { useDesk } from "../desk";
import { useCell } from "../live/store";
import { Icon } from "./Icon";

const KINDS: Readonly<Record<string, string>> = {
  sim: "Simulated",
  paper: "Paper",
  live: "Live money",
  monitor: "Monitor",
};

/** "Paper · second": the kind in words, and the name. */
export function accountLabel(account: string): string {
  const [kind = "", ...name] = account.split(":");
  return [KINDS[kind] ?? kind, name.join(":")].filter(Boolean).join(" · ");
}

/** The accounts to choose from, in the menu; nothing while there is but one. */
export function Accounts(): ReactElement | null {
  const desk = useDesk();
  const accounts = useCell(desk.accounts);
  const looking = useCell(desk.looking);
  const traded = accounts[0]?.name ?? "";
  if (accounts.length < 2) return null;
  return (
    <fieldset className="accounts" aria-label="Account shown">
      {accounts.map((account) => (
        <button
          key={account.name}
          type="button"
          popoverTarget="menu"
          popoverTargetAction="hide"
          aria-pressed={account.name === (looking || traded)}
          title={account.name}
          onClick={() => desk.look(account.name === traded ? "" : account.name)}
        >
          <Icon name="wallet" />
          <span className="cut">{accountLabel(account.name)}</span>
          <span className="muted small">{account.running ? "running" : ""}</span>
        </button>
      ))}
    </fieldset>
  );
}

/** Across the page while another account than the traded one is shown. */
export function LookingStrip(): ReactElement | null {
  const desk = useDesk();
  const looking = useCell(desk.looking);
  if (looking === "") return null;
  return (
    <div className="strip looking" role="status">
      <Icon name="wallet" />
      <span>
        You are looking at <strong>{accountLabel(looking)}</strong>, which is not the account that is traded here.
        Nothing can be ordered in it; Halt stops the traded one.
      </span>
      <button type="button" className="button" onClick={() => desk.look("")}>
        Back
      </button>
    </div>
  );
}
