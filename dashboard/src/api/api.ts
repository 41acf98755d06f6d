/** The site's REST addresses the dashboard uses, typed. Every method rejects with `ApiError`. */
import type {
  Check,
  Fill,
  Ledger,
  Market,
  Order,
  ParameterValue,
  Position,
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

/** What became of a command: carried out, or still under way when the site stopped waiting. A refusal is an `ApiError`. */
export type Answer = "done" | "pending";

export class Api {
  constructor(private readonly http: Http) {}

  async user(): Promise<User> {
    return decode.user(decode.row(await this.http.send("GET", "/api/me")));
  }

  async health(now: number): Promise<readonly Check[]> {
    // 503 says that something essential is away, and which.
    return decode.health(decode.row(await this.http.send("GET", "/api/health", undefined, [503])), now);
  }

  async ledger(): Promise<Ledger> {
    return decode.ledger(decode.row(await this.http.send("GET", "/api/ledger")));
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
    return decode.rows(await this.http.send("GET", "/api/orders?limit=500")).map(decode.order);
  }

  async positions(): Promise<readonly Position[]> {
    return decode.rows(await this.http.send("GET", "/api/positions?status=all&limit=500")).map(decode.position);
  }

  async fills(): Promise<readonly Fill[]> {
    return decode.rows(await this.http.send("GET", "/api/fills?limit=500")).map(decode.fill);
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

  halt(reason: string): Promise<Answer> {
    return this.command("POST", "/api/halt", { scope: "all", target: "", reason });
  }

  resume(scope: string, target: string): Promise<Answer> {
    return this.command("DELETE", `/api/halt?${new URLSearchParams({ scope, target })}`);
  }

  /** End the session; the site answers with its login page, which sends the page there. */
  async signOut(): Promise<void> {
    await this.http.send("POST", "/logout/");
  }

  private async command(method: "POST" | "DELETE", path: string, body?: Json): Promise<Answer> {
    const answer = await this.http.send(method, path, body);
    return isRow(answer) && answer["status"] === "pending" ? "pending" : "done";
  }
}
