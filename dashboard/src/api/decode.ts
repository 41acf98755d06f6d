/**
 * From the site's JSON to what the screens show. A row that lacks what it must have raises `ApiError` with the field's name; amounts and
 * moments that are absent stay unknown.
 */
import { type Micros, micros } from "../format/money";
import { moment } from "../format/time";
import type {
  Account,
  ArbDetail,
  ArbExecution,
  ArbLeg,
  ArbProfit,
  ArbTally,
  Check,
  Drift,
  Fill,
  Ledger,
  Market,
  Order,
  Parameter,
  ParameterValue,
  Position,
  Report,
  Result,
  Side,
  Statement,
  StatementLine,
  Strategy,
  StrategyStatus,
  User,
} from "../model";
import { ApiError, isRow, type Json, type Row } from "./http";

function wrong(field: string, row: Json | undefined): ApiError {
  return new ApiError(
    200,
    `The site's answer lacks "${field}": ${JSON.stringify(row)?.slice(0, 120)}`,
    "Update the dashboard with the site.",
  );
}

export function row(value: Json | undefined): Row {
  if (!isRow(value)) throw wrong("an object", value);
  return value;
}

/** The rows of a list, whether it comes in pages or at once. */
export function rows(value: Json): readonly Row[] {
  const list = isRow(value) ? value["results"] : value;
  if (!Array.isArray(list)) throw wrong("results", value);
  return list.map(row);
}

function text(from: Row, field: string): string {
  const value = from[field];
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

function required(from: Row, field: string): string {
  const value = text(from, field);
  if (value === "") throw wrong(field, from);
  return value;
}

function amount(from: Row, field: string): Micros | null {
  const value = from[field];
  return typeof value === "string" || typeof value === "number" ? micros(value) : null;
}

function needed(from: Row, field: string): Micros {
  const value = amount(from, field);
  if (value === null) throw wrong(field, from);
  return value;
}

function at(from: Row, field: string): number | null {
  return moment(text(from, field));
}

function neededAt(from: Row, field: string): number {
  const value = at(from, field);
  if (value === null) throw wrong(field, from);
  return value;
}

function count(from: Row, field: string): number {
  const value = from[field];
  return typeof value === "number" ? value : 0;
}

function pair(from: Row, field: string): readonly [string, string] {
  const value = from[field];
  if (!Array.isArray(value) || value.length !== 2) throw wrong(field, from);
  return [String(value[0]), String(value[1])];
}

function side(from: Row): Side {
  return text(from, "side") === "sell" ? "sell" : "buy";
}

export function market(from: Row): Market {
  const bid = amount(from, "best_bid");
  const ask = amount(from, "best_ask");
  const winner = from["winner"];
  return {
    id: required(from, "id"),
    question: text(from, "question"),
    outcomes: pair(from, "outcomes"),
    tokenIds: pair(from, "token_ids"),
    category: text(from, "category"),
    groupId: text(from, "group_id") || null,
    groupTitle: text(from, "group_title"),
    status: text(from, "status"),
    tradable: text(from, "status") === "active" && from["accepting_orders"] !== false,
    tick: needed(from, "tick"),
    minSize: needed(from, "min_size"),
    negRisk: from["neg_risk"] === true,
    volume: amount(from, "volume"),
    volume24h: amount(from, "volume_24h"),
    endsAt: at(from, "end_date"),
    winner: typeof winner === "number" ? winner : null,
    quote: bid === null && ask === null ? null : { bid: bid || null, ask: ask || null, at: at(from, "quoted_at") },
  };
}

export function order(from: Row): Order {
  const createdAt = neededAt(from, "created_at");
  return {
    id: required(from, "id"),
    marketId: required(from, "market_id"),
    tokenId: required(from, "token_id"),
    side: side(from),
    type: text(from, "order_type"),
    price: needed(from, "price"),
    size: needed(from, "size"),
    filled: needed(from, "filled_size"),
    status: required(from, "status"),
    statusReason: text(from, "status_reason"),
    strategy: text(from, "strategy"),
    reason: text(from, "reason"),
    createdAt,
    updatedAt: at(from, "updated_at") ?? createdAt,
  };
}

export function position(from: Row): Position {
  return {
    id: required(from, "id"),
    marketId: required(from, "market_id"),
    tokenId: required(from, "token_id"),
    strategy: text(from, "strategy"),
    size: needed(from, "size"),
    unsettled: needed(from, "unsettled"),
    cost: needed(from, "cost"),
    realised: needed(from, "realized_pnl"),
    fees: needed(from, "fees"),
    takeProfit: amount(from, "take_profit"),
    stopLoss: amount(from, "stop_loss"),
    exitPrice: amount(from, "exit_price"),
    open: text(from, "status") !== "closed",
    openedAt: neededAt(from, "opened_at"),
    closedAt: at(from, "closed_at"),
  };
}

export function fill(from: Row): Fill {
  const orderId = required(from, "order_id");
  return {
    key: `${required(from, "trade_id")} ${orderId}`,
    orderId,
    marketId: required(from, "market_id"),
    tokenId: required(from, "token_id"),
    side: side(from),
    price: needed(from, "price"),
    size: needed(from, "size"),
    fee: needed(from, "fee"),
    liquidity: text(from, "liquidity"),
    status: text(from, "status"),
    strategy: text(from, "strategy"),
    at: neededAt(from, "matched_at"),
  };
}

/** The checks that are switched on. */
export function health(from: Row, now: number): Check[] {
  return rows(from["checks"] ?? [])
    .filter((check) => check["enabled"] !== false)
    .map((check) => ({
      name: required(check, "name"),
      ok: check["ok"] === true,
      succeededAt: typeof check["age"] === "number" ? now - check["age"] * 1000 : null,
      interval: count(check, "interval"),
      error: text(check, "last_error"),
    }));
}

export function ledger(from: Row): Ledger {
  const account = text(from, "account");
  // Without an account the site has nothing to add up, and its zeros would be taken for results.
  const total = (field: string): Micros | null => (account === "" ? null : amount(from, field));
  return {
    account,
    cash: total("cash"),
    inventoryValue: total("inventory_value"),
    receivable: total("receivable"),
    realised: total("realised"),
    unrealised: total("unrealised"),
    fees: total("fees"),
    curve: rows(from["curve"] ?? []).map((point) => ({
      at: neededAt(point, "at"),
      realised: needed(point, "realised"),
      fees: needed(point, "fees"),
      unrealised: amount(point, "unrealised"),
    })),
  };
}

export function strategy(from: Row): Strategy {
  const schema = row(from["schema"]);
  const parameters: Record<string, ParameterValue> = {};
  for (const [name, value] of Object.entries(row(from["parameters"]))) parameters[name] = parameterValue(value);
  const name = required(from, "name");
  return {
    name,
    title: text(schema, "title") || name,
    help: text(schema, "description"),
    enabled: from["enabled"] === true,
    parameters,
    schema: Object.entries(row(schema["properties"])).map(([key, value]) => parameter(key, row(value))),
    updatedAt: at(from, "updated_at"),
    updatedBy: text(from, "updated_by"),
  };
}

function parameterValue(value: Json | undefined): ParameterValue {
  return typeof value === "object" || value === undefined ? null : value;
}

function parameter(name: string, from: Row): Parameter {
  const choices = from["enum"];
  return {
    name,
    title: text(from, "title") || name.replaceAll("_", " "),
    help: text(from, "description"),
    kind: kindOf(from),
    unit: text(from, "unit"),
    fallback: parameterValue(from["default"]),
    minimum: bound(from["minimum"] ?? from["formatMinimum"]),
    maximum: bound(from["maximum"] ?? from["formatMaximum"]),
    choices: Array.isArray(choices) ? choices.map(String) : [],
  };
}

function kindOf(from: Row): Parameter["kind"] {
  if (Array.isArray(from["enum"])) return "choice";
  const type = text(from, "type");
  if (type === "number" || type === "integer" || type === "boolean") return type;
  return text(from, "format") === "duration" ? "duration" : "text";
}

function bound(value: Json | undefined): number | string | null {
  return typeof value === "number" || typeof value === "string" ? value : null;
}

export function strategyStatus(name: string, from: Row): StrategyStatus {
  return {
    name,
    state: text(from, "state"),
    enabled: from["enabled"] === true,
    signalsSent: count(from, "signals_sent"),
    lastSignalAt: at(from, "last_signal_at"),
    errors: count(from, "error_count"),
    lastError: text(from, "last_error"),
    overruns: count(from, "budget_overruns"),
    refusals: refusals(from["refusals"]),
  };
}

function refusals(from: Json | undefined): [string, number][] {
  if (!isRow(from)) return [];
  return Object.keys(from)
    .map((reason): [string, number] => [reason, count(from, reason)])
    .sort((a, b) => b[1] - a[1]);
}

export function account(from: Row): Account {
  return { name: required(from, "account"), kind: text(from, "kind"), running: from["running"] === true };
}

function part(from: Row, field: string): number | null {
  const value = from[field];
  return typeof value === "number" ? value : null;
}

function result(from: Row): Result {
  return {
    key: text(from, "key"),
    title: text(from, "title"),
    profit: needed(from, "profit"),
    realised: needed(from, "realised"),
    fees: needed(from, "fees"),
    rewards: needed(from, "rewards"),
    volume: needed(from, "volume"),
    exposure: needed(from, "exposure"),
    maxDrawdown: needed(from, "max_drawdown"),
    fills: count(from, "fills"),
    makerShare: part(from, "maker_share"),
    winRate: part(from, "win_rate"),
  };
}

export function report(from: Row): Report {
  return {
    rows: rows(from["rows"] ?? []).map(result),
    total: result(row(from["total"])),
    equityDrawdown: needed(from, "equity_drawdown"),
    curve: rows(from["curve"] ?? []).map((point) => ({
      at: neededAt(point, "at"),
      profit: needed(point, "equity") - needed(point, "deposits"),
    })),
  };
}

function line(kind: string, title: string, amounts: Row): StatementLine {
  return {
    kind,
    title,
    cash: needed(amounts, "cash"),
    inventory: needed(amounts, "inventory"),
    receivable: needed(amounts, "receivable"),
  };
}

/** `null` while no paper twin runs. */
export function drift(from: Row): Drift | null {
  if (!isRow(from["drift"])) return null;
  const figures = from["drift"];
  return {
    twin: required(figures, "twin"),
    since: count(figures, "since_ns") / 1e6,
    orders: count(figures, "orders"),
    refusedLive: count(figures, "refused_live"),
    refusedTwin: count(figures, "refused_twin"),
    filledLive: needed(figures, "filled_live"),
    filledTwin: needed(figures, "filled_twin"),
    filledOnlyLive: needed(figures, "filled_only_live"),
    filledOnlyTwin: needed(figures, "filled_only_twin"),
    slippage: needed(figures, "slippage"),
    feesLive: needed(figures, "fees_live"),
    feesTwin: needed(figures, "fees_twin"),
    profitLive: needed(figures, "profit_live"),
    profitTwin: needed(figures, "profit_twin"),
    failures: count(figures, "failures"),
  };
}

/** The statement's lines from the opening to the closing balance. */
export function statement(from: Row): Statement {
  const venue = from["venue"];
  return {
    lines: [
      line("opening", "Opening balance", row(from["opening"])),
      ...rows(from["lines"] ?? []).map((each) =>
        line(required(each, "kind"), text(each, "title"), row(each["amounts"])),
      ),
      line("closing", "Closing balance", row(from["closing"])),
    ],
    unexplained: isRow(venue) ? amount(venue, "unexplained") : null,
    agrees: from["agrees"] === true,
  };
}

export function user(from: Row): User {
  const role = text(from, "role");
  return { name: text(from, "username"), role: role === "admin" || role === "trader" ? role : "viewer" };
}

function leg(from: Row): ArbLeg {
  return {
    number: count(from, "number"),
    orderId: text(from, "order_id"),
    marketId: required(from, "market_id"),
    tokenId: required(from, "token_id"),
    side: side(from),
    expectedPrice: needed(from, "expected_price"),
    filledPrice: amount(from, "filled_price"),
    size: needed(from, "size"),
    filled: needed(from, "filled_size"),
    unwound: needed(from, "unwound"),
    residual: needed(from, "residual"),
    fee: needed(from, "fee"),
    slippageBps: count(from, "slippage_bps"),
    status: text(from, "status"),
  };
}

export function execution(from: Row): ArbExecution {
  return {
    id: required(from, "id"),
    type: required(from, "arb_type"),
    group: text(from, "leg_group_id"),
    strategy: text(from, "strategy"),
    status: required(from, "status"),
    edgeBps: count(from, "gross_edge_bps"),
    expected: needed(from, "expected"),
    realised: needed(from, "net_pnl"),
    fees: needed(from, "fees"),
    slippage: needed(from, "slippage"),
    residual: needed(from, "residual"),
    residualCost: needed(from, "residual_cost"),
    startedAt: neededAt(from, "started_at"),
    endedAt: at(from, "completed_at"),
    legs: rows(from["legs"] ?? null).map(leg),
  };
}

export function executionDetail(from: Row): ArbDetail {
  const group = from["group"];
  return {
    execution: execution(from),
    policy: isRow(group) ? text(group, "policy") : "",
    decidedAt: isRow(group) ? at(group, "created_at") : null,
    orders: rows(from["orders"] ?? null).map(order),
    fills: rows(from["fills"] ?? null).map(fill),
  };
}

function tally(from: Row): ArbTally {
  return {
    type: text(from, "arb_type"),
    executions: count(from, "executions"),
    running: count(from, "running"),
    wins: count(from, "wins"),
    losses: count(from, "losses"),
    failed: count(from, "failed"),
    expected: needed(from, "expected"),
    realised: needed(from, "net_pnl"),
    fees: needed(from, "fees"),
    slippage: needed(from, "slippage"),
    residualCost: needed(from, "residual_cost"),
  };
}

export function arbProfit(from: Row): ArbProfit {
  return {
    since: neededAt(from, "since"),
    session: from["session"] === true,
    total: tally(row(from["total"])),
    byType: rows(from["by_type"] ?? null).map(tally),
    curve: rows(from["curve"] ?? null).map((point) => ({
      at: neededAt(point, "at"),
      expected: needed(point, "expected"),
      realised: needed(point, "net_pnl"),
    })),
  };
}
