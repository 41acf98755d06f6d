/** Ages and moments as an operator reads them. Unknown moments are `null` and shown as "–". */
import { UNKNOWN } from "./money";

/** Milliseconds since the epoch of an ISO text; `null` when there is none or it is not a date. */
export function moment(text: string | null | undefined): number | null {
  if (!text) return null;
  const value = Date.parse(text);
  return Number.isNaN(value) ? null : value;
}

/** "0.4 s", "12 s", "5 min", "3 h", "2 d" for a number of seconds. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return UNKNOWN;
  const s = Math.max(0, seconds);
  if (s < 9.95) return `${s.toFixed(1)} s`;
  if (s < 99.5) return `${Math.round(s)} s`;
  if (s < 5970) return `${Math.round(s / 60)} min`;
  if (s < 172_800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86_400)} d`;
}

/** How long ago `at` was, in whole words: "now", "12 s ago". */
export function ago(at: number | null, now: number): string {
  if (at === null) return UNKNOWN;
  const seconds = (now - at) / 1000;
  return seconds < 1 ? "now" : `${duration(seconds < 10 ? Math.floor(seconds) : seconds).replace(".0 ", " ")} ago`;
}

const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** The time of day, with the day in front when it is not the day of `now`. */
export function clock(at: number | null, now: number): string {
  if (at === null) return UNKNOWN;
  const time = TIME.format(at);
  return DAY.format(at) === DAY.format(now) ? time : `${DAY.format(at)} ${time}`;
}

/** A calendar date. */
export function date(at: number | null): string {
  return at === null ? UNKNOWN : DATE.format(at);
}

/** When something ends: "in 3 h", or the date when that is more than two days away; "ended" once past. */
export function until(at: number | null, now: number): string {
  if (at === null) return UNKNOWN;
  const seconds = (at - now) / 1000;
  if (seconds <= 0) return "ended";
  return seconds < 172_800 ? `in ${duration(seconds)}` : date(at);
}
