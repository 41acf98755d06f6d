/**
 * What the screens show: frozen values in one vocabulary, whether they came by REST or by socket.
 *
 * Amounts are micro-units (`format/money`), moments are milliseconds since the epoch; `null` is "not known", never zero.
 */
import type { Micros } from "./format/money";

export type Side = "buy" | "sell";

export interface Market {
  readonly id: string;
  readonly question: string;
  readonly outcomes: readonly [string, string];
  readonly tokenIds: readonly [string, string];
  readonly category: string;
  readonly groupId: string | null;
  readonly groupTitle: string;
  readonly status: string;
  readonly tradable: boolean;
  readonly tick: Micros;
  readonly minSize: Micros;
  readonly negRisk: boolean;
  readonly volume: Micros | null;
  readonly volume24h: Micros | null;
  readonly endsAt: number | null;
  readonly winner: number | null;
  readonly quote: Quote | null;
}

/** Best prices of one token. A side without orders is `null`. */
export interface Quote {
  readonly bid: Micros | null;
  readonly ask: Micros | null;
  readonly at: number | null;
}

export interface Level {
  readonly price: Micros;
  readonly size: Micros;
}

/** Both sides with the best level first. `complete` is false while a missed change keeps it from being right. */
export interface Book {
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  readonly tick: Micros;
  readonly at: number;
  readonly complete: boolean;
}

export interface Trade {
  readonly key: string;
  readonly price: Micros;
  readonly size: Micros;
  readonly side: Side | null;
  readonly at: number;
}

export const OPEN_STATUSES: ReadonlySet<string> = new Set([
  "pending",
  "submitted",
  "live",
  "partially_filled",
  "delayed",
  "unknown",
  "cancelling",
]);

export interface Order {
  readonly id: string;
  readonly marketId: string;
  readonly tokenId: string;
  readonly side: Side;
  readonly type: string;
  readonly price: Micros;
  readonly size: Micros;
  readonly filled: Micros;
  readonly status: string;
  readonly statusReason: string;
  readonly strategy: string;
  readonly reason: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface Position {
  readonly id: string;
  readonly marketId: string;
  readonly tokenId: string;
  readonly strategy: string;
  readonly size: Micros;
  readonly unsettled: Micros;
  readonly cost: Micros;
  readonly realised: Micros;
  readonly fees: Micros;
  readonly takeProfit: Micros | null;
  readonly stopLoss: Micros | null;
  readonly exitPrice: Micros | null;
  readonly open: boolean;
  readonly openedAt: number;
  readonly closedAt: number | null;
}

export interface Fill {
  readonly key: string;
  readonly orderId: string;
  readonly marketId: string;
  readonly tokenId: string;
  readonly side: Side;
  readonly price: Micros;
  readonly size: Micros;
  readonly fee: Micros;
  readonly liquidity: string;
  readonly status: string;
  readonly strategy: string;
  readonly at: number;
}

export interface Signal {
  readonly id: string;
  readonly source: string;
  readonly marketId: string;
  readonly tokenId: string;
  readonly side: Side;
  readonly price: Micros;
  readonly size: Micros;
  readonly reason: string;
  readonly decision: string;
  readonly at: number;
}

export interface Halt {
  readonly scope: string;
  readonly target: string;
  readonly reason: string;
  readonly setBy: string;
  readonly setAt: number | null;
}

/** The trader's own word on itself, about once a second; `at` is when it came in, by this browser's clock. */
export interface Status {
  readonly mode: string;
  readonly account: string;
  readonly venue: string;
  readonly ready: boolean;
  readonly feedConnected: boolean;
  readonly userFeedConnected: boolean;
  readonly lastFrameAt: number | null;
  readonly uptimeSeconds: number;
  readonly openOrders: number;
  readonly unknownOrders: number;
  readonly openPositions: number;
  readonly watchedMarkets: number;
  /** What the venue takes now: "normal", or why new risk waits. */
  readonly venueMode: string;
  readonly cash: Micros;
  readonly realised: Micros;
  readonly unrealised: Micros;
  readonly fees: Micros;
  readonly halts: readonly Halt[];
  /** Why manual orders were refused since the trader's start, and how often. */
  readonly manualRefusals: readonly (readonly [string, number])[];
  readonly at: number;
}

/** A periodic check. `succeededAt` is its last success by this browser's clock, `interval` in seconds. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly succeededAt: number | null;
  readonly interval: number;
  readonly error: string;
}

/** One parameter of a strategy, as its schema describes it. Bounds and values are what the site takes and gives. */
export interface Parameter {
  readonly name: string;
  readonly title: string;
  readonly help: string;
  readonly kind: "number" | "integer" | "boolean" | "duration" | "text" | "choice";
  readonly unit: string;
  readonly fallback: ParameterValue;
  readonly minimum: number | string | null;
  readonly maximum: number | string | null;
  readonly choices: readonly string[];
}

export type ParameterValue = string | number | boolean | null;

/** A strategy as configured; what it does at the moment is its `StrategyStatus`. */
export interface Strategy {
  readonly name: string;
  readonly title: string;
  readonly help: string;
  readonly enabled: boolean;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
  readonly schema: readonly Parameter[];
  readonly updatedAt: number | null;
  readonly updatedBy: string;
}

/** Results at a moment; `unrealised` is unknown where held tokens had no price. */
export interface EquityPoint {
  readonly at: number;
  readonly realised: Micros;
  readonly fees: Micros;
  readonly unrealised: Micros | null;
}

/** What the account holds and has earned so far. */
export interface Ledger {
  readonly account: string;
  readonly cash: Micros | null;
  readonly inventoryValue: Micros | null;
  /** Payouts of resolved markets that are not in the wallet yet. */
  readonly receivable: Micros | null;
  readonly realised: Micros | null;
  readonly unrealised: Micros | null;
  readonly fees: Micros | null;
  readonly curve: readonly EquityPoint[];
}

/** An account that was traded at some time; `running` while a trader holds it. */
export interface Account {
  readonly name: string;
  readonly kind: string;
  readonly running: boolean;
}

export const GROUPINGS = ["strategy", "market", "category", "arbitrage", "day", "week", "month"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** One group of a report. `makerShare` and `winRate` are parts of one, `null` where there is nothing to take a part of. */
export interface Result {
  readonly key: string;
  readonly title: string;
  readonly profit: Micros;
  readonly realised: Micros;
  readonly fees: Micros;
  readonly rewards: Micros;
  readonly volume: Micros;
  readonly exposure: Micros;
  readonly maxDrawdown: Micros;
  readonly fills: number;
  readonly makerShare: number | null;
  readonly winRate: number | null;
}

export interface Report {
  readonly rows: readonly Result[];
  readonly total: Result;
  /** The largest fall of the profit with inventory at the best bids. */
  readonly equityDrawdown: Micros;
  /** Profit since the beginning of the account, with inventory at the best bids. */
  readonly curve: readonly { readonly at: number; readonly profit: Micros }[];
}

/** One class of movements of a statement, and what it did to the cash and to everything held, at cost. */
export interface StatementLine {
  readonly kind: string;
  readonly title: string;
  readonly cash: Micros;
  readonly inventory: Micros;
  readonly receivable: Micros;
}

export interface Statement {
  readonly lines: readonly StatementLine[];
  /** The venue's cash less ours when everything explicable was booked, `null` before the venue was read. */
  readonly unexplained: Micros | null;
  readonly agrees: boolean;
}

/** How far an account and its paper twin are apart; `slippage` is what the account paid beyond its twin for the shares that both got. */
export interface Drift {
  readonly twin: string;
  readonly since: number;
  readonly orders: number;
  readonly refusedLive: number;
  readonly refusedTwin: number;
  readonly filledLive: Micros;
  readonly filledTwin: Micros;
  readonly filledOnlyLive: Micros;
  readonly filledOnlyTwin: Micros;
  readonly slippage: Micros;
  readonly feesLive: Micros;
  readonly feesTwin: Micros;
  readonly profitLive: Micros;
  readonly profitTwin: Micros;
  readonly failures: number;
}

export type ArbType = "rebalancing" | "combinatorial" | "cross_platform";

/** What became of one leg. `expected` and `filled` prices are of a share; `residual` are shares that nothing hedges. */
export interface ArbLeg {
  readonly number: number;
  readonly orderId: string;
  readonly marketId: string;
  readonly tokenId: string;
  readonly side: Side;
  readonly expectedPrice: Micros;
  readonly filledPrice: Micros | null;
  readonly size: Micros;
  readonly filled: Micros;
  readonly unwound: Micros;
  readonly residual: Micros;
  readonly fee: Micros;
  readonly slippageBps: number;
  readonly status: string;
}

/** An executed opportunity from its first fill on; `endedAt` is `null` while it is not over. */
export interface ArbExecution {
  readonly id: string;
  readonly type: string;
  readonly group: string;
  readonly strategy: string;
  readonly status: string;
  readonly edgeBps: number;
  readonly expected: Micros;
  readonly realised: Micros;
  readonly fees: Micros;
  readonly slippage: Micros;
  readonly residual: Micros;
  readonly residualCost: Micros;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly legs: readonly ArbLeg[];
}

/** An execution with its group and every order and fill of it, those that bought out of legs too. */
export interface ArbDetail {
  readonly execution: ArbExecution;
  readonly policy: string;
  readonly decidedAt: number | null;
  readonly orders: readonly Order[];
  readonly fills: readonly Fill[];
}

export interface ArbTally {
  readonly type: string;
  readonly executions: number;
  readonly running: number;
  readonly wins: number;
  readonly losses: number;
  readonly failed: number;
  readonly expected: Micros;
  readonly realised: Micros;
  readonly fees: Micros;
  readonly slippage: Micros;
  readonly residualCost: Micros;
}

/** What executions brought since a moment; `session` says that it is when the running trader began. */
export interface ArbProfit {
  readonly since: number;
  readonly session: boolean;
  readonly total: ArbTally;
  readonly byType: readonly ArbTally[];
  /** Sums up to the end of each execution. */
  readonly curve: readonly { readonly at: number; readonly expected: Micros; readonly realised: Micros }[];
}

export interface User {
  readonly name: string;
  readonly role: "viewer" | "trader" | "admin";
}

/** What a strategy does now. */
export interface StrategyStatus {
  readonly name: string;
  readonly state: string;
  readonly enabled: boolean;
  readonly signalsSent: number;
  readonly lastSignalAt: number | null;
  readonly errors: number;
  readonly lastError: string;
  readonly overruns: number;
  /** Opportunities that were seen and not taken, by reason, the most frequent first. */
  readonly refusals: readonly (readonly [string, number])[];
}
