/** Dark, light, or as the system has it; the choice is kept in this browser. */
import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";
const KEY = "polybot.theme";
const NEXT: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const listeners = new Set<() => void>();

/** Storage may be forbidden to the page; the theme is then the system's. */
function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

let current = stored();

export function applyTheme(): void {
  if (current === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = current;
}

export function nextTheme(): void {
  current = NEXT[current];
  try {
    localStorage.setItem(KEY, current);
  } catch {
    // The choice then lasts as long as the page.
  }
  applyTheme();
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, () => current);
}

const SYSTEM_DARK = window.matchMedia("(prefers-color-scheme: dark)");

function subscribeDark(listener: () => void): () => void {
  listeners.add(listener);
  SYSTEM_DARK.addEventListener("change", listener);
  return () => {
    listeners.delete(listener);
    SYSTEM_DARK.removeEventListener("change", listener);
  };
}

/** Whether the page is dark now; for what draws its own colours. */
export function useDark(): boolean {
  return useSyncExternalStore(subscribeDark, () => (current === "system" ? SYSTEM_DARK.matches : current === "dark"));
}
