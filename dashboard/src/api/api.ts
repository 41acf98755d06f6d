/** The site's REST addresses the dashboard uses, typed. Every method rejects with `ApiError`. */
import type {
  Account,
  ArbDetail,
  ArbExecution,
  ArbProfit,
  ArbType,
  Check,
  Drift,
  Fill,
  Grouping,
  Ledger,
  Market,
  Order,
  ParameterValue,
  Position,
  Report,
  Statement,
  Strategy,
  StrategyStatus,
  User,
} from "../model";
import * as decode from "./decode";
import { type Http, isRow, type Json } from "./http";

const PAGE = 100;

export interface MarketPage {
  readonly markets: readonly Market[];
  /** Where the next page begins, `null` on the last one. */
  readonly next: string | null;
}

export interface MarketQuery {
  readonly search: string;
  readonly status: string;
  readonly group?: string;
  readonly cursor?: string;
}

/** What to halt, and whether what it holds is sold too. */
export interface Stop {
  readonly scope: string;
  /** A venue, market id or strategy; empty for all and arbitrage. */
  readonly target: string;
  readonly reason: string;
  readonly flatten: boolean;
}

/**
 * What became of a command: carried out; carried out, but the venue has not confirmed yet that it lists no such order; or still under way when the
 * site stopped waiting. A refusal is an `ApiError`.
 */
export type Answer = "done" | "unconfirmed" | "pending";

/** What a report covers: from a day to a day, of UTC, both included. */
export interface Period {
  readonly from: string;
  readonly to: string;
}

export class Api {
  /** The account that reads are about, "" for the one that is traded now. */
  account = "";
  /** The account that commands go to: the one whose trader was heard last, "" before any was. */
  trading = "";

  constructor(private readonly http: Http) {}

  /** The path with parameters, the account among them. */
  private about(path: string, parameters: Readonly<Record<string, string>> = {}): string {
    const query = new URLSearchParams(parameters);
    if (this.account !== "") query.set("account", this.account);
    return query.size === 0 ? path : `${path}?${query}`;
  }

  async accounts(): Promise<readonly Account[]> {
    return decode.rows(await this.http.send("GET", "/api/accounts")).map(decode.account);
  }

  async report(period: Period, by: Grouping): Promise<Report> {
    const answer = await this.http.send("GET", this.about("/api/reports/profit", { ...period, by }));
    return decode.report(decode.row(answer));
  }

  async statement(period: Period): Promise<Statement> {
    return decode.statement(
      decode.row(await this.http.send("GET", this.about("/api/reports/statement", { ...period }))),
    );
  }

  /** How far the account and its paper twin are apart, `null` without a twin. */
  async drift(): Promise<Drift | null> {
    return decode.drift(decode.row(await this.http.send("GET", this.about("/api/shadow"))));
  }

  /** Where a report is downloaded as CSV. */
  download(report: "profit" | "statement" | "fills", period: Period, by: Grouping): string {
    return this.about(`/api/reports/${report}`, { ...period, as: "csv", ...(report === "profit" ? { by } : {}) });
  }

  async user(): Promise<User> {
    return decode.user(decode.row(await this.http.send("GET", "/api/me")));
  }

  async health(now: number): Promise<readonly Check[]> {
    // 503 says that something essential is away, and which.
    return decode.health(decode.row(await this.http.send("GET", "/api/health", undefined, [503])), now);
  }

  async ledger(): Promise<Ledger> {
    return decode.ledger(decode.row(await this.http.send("GET", this.about("/api/ledger"))));
  }

  async markets(query: MarketQuery): Promise<MarketPage> {
    const parameters = new URLSearchParams({ limit: String(PAGE) });
    for (const [name, value] of Object.entries(query)) if (value) parameters.set(name, value);
    const answer = await this.http.send("GET", `/api/markets?${parameters}`);
    const next = isRow(answer) ? answer["next"] : null;
    return { markets: decode.rows(answer).map(decode.market), next: typeof next === "string" ? next : null };
  }

  async market(id: string): Promise<Market> {
    return decode.market(decode.row(await this.http.send("GET", `/api/markets/${encodeURIComponent(id)}`)));
  }

  async orders(): Promise<readonly Order[]> {
    return decode.rows(await this.http.send("GET", this.about("/api/orders", { limit: "500" }))).map(decode.order);
  }

  async positions(): Promise<readonly Position[]> {
    return decode
      .rows(await this.http.send("GET", this.about("/api/positions", { status: "all", limit: "500" })))
      .map(decode.position);
  }

  async fills(): Promise<readonly Fill[]> {
    return decode.rows(await this.http.send("GET", this.about("/api/fills", { limit: "500" }))).map(decode.fill);
  }

  async executions(): Promise<readonly ArbExecution[]> {
    const answer = await this.http.send("GET", this.about("/api/arbitrage/executions", { limit: "200" }));
    return decode.rows(answer).map(decode.execution);
  }

  async execution(id: string): Promise<ArbDetail> {
    const path = `/api/arbitrage/executions/${encodeURIComponent(id)}`;
    return decode.executionDetail(decode.row(await this.http.send("GET", this.about(path))));
  }

  /** What executions brought: of one type, or "" for all; since the session began, or since a day. */
  async arbProfit(type: ArbType | "", since = ""): Promise<ArbProfit> {
    const chosen = { ...(type === "" ? {} : { type }), ...(since === "" ? {} : { since }) };
    return decode.arbProfit(decode.row(await this.http.send("GET", this.about("/api/arbitrage/profit", chosen))));
  }

  async strategies(): Promise<{ strategies: readonly Strategy[]; statuses: readonly StrategyStatus[] }> {
    const rows = decode.rows(await this.http.send("GET", "/api/strategies"));
    const statuses = rows.flatMap((row) => {
      const status = row["status"];
      return isRow(status) ? [decode.strategyStatus(String(row["name"]), status)] : [];
    });
    return { strategies: rows.map(decode.strategy), statuses };
  }

  async saveStrategy(
    name: string,
    changes: { enabled?: boolean; parameters?: Readonly<Record<string, ParameterValue>> },
  ): Promise<Strategy> {
    return decode.strategy(
      decode.row(await this.http.send("PUT", `/api/strategies/${encodeURIComponent(name)}`, changes as Json)),
    );
  }

  cancelOrder(id: string): Promise<Answer> {
    return this.command("DELETE", `/api/orders/${encodeURIComponent(id)}`);
  }

  cancelAllOrders(): Promise<Answer> {
    return this.command("DELETE", "/api/orders");
  }

  halt({ scope, target, reason, flatten }: Stop): Promise<Answer> {
    return this.command("POST", "/api/halt", { scope, target, reason, flatten });
  }

  resume(scope: string, target: string): Promise<Answer> {
    return this.command("DELETE", `/api/halt?${new URLSearchParams({ scope, target })}`);
  }

  /** End the session; the site answers with its login page, which sends the page there. */
  async signOut(): Promise<void> {
    await this.http.send("POST", "/logout/");
  }

  private async command(method: "POST" | "DELETE", path: string, body?: Json): Promise<Answer> {
    const account =
      this.trading === "" ? "" : `${path.includes("?") ? "&" : "?"}account=${encodeURIComponent(this.trading)}`;
    const answer = await this.http.send(method, path + account, body);
    if (!isRow(answer)) return "done";
    if (answer["status"] === "pending") return "pending";
    const result = answer["result"];
    return isRow(result) && result["confirmed"] === false ? "unconfirmed" : "done";
  }
}
