import { expect, test } from "vitest";
import { durationMs, problem, rangeText, read } from "../src/components/parameters";
import { entryPrice, profitCurve, results, unrealised } from "../src/live/results";
import type { Parameter, Position, Status } from "../src/model";

const NUMBER: Parameter = {
  name: "drop_threshold",
  title: "Drop",
  help: "",
  kind: "number",
  unit: "$",
  fallback: 0.1,
  minimum: 0.01,
  maximum: 0.9,
  choices: [],
};
const WINDOW: Parameter = { ...NUMBER, kind: "duration", fallback: "5m", minimum: "30s", maximum: "1d" };

test("numbers outside their range, and texts that are none, are refused with the range", () => {
  expect(problem(NUMBER, "0.1")).toBeNull();
  expect(problem(NUMBER, ".5")).toBeNull();
  expect(problem(NUMBER, "0")).toBe("Expected at least 0.01.");
  expect(problem(NUMBER, "1")).toBe("Expected at most 0.9.");
  for (const text of ["", "abc", "1e3", "Infinity", "NaN", "0,1", "0x1"])
    expect(problem(NUMBER, text)).toBe("Expected a number.");
  expect(problem({ ...NUMBER, kind: "integer", maximum: 9 }, "1.5")).toBe("Expected a whole number.");
});

test("durations are compared by their length, not by their text", () => {
  expect(durationMs("1h30m")).toBe(5_400_000);
  expect(durationMs("250ms")).toBe(250);
  expect(durationMs("5 m")).toBeNull();
  expect(problem(WINDOW, "9s")).toBe("Expected at least 30s.");
  expect(problem(WINDOW, "100s")).toBeNull();
  expect(problem(WINDOW, "25h")).toBe("Expected at most 1d.");
  expect(problem(WINDOW, "soon")).toContain("5m, 90s or 1h30m");
});

test("fields send what the site takes: numbers as numbers, durations as texts", () => {
  expect(read(NUMBER, " 0.25 ")).toBe(0.25);
  expect(read(WINDOW, " 90s ")).toBe("90s");
  expect(read(NUMBER, true)).toBe(true);
});

test("the range is said in words", () => {
  expect(rangeText(NUMBER)).toBe("0.01 to 0.9, default 0.1.");
  expect(rangeText({ ...NUMBER, minimum: null, maximum: null, fallback: null })).toBe("");
});

test("profit is what was realised less fees plus what open positions would bring", () => {
  const status = { realised: 12_000_000, unrealised: -3_000_000, fees: 500_000, cash: 90_000_000 } as Status;
  expect(results(status, null).profit).toBe(8_500_000);
  expect(results(null, null)).toMatchObject({ profit: null, cash: null, worth: null });
});

test("the curve ends in the present and keeps gaps where a price was unknown", () => {
  const curve = [
    { at: 1, realised: 5, fees: 1, unrealised: 2 },
    { at: 2, realised: 5, fees: 1, unrealised: null },
  ];
  expect(profitCurve(curve, { at: 3, profit: 9 }).map((point) => point.value)).toEqual([6, null, 9]);
  expect(profitCurve(curve, { at: 3, profit: null })).toHaveLength(2);
});

test("a position without a bid has an unknown result, a flat one no entry price", () => {
  const position = { size: 10_000_000, cost: 5_000_000 } as Position;
  expect(unrealised(position, { bid: 520_000, ask: null, at: 0 })).toBe(200_000);
  expect(unrealised(position, null)).toBeNull();
  expect(entryPrice(position)).toBe(500_000);
  expect(entryPrice({ ...position, size: 0 })).toBeNull();
});
