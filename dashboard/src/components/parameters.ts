/** Parameters as typed into a form: what a text means, and what is wrong with it. The site checks again. */
import { count } from "../format/money";
import type { Parameter, ParameterValue } from "../model";

/** What a field holds: a text, or on and off. */
export type Typed = string | boolean;

const UNITS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };
const DURATION = /^(?:\d{1,9}(?:ms|[smhd]))+$/;
const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)$/;

/** The text of a stored value. */
export function typed(value: ParameterValue): Typed {
  return typeof value === "boolean" ? value : value === null ? "" : String(value);
}

/** The milliseconds of "5m" or "1h30m"; `null` when it is no duration. */
export function durationMs(text: string): number | null {
  if (!DURATION.test(text)) return null;
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhd])/g)) total += Number(count) * (UNITS[unit ?? ""] ?? 0);
  return total;
}

/** The value a field stands for. */
export function read(parameter: Parameter, value: Typed): ParameterValue {
  if (typeof value === "boolean") return value;
  const text = value.trim();
  return parameter.kind === "number" || parameter.kind === "integer" ? Number(text) : text;
}

/** What is wrong with a field, `null` when nothing is. */
export function problem(parameter: Parameter, value: Typed): string | null {
  if (typeof value === "boolean") return null;
  const text = value.trim();
  switch (parameter.kind) {
    case "number":
      return NUMBER.test(text) ? outside(parameter, Number(text), Number) : "Expected a number.";
    case "integer":
      return /^-?\d+$/.test(text) ? outside(parameter, Number(text), Number) : "Expected a whole number.";
    case "duration": {
      const length = durationMs(text);
      return length === null
        ? "Expected a duration such as 5m, 90s or 1h30m."
        : outside(parameter, length, (bound) => durationMs(String(bound)));
    }
    default:
      return null;
  }
}

function outside(
  parameter: Parameter,
  value: number,
  measure: (bound: string | number) => number | null,
): string | null {
  const low = parameter.minimum === null ? null : measure(parameter.minimum);
  const high = parameter.maximum === null ? null : measure(parameter.maximum);
  if (low !== null && value < low) return `Expected at least ${parameter.minimum}.`;
  if (high !== null && value > high) return `Expected at most ${parameter.maximum}.`;
  return null;
}

/** The range and the default in words. */
export function rangeText(parameter: Parameter): string {
  const [low, high, usual] = [parameter.minimum, parameter.maximum, parameter.fallback].map(bound);
  const range = low && high ? `${low} to ${high}` : low ? `At least ${low}` : high ? `At most ${high}` : "";
  const parts = [range, usual && `default ${usual}`].filter(Boolean);
  return parts.length === 0 ? "" : `${parts.join(", ")}.`;
}

function bound(value: ParameterValue): string {
  if (typeof value === "number") return Number.isInteger(value) ? count(value) : String(value);
  return typeof value === "string" ? value : "";
}
