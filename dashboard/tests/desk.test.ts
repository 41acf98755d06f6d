import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Api } from "../src/api/api";
import { ApiError } from "../src/api/http";
import { BotStatusSchema, HealthStatusSchema } from "../src/gen/polybot/v1/events_pb";
import { OrderResultSchema, OrderSide, OrderStatus } from "../src/gen/polybot/v1/order_pb";
import { BBOSchema, LastTradePriceSchema } from "../src/gen/polybot/v1/orderbook_pb";
import { PositionUpdateSchema } from "../src/gen/polybot/v1/position_pb";
import { TradeSignalSchema } from "../src/gen/polybot/v1/signal_pb";
import { StrategyState, StrategyStatusSchema } from "../src/gen/polybot/v1/strategy_pb";
import { Desk } from "../src/live/desk";
import { freshness } from "../src/live/freshness";
import type { Position } from "../src/model";
import { handFrames, World } from "./support";

const POSITION: Position = {
  id: "p1",
  marketId: "m1",
  tokenId: "t1",
  strategy: "flash_crash",
  size: 10_000_000,
  unsettled: 0,
  cost: 5_000_000,
  realised: 0,
  fees: 0,
  takeProfit: null,
  stopLoss: null,
  exitPrice: null,
  open: true,
  openedAt: 500,
  closedAt: null,
};

function fakeApi(changes: Partial<Record<keyof Api, unknown>> = {}): Api {
  const nothing = {
    orders: async () => [],
    positions: async () => [],
    fills: async () => [],
    executions: async () => [],
    strategies: async () => ({ strategies: [], statuses: [] }),
    ledger: async () => null,
    health: async () => [],
    user: async () => ({ name: "ann", role: "trader" }),
    accounts: async () => [],
    account: "",
    trading: "",
  };
  return { ...nothing, ...changes } as unknown as Api;
}

function orderResult(status: OrderStatus, updatedMs: number, filled = 0n) {
  return create(OrderResultSchema, {
    order: {
      id: "o1",
      marketId: "m1",
      tokenId: "t1",
      side: OrderSide.SELL,
      priceMicros: 520_000n,
      sizeMicros: 10_000_000n,
      createdAt: timestampFromMs(900),
    },
    status,
    filledMicros: filled,
    updatedAt: timestampFromMs(updatedMs),
  });
}

let world: World;
beforeEach(() => {
  world = new World();
});

function started(api: Api): Desk {
  const desk = new Desk(api, world, () => undefined, handFrames().frames);
  desk.socket.start();
  world.socket.admit();
  return desk;
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe("events", () => {
  test("become rows, and older news of an order does not undo newer", () => {
    const desk = started(fakeApi());
    world.socket.deliver(
      { case: "orderResult", value: orderResult(OrderStatus.PARTIALLY_FILLED, 2_000, 4_000_000n), streamId: "5-1" },
      { case: "orderResult", value: orderResult(OrderStatus.LIVE, 1_000) },
    );
    expect(desk.orders.get()).toMatchObject([
      {
        id: "o1",
        side: "sell",
        status: "partially_filled",
        price: 520_000,
        size: 10_000_000,
        filled: 4_000_000,
        createdAt: 900,
      },
    ]);
  });

  test("leave a resume point that the next connection sends", () => {
    started(fakeApi());
    world.socket.deliver({ case: "orderResult", value: orderResult(OrderStatus.LIVE, 1_000), streamId: "5-1" });
    world.socket.onclose?.({ code: 4408 });
    world.pass(1_000);
    world.socket.admit();
    expect(world.socket.sent[0]).toMatchObject({ resume: { orders: "5-1" } });
  });

  test("a side of the book without orders has no price, not a price of zero", () => {
    const desk = started(fakeApi());
    world.socket.deliver({ case: "bbo", value: create(BBOSchema, { assetId: "t1", bestBid: 0.41, bestAsk: 0 }) });
    expect(desk.quote("t1").quote.get()).toMatchObject({ bid: 410_000, ask: null });
    expect(desk.quote("t1").trail.get()).toEqual([]);
  });

  test("trades are kept newest first and bounded", () => {
    const desk = started(fakeApi());
    for (let i = 1; i <= 60; i += 1) {
      world.socket.deliver({
        case: "lastTradePrice",
        value: create(LastTradePriceSchema, { assetId: "t1", price: 0.5, size: i, side: OrderSide.BUY }),
      });
    }
    expect(desk.trades("t1").get()).toHaveLength(40);
    expect(desk.trades("t1").get()[0]).toMatchObject({ size: 60_000_000, side: "buy" });
  });

  test("bytes that are no event are told and the connection stays", () => {
    vi.stubGlobal("reportError", () => undefined);
    const desk = started(fakeApi());
    world.socket.onmessage?.({ data: new Uint8Array([255, 255, 255]).buffer });
    expect(desk.toasts.list.get()).toMatchObject([{ tone: "error" }]);
    expect(desk.socket.connection.get().phase).toBe("open");
  });
});

describe("reads of the site", () => {
  test("do not undo an event that came in while the answer was on its way", async () => {
    let answer: (rows: Position[]) => void = () => undefined;
    const desk = started(fakeApi({ positions: () => new Promise((resolve) => (answer = resolve)) }));
    world.pass(10);
    world.socket.deliver({
      case: "positionUpdate",
      value: create(PositionUpdateSchema, { position: { id: "p1", settledMicros: 3_000_000n } }),
    });
    answer([POSITION, { ...POSITION, id: "p2" }]);
    await settled();
    expect(desk.positions.get().map(({ id, size }) => [id, size])).toEqual(
      expect.arrayContaining([
        ["p1", 3_000_000],
        ["p2", 10_000_000],
      ]),
    );
  });

  test("of health add to what the trader says of its own checks, and neither hides the other", async () => {
    const check = { name: "redis", ok: true, succeededAt: 5, interval: 10, error: "" };
    const desk = started(fakeApi({ health: async () => [check] }));
    await settled();
    const value = create(HealthStatusSchema, {
      checks: [{ name: "polymarket_ws", ok: false, lastError: "no frame for 31 s" }],
    });
    world.socket.deliver({ case: "healthStatus", value });
    expect(desk.health.get()?.map(({ name, ok }) => [name, ok])).toEqual([
      ["redis", true],
      ["polymarket_ws", false],
    ]);
  });

  test("of an unknown market are not repeated at every look", async () => {
    const market = vi.fn(() => Promise.reject(new ApiError(404, "No such market.")));
    const desk = started(fakeApi({ market }));
    for (let look = 0; look < 5; look += 1) {
      desk.catalog.market("gone");
      await settled();
    }
    expect(market).toHaveBeenCalledTimes(1);
    world.pass(30_000);
    desk.catalog.market("gone");
    expect(market).toHaveBeenCalledTimes(2);
  });

  test("that fail are told with the fix, and the rest is shown", async () => {
    const failing = async (): Promise<never> => {
      throw new ApiError(503, "The database is away.", "Start PostgreSQL.");
    };
    const desk = started(fakeApi({ orders: failing, positions: async () => [POSITION] }));
    await settled();
    expect(desk.toasts.list.get()).toMatchObject([
      { tone: "error", detail: "The database is away. Start PostgreSQL." },
    ]);
    expect(desk.positions.get()).toHaveLength(1);
    expect(desk.loaded.get()).toBe(false);
  });

  test("begin anew when the trader has another account, and nothing of the former one stays", async () => {
    const positions = vi.fn(async () => [POSITION]);
    const desk = started(fakeApi({ positions }));
    world.socket.deliver({ case: "botStatus", value: create(BotStatusSchema, { mode: "trade", account: "sim:1" }) });
    await settled();
    expect(desk.positions.get()).toHaveLength(1);
    positions.mockResolvedValue([]);
    world.pass(11_000);
    world.socket.deliver({ case: "botStatus", value: create(BotStatusSchema, { mode: "trade", account: "sim:2" }) });
    await settled();
    expect(desk.positions.get()).toEqual([]);
  });

  test("of two traders at once, the one that was heard first stays on the page, and the other's rows keep off it", async () => {
    const api = fakeApi();
    const desk = started(api);
    for (const account of ["live:0x1", "paper:a", "live:0x1"]) {
      world.socket.deliver({ case: "botStatus", value: create(BotStatusSchema, { mode: "trade", account }) });
    }
    await settled();
    expect(desk.status.get()?.account).toBe("live:0x1");
    expect(api.trading).toBe("live:0x1");
    for (const [id, account] of [
      ["mine", "live:0x1"],
      ["theirs", "paper:a"],
    ] as const) {
      const value = orderResult(OrderStatus.LIVE, 1_000);
      if (value.order !== undefined) Object.assign(value.order, { id, account });
      world.socket.deliver({ case: "orderResult", value });
    }
    expect(desk.orders.get().map((order) => order.id)).toEqual(["mine"]);
  });

  test("of two traders at once, strategies, signals and health are those of the one that is shown", async () => {
    const desk = started(fakeApi());
    world.socket.deliver({ case: "botStatus", value: create(BotStatusSchema, { mode: "trade", account: "live:0x1" }) });
    await settled();
    for (const account of ["live:0x1", "paper:a"]) {
      const state = account === "paper:a" ? StrategyState.ERROR : StrategyState.RUNNING;
      const checks = [{ name: `venue of ${account}`, ok: true }];
      world.socket.deliver({
        case: "strategyStatus",
        value: create(StrategyStatusSchema, { name: "s", state, account }),
      });
      world.socket.deliver({ case: "tradeSignal", value: create(TradeSignalSchema, { id: account, account }) });
      world.socket.deliver({ case: "healthStatus", value: create(HealthStatusSchema, { checks, account }) });
    }
    expect(desk.strategyStatus.get().get("s")?.state).toBe("running");
    expect(desk.signals.get().map((signal) => signal.id)).toEqual(["live:0x1"]);
    expect(desk.health.get()?.map((check) => check.name)).toEqual(["venue of live:0x1"]);
  });

  test("another account can be looked at, and commands still go to the traded one", async () => {
    const positions = vi.fn(async () => [POSITION]);
    const api = fakeApi({ positions });
    const desk = started(api);
    const traded = {
      case: "botStatus",
      value: create(BotStatusSchema, { mode: "trade", account: "live:0x1" }),
    } as const;
    world.socket.deliver(traded);
    await settled();
    desk.look("paper:a");
    expect([api.account, api.trading]).toEqual(["paper:a", "live:0x1"]);
    expect(desk.status.get()).toBeNull();
    world.socket.deliver(traded);
    expect(desk.status.get()).toBeNull();
    await settled();
    expect(positions).toHaveBeenCalledTimes(2);
    desk.look("");
    world.socket.deliver(traded);
    expect([api.account, desk.status.get()?.account]).toEqual(["", "live:0x1"]);
  });
});

describe("freshness", () => {
  const open = { phase: "open", attempts: 0, since: 0 } as const;

  test("a site without a trader is said, not shown as zeros", () => {
    const desk = started(fakeApi());
    world.socket.deliver({ case: "botStatus", value: create(BotStatusSchema, { mode: "offline" }) });
    expect(desk.status.get()).toBeNull();
    expect(freshness(open, null, 60_000)).toMatchObject({
      tone: "warn",
      warning: expect.stringContaining("Is it running?"),
    });
  });

  test("a silent trader and a lost connection are warnings that name the age", () => {
    const desk = started(fakeApi());
    const value = create(BotStatusSchema, {
      mode: "trade",
      account: "sim:1",
      ready: true,
      wsConnected: true,
      userWsConnected: true,
    });
    world.socket.deliver({ case: "botStatus", value });
    const status = desk.status.get();
    expect(freshness(open, status, world.time + 1_000)).toEqual({ tone: "good", label: "live", warning: "" });
    expect(freshness(open, status, world.time + 12_000).warning).toContain("12 s");
    expect(freshness({ ...open, phase: "waiting", attempts: 3 }, status, world.time + 12_000).warning).toMatch(
      /try 3.*12 s old/,
    );
  });
});
