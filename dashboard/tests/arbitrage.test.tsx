import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Api } from "../src/api/api";
import { ApiError, type Http, type Json } from "../src/api/http";
import { App } from "../src/app";
import { DeskContext } from "../src/desk";
import { ArbExecutionSchema, ArbStatus, ArbType } from "../src/gen/polybot/v1/arbitrage_pb";
import { OrderSide } from "../src/gen/polybot/v1/order_pb";
import { Desk } from "../src/live/desk";
import { Frames } from "../src/live/store";
import { World } from "./support";

const LEG = {
  number: 0,
  order_id: "o1",
  market_id: "m1",
  token_id: "t1",
  side: "buy",
  expected_price: "0.4",
  filled_price: "0.404",
  size: "10",
  filled_size: "10",
  unwound: "4",
  residual: "6",
  fee: "0.01",
  slippage_bps: 100,
  status: "matched",
};
const EXECUTION = {
  id: "e1",
  arb_type: "rebalancing",
  leg_group_id: "basket-1",
  strategy: "rebalancing_arb",
  status: "failed",
  gross_edge_bps: 250,
  expected: "0.25",
  net_pnl: "-0.1",
  fees: "0.02",
  slippage: "0.04",
  residual: "6",
  residual_cost: "2.424",
  started_at: "2026-11-22T12:00:01Z",
  completed_at: "2026-11-22T12:00:04Z",
  legs: [LEG, { ...LEG, number: 1, order_id: "", filled_price: null, filled_size: "0", status: "not placed" }],
};
const MARKET = {
  id: "m1",
  question: "Will the Comets win?",
  outcomes: ["Yes", "No"],
  token_ids: ["t1", "t2"],
  category: "sports",
  status: "active",
  accepting_orders: true,
  tick: "0.01",
  min_size: "5",
  neg_risk: false,
};
const ORDER = {
  id: "o1",
  market_id: "m1",
  token_id: "t1",
  side: "buy",
  order_type: "FOK",
  price: "0.41",
  size: "10",
  filled_size: "10",
  status: "matched",
  created_at: "2026-11-22T12:00:00.5Z",
};
const FILL = {
  trade_id: "x",
  order_id: "o1",
  market_id: "m1",
  token_id: "t1",
  side: "buy",
  price: "0.404",
  size: "10",
  fee: "0.01",
  status: "confirmed",
  matched_at: "2026-11-22T12:00:00Z",
};
const DETAIL = {
  ...EXECUTION,
  group: { policy: "all_or_none", created_at: "2026-11-22T12:00:00Z" },
  orders: [{ ...ORDER, id: "o9", created_at: "2026-11-22T12:00:02Z" }, ORDER],
  fills: [FILL],
};
const TALLY = {
  arb_type: "",
  executions: 3,
  running: 1,
  wins: 1,
  losses: 1,
  failed: 1,
  expected: "0.5",
  net_pnl: "0.15",
  fees: "0.03",
  slippage: "-0.01",
  residual_cost: "2.424",
};
const PROFIT = { since: "2026-11-22T11:00:00Z", session: true, total: TALLY, by_type: [TALLY], curve: [] };

let world: World;
let desk: Desk;
let asked: string[];
let answers: Record<string, Json | Error>;

/** The site, as far as this page asks it; what is not named is an empty list. */
const http = {
  send: async (_method: string, path: string): Promise<Json> => {
    asked.push(path);
    const answer = answers[path.split("?")[0] ?? ""];
    if (answer instanceof Error) throw answer;
    return answer ?? { results: [], checks: [] };
  },
} as unknown as Http;

beforeEach(() => {
  world = new World();
  asked = [];
  answers = {
    "/api/me": { username: "ann", role: "viewer" },
    "/api/arbitrage/executions": { results: [EXECUTION] },
    "/api/arbitrage/executions/e1": DETAIL,
    "/api/arbitrage/profit": PROFIT,
  };
});
afterEach(cleanup);

const settle = (ms = 5): Promise<void> => act(async () => void (await new Promise((done) => setTimeout(done, ms))));
const press = (key: string): Promise<void> => act(async () => void fireEvent.keyDown(document.body, { key }));

async function page(hash: string): Promise<void> {
  window.location.hash = hash;
  desk = new Desk(new Api(http), world, () => undefined, new Frames((flush) => queueMicrotask(() => act(flush))));
  render(
    <DeskContext value={desk}>
      <App />
    </DeskContext>,
  );
  desk.socket.start();
  await act(async () => world.socket.admit());
  await settle();
}

const profitReads = (): string[] => asked.filter((path) => path.startsWith("/api/arbitrage/profit"));

describe("the arbitrage page", () => {
  test("shows what was expected beside what was realised, and each execution with what it cost", async () => {
    await page("#/arbitrage");
    const tile = screen.getByText("Realised", { selector: "dt" }).parentElement as HTMLElement;
    expect(tile.textContent).toBe("Realised+$0.15+$0.50 expected");
    expect(screen.getByText("1 won · 1 lost · 1 failed · 1 on the way")).toBeTruthy();
    const row = within(screen.getByRole("table", { name: "Executions" })).getAllByRole("row")[1] as HTMLElement;
    expect([...row.querySelectorAll("td")].slice(1, 9).map((cell) => cell.textContent)).toEqual([
      "failed",
      "1 of 2",
      "250 bps",
      "+$0.25",
      "−$0.10",
      "$0.02",
      "$0.04",
      "6",
    ]);
    expect(screen.getByRole("link", { name: /basket-1/ }).getAttribute("href")).toBe("#/arbitrage/e1");
  });

  test("calls an execution by the event of its legs, or by the question, once that is known", async () => {
    for (const [title, name] of [
      ["Who wins the shield?", "Who wins the shield?"],
      ["", "Will the Comets win?"],
    ] as const) {
      answers["/api/markets/m1"] = { ...MARKET, group_title: title };
      await page("#/arbitrage");
      const row = within(screen.getByRole("table", { name: "Executions" })).getAllByRole("row")[1] as HTMLElement;
      expect(row.querySelector(".question")?.textContent).toBe(name);
      expect(row.querySelector(".sub")?.textContent).toBe("basket-1 · rebalancing_arb · rebalancing");
      cleanup();
    }
  });

  test("follows executions as they happen, and reads the sums again soon after", async () => {
    await page("#/arbitrage");
    const before = profitReads().length;
    await act(async () => {
      for (const status of [ArbStatus.PENDING, ArbStatus.FILLED])
        world.socket.deliver({
          case: "arbExecution",
          streamId: "5-0",
          value: create(ArbExecutionSchema, {
            id: "e2",
            arbType: ArbType.CROSS_PLATFORM,
            legGroupId: "basket-2",
            status,
            netPnlMicros: 30_000n,
            startedAt: timestampFromMs(2_000_000_000_000),
            legs: [{ marketId: "m1", tokenId: "t1", side: OrderSide.SELL, filledMicros: 1n }],
          }),
        });
    });
    const table = screen.getByRole("table", { name: "Executions" });
    expect(within(table).getAllByRole("row")[1]?.textContent).toContain("basket-2");
    expect(within(table).getAllByRole("row")).toHaveLength(3);
    expect(table.textContent).toContain("+$0.03");
    await act(async () => desk.clock.set(desk.clock.get() + 2_000));
    await settle();
    expect(profitReads().length).toBe(before + 1);
  });

  test("is asked by type and by period", async () => {
    await page("#/arbitrage");
    await act(async () => void fireEvent.click(screen.getByRole("button", { name: "Combinatorial" })));
    expect(profitReads().at(-1)).toBe("/api/arbitrage/profit?type=combinatorial");
    expect(screen.getByText("No execution of this type")).toBeTruthy();
    await act(async () => void fireEvent.click(screen.getByRole("button", { name: "7 days" })));
    expect(profitReads().at(-1)).toMatch(/type=combinatorial&since=\d{4}-\d\d-\d\d$/);
  });

  test("says what will appear where there is nothing yet", async () => {
    answers["/api/arbitrage/executions"] = { results: [] };
    await page("#/arbitrage");
    expect(screen.getByText("No executions yet")).toBeTruthy();
    expect(screen.getByText("No curve yet")).toBeTruthy();
  });

  test("says when the sums cannot be read, and shows none", async () => {
    answers["/api/arbitrage/profit"] = new ApiError(503, "The database is away.", "Wait a moment.");
    await page("#/arbitrage");
    expect(screen.getByText("Could not read the arbitrage results")).toBeTruthy();
    expect(screen.queryByText("Realised", { selector: "dt" })).toBeNull();
    expect(screen.getByRole("table", { name: "Executions" })).toBeTruthy();
  });

  test("is reached by its key", async () => {
    await page("");
    await press("8");
    await settle();
    expect(screen.getByRole("heading", { name: "Arbitrage" })).toBeTruthy();
  });
});

describe("one execution", () => {
  test("shows its legs and what happened to them in order", async () => {
    await page("#/arbitrage/e1");
    expect(screen.getByRole("heading", { name: "basket-1" })).toBeTruthy();
    expect(screen.getByText("all or none")).toBeTruthy();
    const legs = within(screen.getByRole("table", { name: "Legs" })).getAllByRole("row");
    expect(legs[1]?.textContent).toContain("10 of 100.400.404100 bps$0.0146matched");
    expect(legs[2]?.textContent).toContain("0 of 100.40–");
    const steps = within(screen.getByRole("table", { name: "Timeline" })).getAllByRole("row");
    expect(steps.slice(1).map((step) => step.textContent)).toEqual([
      "2 legs decided+0.0 s",
      "Order of leg 1+0.5 sBuy100.41matched",
      "Fill of leg 1+0.5 sBuy100.404−$4.05confirmed",
      "Order of a way out+2.0 sBuy100.41matched",
      "Over+4.0 sfailed",
    ]);
  });

  test("is left with Escape, and by its link", async () => {
    await page("#/arbitrage/e1");
    expect(screen.getByRole("link", { name: "← All executions" }).getAttribute("href")).toBe("#/arbitrage");
    await press("Escape");
    await settle();
    expect(screen.getByRole("heading", { name: "Arbitrage" })).toBeTruthy();
  });

  test("that the site does not know is said to be so", async () => {
    answers["/api/arbitrage/executions/e7"] = new ApiError(404, "No such execution.", "Look at the list.");
    await page("#/arbitrage/e7");
    expect(screen.getByText("This execution could not be read")).toBeTruthy();
    expect(screen.getByText(/No such execution/)).toBeTruthy();
  });
});

test("executions of another account are not shown", async () => {
  await page("#/arbitrage");
  await act(async () => desk.look("paper:second"));
  await settle();
  expect(asked.some((path) => path === "/api/arbitrage/executions?limit=200&account=paper%3Asecond")).toBe(true);
  await act(async () =>
    world.socket.deliver({
      case: "arbExecution",
      value: create(ArbExecutionSchema, { id: "e3", account: "sim:1", legGroupId: "stranger" }),
    }),
  );
  expect(screen.queryByText("stranger")).toBeNull();
});
