/** How current the page is, in one sentence. Pure. */
import { duration } from "../format/time";
import type { Status } from "../model";
import type { Connection } from "./socket";

export interface Freshness {
  readonly tone: "good" | "warn" | "bad";
  /** A few words for the status bar. */
  readonly label: string;
  /** Why figures on the page may be old; "" while they are current. */
  readonly warning: string;
}

const SILENT_MS = 5_000;

export function freshness(connection: Connection, status: Status | null, now: number): Freshness {
  const age = status === null ? null : (now - status.at) / 1000;
  const since = age === null ? "" : ` Figures are ${duration(age)} old.`;
  if (connection.phase === "signed out") return { tone: "bad", label: "signed out", warning: "The login has ended." };
  if (connection.phase === "waiting" || (connection.phase === "connecting" && connection.attempts > 0)) {
    const tries = connection.attempts > 1 ? `, try ${connection.attempts}` : "";
    return { tone: "bad", label: "reconnecting", warning: `No connection to polybot; reconnecting${tries}.${since}` };
  }
  if (connection.phase === "connecting") return { tone: "warn", label: "connecting", warning: "" };
  if (status === null || age === null) {
    const waited = now - connection.since;
    const warning = waited < SILENT_MS ? "" : "Connected, but the trader says nothing. Is it running?";
    return { tone: "warn", label: "no trader", warning };
  }
  if (age * 1000 > SILENT_MS) {
    return {
      tone: "bad",
      label: `silent ${duration(age)}`,
      warning: `The trader has been silent for ${duration(age)}.`,
    };
  }
  if (!status.ready) return { tone: "warn", label: "recovering", warning: "" };
  if (!status.feedConnected)
    return { tone: "bad", label: "no market data", warning: "The trader has lost the venue's market data." };
  if (!status.userFeedConnected) return { tone: "warn", label: "no order feed", warning: "" };
  return { tone: "good", label: "live", warning: "" };
}
