/** From protobuf messages to what the screens show. Pure; unset timestamps become `null`. */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { MICRO, type Micros, micros } from "../format/money";
import { type ArbExecution as ArbExecutionMessage, ArbStatus, ArbType } from "../gen/polybot/v1/arbitrage_pb";
import type { BotStatus, HealthStatus } from "../gen/polybot/v1/events_pb";
import { type OrderResult, OrderSide, OrderStatus, OrderType } from "../gen/polybot/v1/order_pb";
import type { BBO, LastTradePrice } from "../gen/polybot/v1/orderbook_pb";
import { PositionStatus, type PositionUpdate } from "../gen/polybot/v1/position_pb";
import type { TradeSignal } from "../gen/polybot/v1/signal_pb";
import { StrategyState, type StrategyStatus as StrategyStatusMessage } from "../gen/polybot/v1/strategy_pb";
import { type Fill as FillMessage, FillStatus, Liquidity } from "../gen/polybot/v1/trade_pb";
import type {
  ArbExecution,
  Check,
  Fill,
  Order,
  Position,
  Quote,
  Side,
  Signal,
  Status,
  StrategyStatus,
  Trade,
} from "../model";

export function instant(at: Timestamp | undefined): number | null {
  return at === undefined ? null : Number(at.seconds) * 1000 + Math.floor(at.nanos / MICRO);
}

/** How the trader names its counters of refused manual orders. */
const MANUAL_REFUSED = "manual_refused_";

function side(value: OrderSide): Side {
  return value === OrderSide.SELL ? "sell" : "buy";
}

function optional(value: bigint | undefined): Micros | null {
  return value === undefined ? null : Number(value);
}

/** A price of 0 says that the side is empty. */
function offered(value: number): Micros | null {
  return value === 0 ? null : micros(value);
}

export function status(message: BotStatus, at: number): Status {
  return {
    mode: message.mode,
    account: message.account,
    venue: message.venue,
    ready: message.ready,
    feedConnected: message.wsConnected,
    userFeedConnected: message.userWsConnected,
    lastFrameAt: instant(message.lastMessageAt),
    uptimeSeconds: Number(message.uptimeSeconds),
    openOrders: message.openOrders,
    unknownOrders: message.unknownOrders,
    openPositions: message.openPositions,
    watchedMarkets: message.watchedMarkets,
    venueMode: message.venueMode,
    cash: Number(message.cashMicros),
    realised: Number(message.realizedMicros),
    unrealised: Number(message.unrealizedMicros),
    fees: Number(message.feesMicros),
    halts: message.halts.map((halt) => ({
      scope: halt.scope,
      target: halt.target,
      reason: halt.reason,
      setBy: halt.setBy,
      setAt: instant(halt.setAt),
    })),
    manualRefusals: Object.entries(message.counters)
      .filter(([name]) => name.startsWith(MANUAL_REFUSED))
      .map(([name, times]) => [name.slice(MANUAL_REFUSED.length), Number(times)] as const)
      .sort(([, one], [, other]) => other - one),
    at,
  };
}

export function quote(message: BBO, at: number): Quote {
  return { bid: offered(message.bestBid), ask: offered(message.bestAsk), at };
}

export function trade(message: LastTradePrice, key: string, at: number): Trade | null {
  const price = micros(message.price);
  const size = micros(message.size);
  if (price === null || size === null) return null;
  const known = message.side !== OrderSide.UNSPECIFIED;
  return { key, price, size, side: known ? side(message.side) : null, at: instant(message.timestamp) ?? at };
}

export function order(message: OrderResult, at: number): Order | null {
  const decided = message.order;
  if (decided === undefined) return null;
  const createdAt = instant(decided.createdAt) ?? at;
  return {
    id: decided.id,
    marketId: decided.marketId,
    tokenId: decided.tokenId,
    side: side(decided.side),
    type: OrderType[decided.type] ?? "",
    price: Number(decided.priceMicros),
    size: Number(decided.sizeMicros),
    filled: Number(message.filledMicros),
    status: (OrderStatus[message.status] ?? "unknown").toLowerCase(),
    statusReason: message.reason,
    strategy: decided.strategyName,
    reason: decided.reason,
    createdAt,
    updatedAt: instant(message.updatedAt) ?? createdAt,
  };
}

export function position(message: PositionUpdate, at: number): Position | null {
  const held = message.position;
  if (held === undefined) return null;
  return {
    id: held.id,
    marketId: held.marketId,
    tokenId: held.tokenId,
    strategy: held.strategyName,
    size: Number(held.settledMicros + held.unsettledMicros),
    unsettled: Number(held.unsettledMicros),
    cost: Number(held.costMicros),
    realised: Number(held.realizedMicros),
    fees: Number(held.feesMicros),
    takeProfit: optional(held.takeProfitMicros),
    stopLoss: optional(held.stopLossMicros),
    exitPrice: optional(held.exitPriceMicros),
    open: held.status !== PositionStatus.CLOSED,
    openedAt: instant(held.openedAt) ?? at,
    closedAt: instant(held.closedAt),
  };
}

export function fill(message: FillMessage, at: number): Fill {
  return {
    key: `${message.tradeId} ${message.orderId}`,
    orderId: message.orderId,
    marketId: message.marketId,
    tokenId: message.tokenId,
    side: side(message.side),
    price: Number(message.priceMicros),
    size: Number(message.sizeMicros),
    fee: Number(message.feeMicros),
    liquidity: (Liquidity[message.liquidity] ?? "").toLowerCase(),
    status: (FillStatus[message.status] ?? "").toLowerCase(),
    strategy: message.strategyName,
    at: instant(message.matchedAt) ?? at,
  };
}

export function signal(message: TradeSignal, at: number): Signal {
  return {
    id: message.id,
    source: message.source,
    marketId: message.marketId,
    tokenId: message.tokenId,
    side: side(message.side),
    price: message.priceMicros === 0n ? (micros(message.price) ?? 0) : Number(message.priceMicros),
    size: message.sizeMicros === 0n ? (micros(message.size) ?? 0) : Number(message.sizeMicros),
    reason: message.reason,
    decision: message.decision,
    at: instant(message.createdAt) ?? at,
  };
}

export function execution(message: ArbExecutionMessage, at: number): ArbExecution {
  return {
    id: message.id,
    type: (ArbType[message.arbType] ?? "").toLowerCase(),
    group: message.legGroupId,
    strategy: message.strategyName,
    status: (ArbStatus[message.status] ?? "").toLowerCase(),
    edgeBps: Number(message.grossEdgeBps),
    expected: Number(message.expectedMicros),
    realised: Number(message.netPnlMicros),
    fees: Number(message.feesMicros),
    slippage: Number(message.slippageMicros),
    residual: Number(message.residualMicros),
    residualCost: Number(message.residualCostMicros),
    startedAt: instant(message.startedAt) ?? at,
    endedAt: instant(message.completedAt),
    legs: message.legs.map((leg) => ({
      number: leg.number,
      orderId: leg.orderId,
      marketId: leg.marketId,
      tokenId: leg.tokenId,
      side: side(leg.side),
      expectedPrice: Number(leg.expectedPriceMicros),
      filledPrice: optional(leg.filledPriceMicros),
      size: Number(leg.sizeMicros),
      filled: Number(leg.filledMicros),
      unwound: Number(leg.unwoundMicros),
      residual: Number(leg.residualMicros),
      fee: Number(leg.feeMicros),
      slippageBps: Number(leg.slippageBps),
      status: leg.status,
    })),
  };
}

export function strategy(message: StrategyStatusMessage): StrategyStatus {
  return {
    name: message.name,
    state: (StrategyState[message.state] ?? "").toLowerCase(),
    enabled: message.enabled,
    signalsSent: Number(message.signalsSent),
    lastSignalAt: instant(message.lastSignalAt),
    errors: Number(message.errorCount),
    lastError: message.lastError,
    overruns: Number(message.budgetOverruns),
    refusals: Object.entries(message.refusals)
      .map(([reason, times]) => [reason, Number(times)] as const)
      .sort((a, b) => b[1] - a[1]),
  };
}

export function health(message: HealthStatus, at: number): Check[] {
  return message.checks.map((check) => ({
    name: check.name,
    ok: check.ok,
    succeededAt: check.ageSeconds === undefined ? null : at - check.ageSeconds * 1000,
    interval: check.intervalSeconds,
    error: check.lastError,
  }));
}
