import { describe, expect, test } from "vitest";
import * as money from "../src/format/money";
import * as time from "../src/format/time";

describe("money", () => {
  test("decimal texts become exact micro-units, whatever their length", () => {
    expect(money.micros("0.52")).toBe(520_000);
    expect(money.micros("0.520000")).toBe(520_000);
    expect(money.micros("-3.000001")).toBe(-3_000_001);
    expect(money.micros("9007199254.740991")).toBe(Number.MAX_SAFE_INTEGER);
  });

  test("doubles that stand for micro-units come back exactly", () => {
    for (const amount of [1, 19, 290_000, 570_000, 1_005_000, 4_000_000_000_000_001]) {
      expect(money.micros(amount / 1e6)).toBe(amount);
    }
  });

  test("what is absent, no number or too large to be exact is unknown, never zero", () => {
    for (const value of [null, undefined, "", "abc", "1e5", Number.NaN, Number.POSITIVE_INFINITY, "99999999999999"]) {
      expect(money.micros(value)).toBeNull();
      expect(money.dollars(money.micros(value))).toBe("–");
    }
    expect(money.dollars(money.micros("0"))).toBe("$0.00");
  });

  test("rounding for display is half away from zero and never by floating point", () => {
    expect(money.decimal(1_005_000, 2)).toBe("1.01");
    expect(money.decimal(-1_005_000, 2)).toBe("−1.01");
    expect(money.decimal(2_675_000, 2)).toBe("2.68");
    expect(money.decimal(-1, 2)).toBe("0.00");
    expect(money.decimal(1_234_567_890_000, 2)).toBe("1,234,567.89");
  });

  test("prices show the decimals of their tick, averages one more", () => {
    expect(money.price(520_000, 10_000)).toBe("0.52");
    expect(money.price(500_000, 100_000)).toBe("0.5");
    expect(money.price(502_500, 2_500)).toBe("0.5025");
    expect(money.price(100, 100)).toBe("0.0001");
    expect(money.price(455_000, 10_000)).toBe("0.455");
  });

  test("amounts below a cent show what they are", () => {
    expect(money.dollars(4_200)).toBe("$0.0042");
    expect(money.gain(-400_000)).toBe("−$0.40");
    expect(money.gain(1_230_000)).toBe("+$1.23");
    expect(money.gain(0)).toBe("$0.00");
  });

  test("shares lose empty decimals and keep small sizes", () => {
    expect(money.shares(10_000_000)).toBe("10");
    expect(money.shares(12_500_000)).toBe("12.5");
    expect(money.shares(1_200_000_000)).toBe("1,200");
    expect(money.shares(1)).toBe("0.000001");
  });

  test("short amounts fit a column", () => {
    expect(money.short(1_200_000_000_000)).toBe("$1.2M");
    expect(money.short(999_000_000)).toBe("$999");
    expect(money.short(344_000_000_000)).toBe("$344k");
    expect(money.short(null)).toBe("–");
  });

  test("price times size is exact beyond the range of doubles", () => {
    expect(money.notional(999_999, 8_000_000_000_000_001)).toBe(7_999_992_000_000_001);
    expect(money.notional(null, 1)).toBeNull();
  });
});

describe("time", () => {
  test("ages read as an operator says them", () => {
    expect([0.04, 9.94, 12.4, 300, 7_200, 200_000].map(time.duration)).toEqual([
      "0.0 s",
      "9.9 s",
      "12 s",
      "5 min",
      "2 h",
      "2 d",
    ]);
    expect(time.duration(null)).toBe("–");
    expect(time.ago(10_000, 10_400)).toBe("now");
    expect(time.ago(10_000, 14_900)).toBe("4 s ago");
  });

  test("a moment that is no date is unknown", () => {
    expect(time.moment("2026-11-22T10:00:00Z")).toBe(Date.UTC(2026, 10, 22, 10));
    expect(time.moment("soon")).toBeNull();
    expect(time.moment(null)).toBeNull();
    expect(time.until(1_000, 2_000)).toBe("ended");
  });
});
