/**
 * Everything the page knows, kept current by the socket and by reads of the site. Views follow its cells; nothing else holds live state.
 *
 * Each new connection reads orders, positions, fills, strategies and results again, so that what happened while there was none is
 * not missed. One account is shown: the one that is traded, or another that the user looks at. When another one is shown, all that belongs to
 * the former one is forgotten; events of any other account are not shown.
 */
import { fromBinary } from "@bufbuild/protobuf";
import type { Api } from "../api/api";
import { ApiError, explain } from "../api/http";
import { type Event, EventSchema } from "../gen/polybot/v1/events_pb";
import type {
  Account,
  ArbExecution,
  Check,
  Fill,
  Ledger,
  Order,
  Position,
  Signal,
  Status,
  Strategy,
  StrategyStatus,
  Trade,
  User,
} from "../model";
import { LiveBook } from "./book";
import { Catalog } from "./catalog";
import { Collection } from "./collection";
import * as decode from "./decode";
import { LiveQuote } from "./quote";
import { type Environment, LiveSocket } from "./socket";
import { Cell, Frames } from "./store";
import { Toasts } from "./toasts";

const ROWS = 500;
const SIGNALS = 200;
const TRADES = 40;
/** The mode the site reports while no trader runs. */
const OFFLINE = "offline";
const REFRESH_MS = 10_000;
/** A trader that says nothing for so long has given way to one of another account. */
const SILENT_MS = 10_000;
const DESK_TOPICS = ["status", "orders", "positions", "fills", "signals", "strategies", "arb_profit"];

export class Desk {
  /** The time by this browser's clock, once a second, for ages. */
  readonly clock: Cell<number>;
  readonly status: Cell<Status | null>;
  /** All checks, the trader's own and the site's; `null` before the first answer. */
  readonly health: Cell<readonly Check[] | null>;
  readonly ledger: Cell<Ledger | null>;
  readonly user: Cell<User | null>;
  readonly strategies: Cell<readonly Strategy[] | null>;
  readonly strategyStatus: Cell<ReadonlyMap<string, StrategyStatus>>;
  /** Every account that was ever traded. */
  readonly accounts: Cell<readonly Account[]>;
  /** The account that the user chose to look at, "" for the one that is traded. */
  readonly looking: Cell<string>;
  /** True once orders, positions, fills and executions were read. */
  readonly loaded: Cell<boolean>;
  readonly orders: Collection<Order>;
  readonly positions: Collection<Position>;
  readonly fills: Collection<Fill>;
  readonly signals: Collection<Signal>;
  readonly executions: Collection<ArbExecution>;
  readonly catalog: Catalog;
  readonly toasts: Toasts;
  readonly socket: LiveSocket;
  private readonly books = new Map<string, LiveBook>();
  private readonly quotes = new Map<string, LiveQuote>();
  private readonly prints = new Map<string, Cell<readonly Trade[]>>();
  private account = "";

  constructor(
    readonly api: Api,
    private readonly environment: Environment,
    signedOut: (code: number) => void,
    private readonly frames: Frames = new Frames(),
  ) {
    this.clock = new Cell<number>(environment.now(), frames);
    this.status = new Cell<Status | null>(null, frames);
    this.health = new Cell<readonly Check[] | null>(null, frames);
    this.ledger = new Cell<Ledger | null>(null, frames);
    this.user = new Cell<User | null>(null, frames);
    this.strategies = new Cell<readonly Strategy[] | null>(null, frames);
    this.strategyStatus = new Cell<ReadonlyMap<string, StrategyStatus>>(new Map(), frames);
    this.accounts = new Cell<readonly Account[]>([], frames);
    this.looking = new Cell<string>("", frames);
    this.loaded = new Cell<boolean>(false, frames);
    const now = environment.now;
    this.orders = new Collection<Order>(frames, now, ROWS, {
      key: (o) => o.id,
      born: (o) => o.createdAt,
      changed: (o) => o.updatedAt,
    });
    this.positions = new Collection<Position>(frames, now, ROWS, { key: (p) => p.id, born: (p) => p.openedAt });
    this.fills = new Collection<Fill>(frames, now, ROWS, { key: (f) => f.key, born: (f) => f.at });
    this.signals = new Collection<Signal>(frames, now, SIGNALS, { key: (s) => s.id, born: (s) => s.at });
    this.executions = new Collection<ArbExecution>(frames, now, ROWS, { key: (e) => e.id, born: (e) => e.startedAt });
    this.catalog = new Catalog(frames, now, (id) => api.market(id));
    this.toasts = new Toasts(frames, environment);
    this.socket = new LiveSocket(
      environment,
      {
        frame: (bytes) => this.receive(bytes),
        notice: (message) => this.notice(message),
        opened: () => void this.load(),
        signedOut,
      },
      frames,
    );
    for (const topic of DESK_TOPICS) this.socket.want(topic);
  }

  /** The live book of a token; it moves while `orderbook:<token>` is wanted of the socket. */
  book(token: string): LiveBook {
    return entry(this.books, token, () => new LiveBook(this.frames, this.environment.now));
  }

  quote(token: string): LiveQuote {
    return entry(this.quotes, token, () => new LiveQuote(this.frames));
  }

  /** The last public trades of a token, newest first. */
  trades(token: string): Cell<readonly Trade[]> {
    return entry(this.prints, token, () => new Cell<readonly Trade[]>([], this.frames));
  }

  /** Connect, and let the clock run, until the returned function is called. */
  start(): () => void {
    this.socket.start();
    const tick = setInterval(() => this.clock.set(this.environment.now()), 1_000);
    const slow = setInterval(() => void this.refresh(), REFRESH_MS);
    return () => {
      clearInterval(tick);
      clearInterval(slow);
      this.socket.stop();
    };
  }

  /** Show another account, to look at only; "" goes back to the one that is traded. */
  look(account: string): void {
    if (account === this.looking.get()) return;
    this.looking.set(account);
    this.api.account = account;
    this.account = account;
    this.status.set(null);
    this.ledger.set(null);
    this.forget();
  }

  /** Read again what no event carries. A failure is not told: the connection and the health lights say it. */
  async refresh(): Promise<void> {
    if (document.hidden) return;
    await Promise.allSettled([this.loadLedger(), this.loadHealth()]);
  }

  /** Read what the site keeps; what cannot be read is told, and the rest is shown all the same. */
  async load(): Promise<void> {
    const asked = this.environment.now();
    const account = [
      this.api.orders().then((rows) => this.orders.merge(rows, asked)),
      this.api.positions().then((rows) => this.positions.merge(rows, asked)),
      this.api.fills().then((rows) => this.fills.merge(rows, asked)),
      this.api.executions().then((rows) => this.executions.merge(rows, asked)),
    ];
    const rest = [
      this.loadStrategies(),
      this.loadLedger(),
      this.loadHealth(),
      this.api.user().then((user) => this.user.set(user)),
      this.api.accounts().then((accounts) => this.accounts.set(accounts)),
    ];
    const [accountRead] = await Promise.all([
      this.allRead("Could not read the account", account),
      this.allRead("Could not read strategies, results or health", rest),
    ]);
    if (accountRead) this.loaded.set(true);
  }

  private async allRead(failure: string, reads: Promise<unknown>[]): Promise<boolean> {
    const failed = (await Promise.allSettled(reads)).find((read) => read.status === "rejected");
    if (failed !== undefined) this.failed(failure, failed.reason);
    return failed === undefined;
  }

  async loadStrategies(): Promise<void> {
    const { strategies, statuses } = await this.api.strategies();
    this.strategies.set(strategies);
    for (const status of statuses) this.setStrategyStatus(status);
  }

  /** A strategy's configuration as the site just stored it. */
  setStrategy(strategy: Strategy): void {
    const known = this.strategies.get() ?? [];
    this.strategies.set(known.map((each) => (each.name === strategy.name ? strategy : each)));
  }

  async loadLedger(): Promise<void> {
    const asked = this.looking.get();
    const ledger = await this.api.ledger();
    if (asked === this.looking.get()) this.ledger.set(ledger);
  }

  async loadHealth(): Promise<void> {
    this.setChecks(await this.api.health(this.environment.now()));
  }

  /** Say that something asked of the site did not work. An ended login needs no words: the page goes to the login. */
  failed(what: string, error: unknown): void {
    if (error instanceof ApiError && error.status === 401) return;
    this.toasts.add("error", what, explain(error));
  }

  private receive(bytes: Uint8Array): void {
    let event: Event;
    try {
      event = fromBinary(EventSchema, bytes);
    } catch (error) {
      this.failed("A message from the site could not be read", error);
      return;
    }
    this.apply(event);
  }

  private apply(event: Event): void {
    const at = decode.instant(event.timestamp) ?? this.environment.now();
    const payload = event.payload;
    switch (payload.case) {
      case "orderbookSnapshot":
        this.book(payload.value.assetId).snapshot(payload.value);
        break;
      case "priceChange":
        this.book(payload.value.assetId).change(payload.value);
        break;
      case "bbo":
        this.quote(payload.value.assetId).set(decode.quote(payload.value, at), this.environment.now());
        break;
      case "lastTradePrice":
        this.addTrade(payload.value.assetId, decode.trade(payload.value, event.eventId, at));
        break;
      case "botStatus":
        this.setStatus(decode.status(payload.value, this.environment.now()));
        break;
      case "orderResult":
        this.keep(
          "orders",
          event,
          this.orders,
          this.shown(payload.value.order?.account) ? decode.order(payload.value, at) : null,
        );
        break;
      case "positionUpdate":
        this.keep(
          "positions",
          event,
          this.positions,
          this.shown(payload.value.position?.account) ? decode.position(payload.value, at) : null,
        );
        break;
      case "fill":
        this.keep(
          "fills",
          event,
          this.fills,
          this.shown(payload.value.account) ? decode.fill(payload.value, at) : null,
        );
        break;
      case "tradeSignal":
        this.keep(
          "signals",
          event,
          this.signals,
          this.shown(payload.value.account) ? decode.signal(payload.value, at) : null,
        );
        break;
      case "arbExecution":
        this.keep(
          "arb_profit",
          event,
          this.executions,
          this.shown(payload.value.account) ? decode.execution(payload.value, at) : null,
        );
        break;
      case "strategyStatus":
        if (this.shown(payload.value.account)) this.setStrategyStatus(decode.strategy(payload.value));
        break;
      case "healthStatus":
        if (this.shown(payload.value.account)) this.setChecks(decode.health(payload.value, this.environment.now()));
        break;
      default:
        // An event of a kind this page does not show.
        break;
    }
  }

  private keep<T>(topic: string, event: Event, rows: Collection<T>, row: T | null): void {
    if (event.streamId !== "") this.socket.mark(topic, event.streamId);
    if (row !== null) rows.upsert(row);
  }

  private addTrade(token: string, trade: Trade | null): void {
    if (trade === null) return;
    const cell = this.trades(token);
    cell.set([trade, ...cell.get()].slice(0, TRADES));
  }

  /** Whether rows of an account belong on this page. */
  private shown(account: string | undefined): boolean {
    return this.account === "" || account === this.account;
  }

  private setStatus(status: Status): void {
    const other = status.account !== "" && this.account !== "" && status.account !== this.account;
    if (other && (this.looking.get() !== "" || this.heard())) return;
    if (this.looking.get() === "" && status.account !== "") this.api.trading = status.account;
    if (this.account !== "" && status.account !== "" && status.account !== this.account) this.forget();
    this.account = status.account || this.account;
    this.status.set(status.mode === OFFLINE ? null : status);
  }

  /** Whether the trader of the account shown has spoken lately. */
  private heard(): boolean {
    const last = this.status.get();
    return last !== null && this.environment.now() - last.at < SILENT_MS;
  }

  /** Newer words on some checks; the others stay. */
  private setChecks(news: readonly Check[]): void {
    const checks = new Map([...(this.health.get() ?? []), ...news].map((check) => [check.name, check]));
    this.health.set([...checks.values()]);
  }

  private setStrategyStatus(status: StrategyStatus): void {
    this.strategyStatus.set(new Map(this.strategyStatus.get()).set(status.name, status));
  }

  private forget(): void {
    for (const rows of [this.orders, this.positions, this.fills, this.signals, this.executions]) rows.clear();
    this.strategyStatus.set(new Map());
    this.socket.forget();
    this.loaded.set(false);
    void this.load();
  }

  private notice(message: Record<string, unknown>): void {
    if (message["error"] === undefined) return;
    const text = [message["detail"] ?? message["error"], message["fix"]].filter(Boolean).join(" ");
    this.toasts.add("error", "The live channel refused a request", text);
  }
}

function entry<T>(map: Map<string, T>, key: string, make: () => T): T {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
