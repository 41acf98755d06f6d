import { beforeEach, describe, expect, test, vi } from "vitest";
import { Api } from "../src/api/api";
import * as decode from "../src/api/decode";
import { ApiError, Http } from "../src/api/http";

const MARKET = {
  id: "m1",
  question: "Will it rain?",
  outcomes: ["Yes", "No"],
  token_ids: ["1", "2"],
  category: "weather",
  group_id: null,
  group_title: "",
  status: "active",
  accepting_orders: true,
  tick: "0.001000",
  min_size: "5.000000",
  neg_risk: false,
  volume: "1200.50",
  volume_24h: null,
  end_date: "2026-12-01T00:00:00Z",
  winner: null,
  best_bid: "0.412000",
  best_ask: null,
};

let signedOut: number;
let requests: { path: string; init: RequestInit }[];

beforeEach(() => {
  signedOut = 0;
  requests = [];
});

function answering(status: number, body: string): Api {
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    requests.push({ path, init });
    return new Response(body, { status });
  });
  return new Api(new Http(() => (signedOut += 1)));
}

describe("answers", () => {
  test("market rows keep exact amounts; what is not known stays unknown", () => {
    expect(decode.market(MARKET)).toMatchObject({
      tick: 1_000,
      minSize: 5_000_000,
      volume: 1_200_500_000,
      volume24h: null,
      quote: { bid: 412_000, ask: null },
      tradable: true,
    });
  });

  test("the drift of a paper twin is exact, and nothing without a twin", async () => {
    const amounts = ["filled_live", "filled_twin", "filled_only_live", "filled_only_twin", "slippage"];
    const money = ["fees_live", "fees_twin", "profit_live", "profit_twin"];
    const figures = Object.fromEntries([...amounts, ...money].map((name, place) => [name, `-${place}.000001`]));
    const told = decode.drift({
      account: "sim:1",
      drift: { ...figures, twin: "paper:t", since_ns: 1.79e18, orders: 3 },
    });
    expect(told).toMatchObject({ twin: "paper:t", since: 1.79e12, orders: 3, slippage: -4_000_001, failures: 0 });
    const api = answering(200, '{"account": "sim:1", "drift": null}');
    api.account = "sim:1";
    expect(await api.drift()).toBeNull();
    expect(requests[0]?.path).toBe("/api/shadow?account=sim%3A1");
  });

  test("a row without its id is refused by name", () => {
    expect(() => decode.market({ ...MARKET, id: "" })).toThrow(/lacks "id"/);
  });

  test("a strategy's schema becomes fields in its own order", () => {
    const strategy = decode.strategy({
      name: "flash_crash",
      enabled: true,
      parameters: { drop_threshold: 0.1, window: "5m" },
      schema: {
        title: "Flash crash",
        properties: {
          window: { type: "string", format: "duration", default: "5m", formatMinimum: "1s", formatMaximum: "1h" },
          drop_threshold: { type: "number", title: "Drop", minimum: 0.01, maximum: 0.9, unit: "$" },
        },
      },
    });
    expect(strategy.schema.map(({ name, kind, minimum, unit }) => [name, kind, minimum, unit])).toEqual([
      ["window", "duration", "1s", ""],
      ["drop_threshold", "number", 0.01, "$"],
    ]);
  });
});

describe("requests", () => {
  test("reads name the account that is looked at, commands the one whose trader was heard", async () => {
    const api = answering(200, '{"results":[],"status":"done"}');
    await api.orders();
    await api.cancelAllOrders();
    api.account = "paper:a";
    api.trading = "live:0x1";
    await api.orders();
    await api.cancelAllOrders();
    await api.resume("all", "");
    expect(requests.map((request) => request.path)).toEqual([
      "/api/orders?limit=500",
      "/api/orders",
      "/api/orders?limit=500&account=paper%3Aa",
      "/api/orders?account=live%3A0x1",
      "/api/halt?scope=all&target=&account=live%3A0x1",
    ]);
    expect(api.download("fills", { from: "2026-09-01", to: "2026-09-02" }, "day")).toBe(
      "/api/reports/fills?from=2026-09-01&to=2026-09-02&as=csv&account=paper%3Aa",
    );
  });

  test("what the venue has not confirmed is not said to be done", async () => {
    const api = answering(200, '{"status":"done","result":{"halted":true,"confirmed":false}}');
    expect(await api.cancelAllOrders()).toBe("unconfirmed");
  });

  test("writes carry the CSRF token of the cookie, reads do not", async () => {
    vi.spyOn(document, "cookie", "get").mockReturnValue("theme=dark; csrftoken=abc123");
    const api = answering(200, '{"status":"done"}');
    expect(await api.halt({ scope: "all", target: "", reason: "too wild", flatten: false })).toBe("done");
    expect(requests[0]?.init).toMatchObject({
      method: "POST",
      body: '{"scope":"all","target":"","reason":"too wild","flatten":false}',
    });
    expect(requests[0]?.init.headers).toMatchObject({ "X-CSRFToken": "abc123" });
    await api.cancelOrder("0x/1");
    expect(requests[1]).toMatchObject({ path: "/api/orders/0x%2F1", init: { method: "DELETE" } });
  });

  test("a command without an answer yet is pending, not done", async () => {
    expect(await answering(202, '{"status":"pending"}').cancelAllOrders()).toBe("pending");
  });

  test("an error has the site's words and the fix, by field where it names fields", async () => {
    const api = answering(400, '{"error":"invalid","detail":{"size":["Too large."]},"fix":"Choose a smaller size."}');
    const error = await api.saveStrategy("x", {}).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      message: "size: Too large.",
      fix: "Choose a smaller size.",
      fields: { size: "Too large." },
    });
  });

  test("failing health is an answer, not a failed request", async () => {
    const body =
      '{"ok":false,"status":"down","checks":[{"name":"redis","ok":false,"enabled":true,"age":null,"interval":10,"last_error":"refused"}]}';
    const checks = await answering(503, body).health(7);
    expect(checks).toEqual([{ name: "redis", ok: false, succeededAt: null, interval: 10, error: "refused" }]);
  });

  test("an ended login goes to the login page", async () => {
    await expect(answering(401, '{"error":"not_authenticated"}').orders()).rejects.toThrow("login has ended");
    expect(signedOut).toBe(1);
  });

  test("an answer that is no JSON and a site that is away are errors that name a fix", async () => {
    await expect(answering(502, "<html>").orders()).rejects.toMatchObject({
      status: 502,
      fix: expect.stringMatching(/log/),
    });
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")));
    await expect(new Api(new Http(() => undefined)).orders()).rejects.toMatchObject({
      status: 0,
      fix: expect.stringMatching(/running/),
    });
  });
});
