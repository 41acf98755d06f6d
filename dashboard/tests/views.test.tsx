import { create } from "@bufbuild/protobuf";
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Api } from "../src/api/api";
import { ApiError } from "../src/api/http";
import { App } from "../src/app";
import { DeskContext } from "../src/desk";
import { BotStatusSchema } from "../src/gen/polybot/v1/events_pb";
import { OrderbookSnapshotSchema } from "../src/gen/polybot/v1/orderbook_pb";
import { Desk } from "../src/live/desk";
import { Frames } from "../src/live/store";
import type { Account, Drift, Market, Order, Report, Result, Statement, Strategy } from "../src/model";
import { lastDays } from "../src/views/Results";
import { World } from "./support";

const MARKET: Market = {
  id: "m1",
  question: "Will it rain?",
  outcomes: ["Yes", "No"],
  tokenIds: ["t1", "t2"],
  category: "weather",
  groupId: null,
  groupTitle: "",
  status: "active",
  tradable: true,
  tick: 10_000,
  minSize: 5_000_000,
  negRisk: false,
  volume: null,
  volume24h: null,
  endsAt: null,
  winner: null,
  quote: null,
};

const ORDER: Order = {
  id: "o1",
  marketId: "m1",
  tokenId: "t1",
  side: "buy",
  type: "GTC",
  price: 410_000,
  size: 10_000_000,
  filled: 4_000_000,
  status: "partially_filled",
  statusReason: "",
  strategy: "flash_crash",
  reason: "fell 0.14",
  createdAt: 1,
  updatedAt: 1,
};

const STRATEGY: Strategy = {
  name: "flash_crash",
  title: "Flash crash",
  help: "",
  enabled: true,
  parameters: { size: 10 },
  schema: [
    {
      name: "size",
      title: "Size",
      help: "Shares.",
      kind: "number",
      unit: "shares",
      fallback: 10,
      minimum: 5,
      maximum: 100,
      choices: [],
    },
  ],
  updatedAt: null,
  updatedBy: "",
};

const ACCOUNTS: readonly Account[] = [
  { name: "sim:1", kind: "sim", running: true },
  { name: "paper:second", kind: "paper", running: false },
];

const TOTAL: Result = {
  key: "",
  title: "total",
  profit: 4_500_000,
  realised: 5_000_000,
  fees: 500_000,
  rewards: 0,
  volume: 100_000_000,
  exposure: 6_000_000,
  maxDrawdown: 1_000_000,
  fills: 12,
  makerShare: 0.25,
  winRate: null,
};

const REPORT: Report = {
  rows: [{ ...TOTAL, key: "flash_crash", title: "flash_crash" }],
  total: TOTAL,
  equityDrawdown: 2_000_000,
  curve: [],
};

const STATEMENT: Statement = {
  lines: [
    { kind: "opening", title: "Opening balance", cash: 1_000_000_000, inventory: 0, receivable: 0 },
    { kind: "buy", title: "Purchases", cash: -6_000_000, inventory: 6_000_000, receivable: 0 },
    { kind: "closing", title: "Closing balance", cash: 994_000_000, inventory: 6_000_000, receivable: 0 },
  ],
  unexplained: -7,
  agrees: false,
};

const DRIFT: Drift = {
  twin: "paper:twin",
  since: 0,
  orders: 3,
  refusedLive: 0,
  refusedTwin: 1,
  filledLive: 10_500_000,
  filledTwin: 9_000_000,
  filledOnlyLive: 1_500_000,
  filledOnlyTwin: 0,
  slippage: -20_000,
  feesLive: 10_000,
  feesTwin: 0,
  profitLive: 3_000_000,
  profitTwin: 3_500_000,
  failures: 0,
};

let world: World;
let api: Record<string, ReturnType<typeof vi.fn>>;
let desk: Desk;

beforeEach(() => {
  world = new World();
  window.location.hash = "";
  api = {
    orders: vi.fn(async () => [ORDER]),
    positions: vi.fn(async () => []),
    fills: vi.fn(async () => []),
    executions: vi.fn(async () => []),
    strategies: vi.fn(async () => ({ strategies: [STRATEGY], statuses: [] })),
    ledger: vi.fn(async () => null),
    health: vi.fn(async () => []),
    user: vi.fn(async () => ({ name: "ann", role: "trader" })),
    markets: vi.fn(async () => ({ markets: [MARKET], next: null })),
    market: vi.fn(async () => MARKET),
    accounts: vi.fn(async () => ACCOUNTS),
    report: vi.fn(async () => REPORT),
    statement: vi.fn(async () => STATEMENT),
    drift: vi.fn(async () => null),
    download: vi.fn((report: string) => `/api/reports/${report}?as=csv`),
    halt: vi.fn(async () => "done"),
    resume: vi.fn(async () => "done"),
    cancelOrder: vi.fn(async () => "done"),
    saveStrategy: vi.fn(async () => STRATEGY),
  };
});
afterEach(cleanup);

async function page(hash = ""): Promise<void> {
  window.location.hash = hash;
  desk = new Desk(
    api as unknown as Api,
    world,
    () => undefined,
    new Frames((flush) => queueMicrotask(() => act(flush))),
  );
  render(
    <DeskContext value={desk}>
      <App />
    </DeskContext>,
  );
  desk.socket.start();
  await act(async () => {
    world.socket.admit();
    await new Promise((resolve) => setTimeout(resolve, 5));
  });
}

async function status(fields: Parameters<typeof create<typeof BotStatusSchema>>[1]): Promise<void> {
  await act(async () => {
    world.socket.deliver({
      case: "botStatus",
      value: create(BotStatusSchema, {
        mode: "trade",
        account: "sim:1",
        ready: true,
        wsConnected: true,
        userWsConnected: true,
        ...fields,
      }),
    });
  });
}

const click = (element: HTMLElement): Promise<void> => act(async () => void fireEvent.click(element));
const press = (key: string): Promise<void> => act(async () => void fireEvent.keyDown(document.body, { key }));
const change = (element: HTMLElement, value: string): Promise<void> =>
  act(async () => void fireEvent.change(element, { target: { value } }));

describe("the status bar", () => {
  test("says loudly whose money it is", async () => {
    await page();
    expect(screen.getByText("No account")).toBeTruthy();
    await status({});
    expect(screen.getByText("Simulated")).toBeTruthy();
    world.pass(11_000);
    await status({ account: "live:0xabc" });
    expect(screen.getByText("Live money")).toBeTruthy();
  });

  test("nothing that is unknown is shown as zero", async () => {
    await page();
    expect(screen.getByTestId("profit").textContent).toBe("–");
    await status({ realizedMicros: 2_500_000n, unrealizedMicros: -500_000n, feesMicros: 100_000n });
    expect(screen.getByTestId("profit").textContent).toBe("+$1.90");
  });
});

describe("halting", () => {
  test("takes one key and one confirmation", async () => {
    await page();
    await press("h");
    expect(api["halt"]).not.toHaveBeenCalled();
    await click(screen.getByRole("button", { name: "Halt now" }));
    expect(api["halt"]).toHaveBeenCalledWith({
      scope: "all",
      target: "",
      reason: "Stopped from the dashboard",
      flatten: false,
    });
    expect(screen.getByText("Trading is halted")).toBeTruthy();
  });

  test("one strategy is halted by name, and what it holds is sold only after a word that confirms it", async () => {
    await page();
    await press("h");
    await change(screen.getByLabelText("What"), "strategy");
    await click(screen.getByRole("button", { name: "Halt now" }));
    expect(screen.getByRole("alert").textContent).toContain("Name the strategy.");
    await change(screen.getByLabelText("Strategy"), "flash_crash");
    await click(screen.getByLabelText(/Also sell/));
    await click(screen.getByRole("button", { name: "Halt and sell" }));
    expect(api["halt"]).not.toHaveBeenCalled();
    await change(screen.getByLabelText(/to confirm/), "sell");
    await click(screen.getByRole("button", { name: "Halt and sell" }));
    expect(api["halt"]).toHaveBeenCalledWith({
      scope: "strategy",
      target: "flash_crash",
      reason: "Stopped from the dashboard",
      flatten: true,
    });
  });

  test("the venue is halted by the name the trader gave it, and an unconfirmed halt is not said to be over", async () => {
    api["halt"]?.mockResolvedValue("unconfirmed");
    await page();
    await press("h");
    await change(screen.getByLabelText("What"), "venue");
    await click(screen.getByRole("button", { name: "Halt now" }));
    expect(screen.getByRole("alert").textContent).toContain("has not said yet where it trades");
    await status({ venue: "simulator" });
    await click(screen.getByRole("button", { name: "Halt now" }));
    expect(api["halt"]).toHaveBeenCalledWith(expect.objectContaining({ scope: "venue", target: "simulator" }));
    expect(screen.getByText(/has not confirmed yet/)).toBeTruthy();
  });

  test("a halt is shown with its reason, and the same key resumes", async () => {
    await page();
    await status({ halts: [{ scope: "all", reason: "too wild", setBy: "ann" }] });
    expect(screen.getByRole("alert").textContent).toContain("too wild – ann");
    await press("h");
    await click(screen.getAllByRole("button", { name: "Resume" }).at(-1) as HTMLElement);
    expect(api["resume"]).toHaveBeenCalledWith("all", "");
  });

  test("the halt of a market names its question, and its outcome in the place of the token's number", async () => {
    await page();
    await status({
      halts: [{ scope: "market", target: MARKET.id, reason: `5 shares of ${MARKET.tokenIds[1]} are left`, setBy: "" }],
    });
    const strip = screen.getByRole("alert");
    expect(strip.textContent).toContain(`Halted: ${MARKET.question}`);
    expect(strip.textContent).toContain(`5 shares of “${MARKET.outcomes[1]}” are left`);
    expect(strip.querySelector("a")?.getAttribute("href")).toBe(`#/markets/${MARKET.id}`);
  });

  test("a refusal keeps the dialog and says why and what to do", async () => {
    api["halt"]?.mockRejectedValue(new ApiError(403, "Your role does not allow this.", "Ask an admin."));
    await page();
    await press("h");
    await click(screen.getByRole("button", { name: "Halt now" }));
    expect(screen.getByText("Your role does not allow this. Ask an admin.")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Halt now" })).toBeTruthy();
  });

  test("does not wait for the site's word on who is signed in", async () => {
    api["user"]?.mockReturnValue(new Promise(() => undefined));
    await page();
    await press("h");
    expect(screen.getByRole("button", { name: "Halt now" })).toBeTruthy();
  });

  test("a viewer cannot halt, by button or by key", async () => {
    api["user"]?.mockResolvedValue({ name: "vic", role: "viewer" });
    await page();
    expect(screen.getByRole("button", { name: "Halt" }).hasAttribute("disabled")).toBe(true);
    await press("h");
    expect(screen.queryByRole("button", { name: "Halt now" })).toBeNull();
  });

  test("keys are silent while someone types", async () => {
    await page("#/orders");
    await act(async () => void fireEvent.keyDown(screen.getByPlaceholderText("Search orders"), { key: "h" }));
    expect(screen.queryByRole("button", { name: "Halt now" })).toBeNull();
  });
});

describe("orders", () => {
  test("are cancelled after a confirmation that says what stays filled", async () => {
    await page("#/orders");
    await click(screen.getByRole("button", { name: "Cancel" }));
    expect(screen.getByText(/4 are filled and stay/)).toBeTruthy();
    await click(screen.getByRole("button", { name: "Cancel order" }));
    expect(api["cancelOrder"]).toHaveBeenCalledWith("o1");
  });

  test("that were refused are counted by their reason", async () => {
    await page("#/orders");
    await status({ counters: { manual_refused_order_cap: 3n, manual_refused_no_book: 1n, accepted: 7n } });
    expect(screen.getByText("4 manual orders were refused since the trader started")).toBeTruthy();
    expect(screen.getByText("order cap").nextSibling?.textContent).toBe("3");
  });

  test("are searched by the question of their market", async () => {
    await page("#/orders");
    const search = screen.getByPlaceholderText("Search orders");
    await act(async () => void fireEvent.change(search, { target: { value: "rain flash" } }));
    expect(screen.getByText("Will it rain?")).toBeTruthy();
    await act(async () => void fireEvent.change(search, { target: { value: "snow" } }));
    expect(screen.getByText("No order matches")).toBeTruthy();
  });
});

test("the ladder marks our own orders and follows the book", async () => {
  await page("#/markets/m1");
  expect(world.socket.sent.flatMap((message) => message["subscribe"])).toContain("orderbook:t1");
  await act(async () => {
    world.socket.deliver({
      case: "orderbookSnapshot",
      value: create(OrderbookSnapshotSchema, {
        assetId: "t1",
        bidPrices: [0.41],
        bidSizes: [120],
        askPrices: [0.44],
        askSizes: [80],
        tickSize: 0.01,
        version: 1n,
      }),
    });
  });
  const ladder = screen.getByRole("table", { name: "Order book" });
  expect(ladder.textContent).toContain("0.41ours 6120");
  expect(ladder.textContent).toContain("spread 0.03");
});

describe("strategy parameters", () => {
  const edit = (value: string): Promise<void> =>
    act(async () => void fireEvent.change(screen.getByLabelText("Size"), { target: { value } }));

  test("outside their range cannot be saved, and the field says the bound", async () => {
    await page("#/strategies");
    await edit("500");
    expect(screen.getByText("Expected at most 100.")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Save" }).hasAttribute("disabled")).toBe(true);
  });

  test("send only what was changed, and a refusal appears beside its field", async () => {
    api["saveStrategy"]?.mockRejectedValue(
      new ApiError(400, "size: Unlucky.", "Choose another.", { size: "Unlucky." }),
    );
    await page("#/strategies");
    await edit("13");
    await click(screen.getByRole("button", { name: "Save" }));
    expect(api["saveStrategy"]).toHaveBeenCalledWith("flash_crash", { parameters: { size: 13 } });
    expect(screen.getByText("Unlucky.")).toBeTruthy();
    expect((screen.getByLabelText("Size") as HTMLInputElement).value).toBe("13");
  });

  test("have a switch that turns the strategy off", async () => {
    await page("#/strategies");
    await click(screen.getByRole("switch", { name: "Flash crash" }));
    expect(api["saveStrategy"]).toHaveBeenCalledWith("flash_crash", { enabled: false });
  });
});

describe("results", () => {
  test("show a period by group, the statement, and what does not agree with the venue", async () => {
    await page("#/results");
    expect(api["report"]).toHaveBeenCalledWith({ from: expect.any(String), to: expect.any(String) }, "strategy");
    const table = screen.getByRole("table", { name: "Results by strategy" });
    expect(table.textContent).toContain("flash_crash+$4.50");
    expect(table.textContent).toContain("25 %–");
    expect(screen.getByText("Purchases")).toBeTruthy();
    expect(screen.getByText("venue − books: −$0.000007 of cash")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Results CSV" }).getAttribute("href")).toBe("/api/reports/profit?as=csv");
    await click(screen.getByRole("button", { name: "Day" }));
    expect(api["report"]).toHaveBeenLastCalledWith(expect.anything(), "day");
  });

  test("show the paper twin beside the account, and nothing of one that does not run", async () => {
    await page("#/results");
    expect(screen.queryByRole("table", { name: "Account and paper twin" })).toBeNull();
    cleanup();
    api["drift"]?.mockResolvedValue({ ...DRIFT, failures: 2 });
    await page("#/results");
    const table = screen.getByRole("table", { name: "Account and paper twin" });
    expect(table.textContent).toContain("+$3.00+$3.50−$0.50");
    expect(table.textContent).toContain("10.591.5 live only, 0 on paper only");
    expect(table.textContent).toContain("both got+$0.02");
    expect(screen.getByText("2 failures of the twin")).toBeTruthy();
  });

  test("a period is whole days of UTC", () => {
    expect(lastDays(7, Date.UTC(2026, 8, 7, 23, 59))).toEqual({ from: "2026-09-01", to: "2026-09-07" });
    expect(lastDays(1, Date.UTC(2026, 8, 7))).toEqual({ from: "2026-09-07", to: "2026-09-07" });
  });
});

test("another account can be looked at, is named loudly, and nothing can be ordered in it", async () => {
  await page("#/orders");
  await status({});
  expect(screen.getByRole("button", { name: "Cancel" }).hasAttribute("disabled")).toBe(false);
  await click(screen.getByTitle("paper:second"));
  expect(screen.getByText("Paper")).toBeTruthy();
  expect(screen.getByText(/which is not the account that is traded here/)).toBeTruthy();
  const cancel = screen.queryByRole("button", { name: "Cancel" });
  expect(cancel === null || cancel.hasAttribute("disabled")).toBe(true);
  await click(screen.getByRole("button", { name: "Back" }));
  await status({});
  expect(screen.getByText("Simulated")).toBeTruthy();
});
