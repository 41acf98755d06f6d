/** The keys of the whole page. They are silent while someone types, while a dialog is open and with a modifier held. */
import { useEffect } from "react";
import { go, VIEWS } from "./route";
import { nextTheme } from "./theme";

interface Keys {
  readonly halt: () => void;
  readonly help: () => void;
  /** A dialog is open. */
  readonly busy: boolean;
}

const TYPING = "input, select, textarea, [contenteditable]";

/** Whether a key press is meant for a field or a dialog and not for the page. */
export function isTaken(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return true;
  const target = event.target;
  return target instanceof Element && (target.matches(TYPING) || target.closest("dialog") !== null);
}

export function useKeys({ halt, help, busy }: Keys): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (busy || isTaken(event)) return;
      const view = VIEWS[Number(event.key) - 1];
      if (view !== undefined) go(view);
      else if (event.key === "h") halt();
      else if (event.key === "?") help();
      else if (event.key === "t") nextTheme();
      else if (event.key === "/") document.querySelector<HTMLInputElement>("[data-search]")?.focus();
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [halt, help, busy]);
}
