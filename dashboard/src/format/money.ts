/**
 * Exact money: every amount is an integer of micro-units (1e-6), held in a JavaScript number.
 *
 * Integers below 2^53 are exact, which is 9 billion dollars; anything larger, or text that is not a decimal number, becomes
 * `null`, and `null` is shown as "–": an unknown amount is never shown as zero. Rounding happens only where text is made, half away
 * from zero, in integers.
 */
export type Micros = number;
export const MICRO = 1_000_000;
export const UNKNOWN = "–";

const DECIMAL = /^(-?)(\d{1,16})(?:\.(\d{0,30}))?$/;

/** The micro-units of a decimal text ("0.52") exactly, or of a double to the nearest micro-unit; `null` when unknown. */
export function micros(value: string | number | null | undefined): Micros | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return safe(Math.round(value * MICRO));
  const match = DECIMAL.exec(value.trim());
  if (match === null) return null;
  const fraction = (match[3] ?? "").padEnd(7, "0");
  const whole = Number(match[2]) * MICRO + Number(fraction.slice(0, 6)) + (Number(fraction[6]) >= 5 ? 1 : 0);
  return safe(match[1] === "-" ? -whole : whole);
}

function safe(amount: number): Micros | null {
  if (!Number.isSafeInteger(amount)) return null;
  return amount === 0 ? 0 : amount;
}

/** Decimal text of `amount` with exactly `decimals` decimals (0 to 6), thousands separated. */
export function decimal(amount: Micros, decimals: number): string {
  const step = 10 ** (6 - decimals);
  const rounded = Math.floor((Math.abs(amount) + step / 2) / step);
  const scale = 10 ** decimals;
  const whole = Math.floor(rounded / scale)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
  const sign = amount < 0 && rounded > 0 ? "−" : "";
  return decimals === 0 ? `${sign}${whole}` : `${sign}${whole}.${(rounded % scale).toString().padStart(decimals, "0")}`;
}

/** A whole number with thousands separated. */
export function count(value: number): string {
  return decimal(value * MICRO, 0);
}

/** How many decimals a price on this tick needs: 0.01 → 2, 0.0025 → 4. */
export function priceDecimals(tick: Micros): number {
  let decimals = 6;
  while (decimals > 1 && tick % 10 ** (7 - decimals) === 0) decimals -= 1;
  return decimals;
}

/** A price between 0 and 1, such as "0.52" on a tick of 0.01. Prices between two ticks (averages) keep one decimal more. */
export function price(amount: Micros | null, tick: Micros = 10_000): string {
  if (amount === null) return UNKNOWN;
  const decimals = priceDecimals(tick);
  return decimal(amount, amount % tick === 0 ? decimals : Math.min(6, decimals + 1));
}

/** A number of shares: "1,250", "12.5", "0.03". */
export function shares(amount: Micros | null): string {
  if (amount === null) return UNKNOWN;
  const text = decimal(amount, amount !== 0 && Math.abs(amount) < 10_000 ? 6 : 2);
  return text.replace(/\.?0+$/, "");
}

/** Dollars and cents; amounts under a cent show what they are ("$0.0042") instead of "$0.00". */
export function dollars(amount: Micros | null): string {
  if (amount === null) return UNKNOWN;
  const decimals = amount !== 0 && Math.abs(amount) < 10_000 ? 4 : 2;
  const text = decimal(amount, decimals);
  return text.startsWith("−") ? `−$${text.slice(1)}` : `$${text}`;
}

/** Dollars with their sign: a gain or a loss. Nothing gained is "$0.00", without sign. */
export function gain(amount: Micros | null): string {
  return amount !== null && amount > 0 ? `+${dollars(amount)}` : dollars(amount);
}

const UNITS: readonly [number, string][] = [
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "k"],
];

/** A short amount for a column: "$1.2M", "$340". */
export function short(amount: Micros | null, sign = "$"): string {
  if (amount === null) return UNKNOWN;
  const magnitude = Math.abs(amount) / MICRO;
  const minus = amount < 0 ? "−" : "";
  for (const [scale, letter] of UNITS) {
    if (magnitude >= scale) {
      const scaled = magnitude / scale;
      return `${minus}${sign}${scaled < 10 ? scaled.toFixed(1) : Math.round(scaled)}${letter}`;
    }
  }
  return `${minus}${sign}${Math.round(magnitude)}`;
}

/** "gain", "loss" or "" for colouring; the sign in the text says the same to those who do not see colours. */
export function tone(amount: Micros | null): "gain" | "loss" | "" {
  if (amount === null || amount === 0) return "";
  return amount > 0 ? "gain" : "loss";
}

/** price × size in micro-units, rounded to the nearest; `null` when either is unknown. */
export function notional(price: Micros | null, size: Micros | null): Micros | null {
  if (price === null || size === null) return null;
  return Number((BigInt(price) * BigInt(size) + 500_000n) / 1_000_000n);
}
