import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const css = readFileSync("src/styles/theme.css", "utf8");

/** The light and the dark value of a colour of the theme. */
function colour(name: string): readonly [string, string] {
  const value = new RegExp(`${name}: ([^;]+);`).exec(css)?.[1];
  const pair = /light-dark\((#\w{6}), (#\w{6})\)/.exec(value ?? "");
  const [light, dark] = pair === null ? [value, value] : [pair[1], pair[2]];
  if (light === undefined || dark === undefined) throw new Error(`the theme has no colour ${name}`);
  return [light, dark];
}

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const PAIRS = [
  ...["--ground", "--surface", "--raised"].flatMap((ground) =>
    ["--text", "--muted", "--gain", "--loss", "--warn", "--accent"].map((text) => [text, ground]),
  ),
  ["--accent", "--accent-soft"],
  ["--text", "--accent-soft"],
  ...["--gain-bar", "--loss-bar"].flatMap((bar) => ["--text", "--muted"].map((text) => [text, bar])),
  ["--gain", "--gain-bar"],
  ["--loss", "--loss-bar"],
  ["--gain", "--gain-soft"],
  ["--loss", "--loss-soft"],
  ["--warn", "--warn-soft"],
  ["--sim", "--sim-soft"],
  ["--on-accent", "--accent-strong"],
  ["--on-danger", "--danger"],
] as [string, string][];

test.each(PAIRS)("%s is readable on %s, light and dark", (text, ground) => {
  const [lightText, darkText] = colour(text);
  const [lightGround, darkGround] = colour(ground);
  expect(contrast(lightText, lightGround)).toBeGreaterThanOrEqual(4.5);
  expect(contrast(darkText, darkGround)).toBeGreaterThanOrEqual(4.5);
});
