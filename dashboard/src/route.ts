/** Where the page is: `#/markets/<id>`. The address can be kept and shared; an unknown one is the overview. */
import { useSyncExternalStore } from "react";

export const VIEWS = [
  "overview",
  "markets",
  "orders",
  "positions",
  "fills",
  "results",
  "strategies",
  "arbitrage",
] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  readonly view: View;
  /** What is chosen in the view, "" for nothing. */
  readonly item: string;
}

export function parseRoute(hash: string): Route {
  const [name = "", item = ""] = hash.replace(/^#\/?/, "").split("/");
  const view = VIEWS.find((known) => known === name);
  return view === undefined ? { view: "overview", item: "" } : { view, item: decoded(item) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

export function href(view: View, item = ""): string {
  return item === "" ? `#/${view}` : `#/${view}/${encodeURIComponent(item)}`;
}

export function go(view: View, item = ""): void {
  window.location.hash = href(view, item);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}

export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => window.location.hash));
}
