/**
 * The live connection: keeps itself up, keeps the wanted topics subscribed and remembers where each kept stream was left.
 *
 * A lost connection is made again after 0.5 s, 1 s, 2 s … at most 15 s, each with up to a third of chance added; coming back online or to
 * the foreground tries at once. Every connection asks for all topics again and resumes from the last event seen. Silence for 20 s counts as a
 * lost connection. A close with code 4401 or 4403 means that this login may not listen; that is not retried.
 */
import { Cell, type Frames } from "./store";

export type Phase = "connecting" | "open" | "waiting" | "signed out";

export interface Connection {
  readonly phase: Phase;
  readonly attempts: number;
  /** When the present phase began, by this browser's clock. */
  readonly since: number;
}

export interface Handlers {
  frame(bytes: Uint8Array): void;
  /** A JSON text frame: an error or an answer of the server. */
  notice(message: Record<string, unknown>): void;
  opened(): void;
  signedOut(code: number): void;
}

/** What the environment gives; tests pass their own. */
export interface Environment {
  connect(): WebSocket;
  now(): number;
  random(): number;
  setTimer(run: () => void, ms: number): number;
  clearTimer(timer: number): void;
}

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
const SILENCE_MS = 20_000;
/** What a browser reports for a connection that ended without a word. */
const SILENT = 1006;
/** The login has ended; the user has no role. */
const NOT_ALLOWED: ReadonlySet<number> = new Set([4401, 4403]);

export class LiveSocket {
  readonly connection: Cell<Connection>;
  readonly lastFrameAt: Cell<number | null>;
  private readonly wanted = new Map<string, number>();
  private readonly sent = new Set<string>();
  private readonly resume = new Map<string, string>();
  private socket: WebSocket | null = null;
  private timer: number | null = null;
  private syncing = false;
  private attempts = 0;
  private stopped = false;

  constructor(
    private readonly environment: Environment,
    private readonly handlers: Handlers,
    frames: Frames,
  ) {
    this.connection = new Cell<Connection>({ phase: "connecting", attempts: 0, since: environment.now() }, frames);
    this.lastFrameAt = new Cell<number | null>(null, frames);
  }

  /** Connect now unless a connection is up or under way. */
  start(): void {
    this.stopped = false;
    if (this.socket === null) this.open();
  }

  /** Close for good. */
  stop(): void {
    this.stopped = true;
    this.clear();
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  /** Want a topic until the returned function is called; several wishes for one topic are one subscription. */
  want(topic: string): () => void {
    this.wanted.set(topic, (this.wanted.get(topic) ?? 0) + 1);
    this.scheduleSync();
    let done = false;
    return () => {
      if (done) return;
      done = true;
      const left = (this.wanted.get(topic) ?? 1) - 1;
      if (left > 0) this.wanted.set(topic, left);
      else this.wanted.delete(topic);
      this.scheduleSync();
    };
  }

  /** Remember where the kept stream behind `topic` was left. */
  mark(topic: string, streamId: string): void {
    this.resume.set(topic, streamId);
  }

  /** Forget all resume points: the streams are of another account now. */
  forget(): void {
    this.resume.clear();
  }

  private open(): void {
    if (this.socket !== null) return;
    this.clear();
    this.phase("connecting");
    const socket = this.environment.connect();
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.listen();
    socket.onmessage = (message: MessageEvent<unknown>) => {
      if (this.socket !== socket) return;
      if (this.connection.get().phase !== "open") this.opened();
      this.receive(message.data);
    };
    socket.onclose = (event) => {
      if (this.socket === socket) this.lost(event.code);
    };
  }

  /** The first frame has come: only now the site has let us in. */
  private opened(): void {
    this.attempts = 0;
    this.phase("open");
    this.sent.clear();
    this.handlers.opened();
    this.sync();
  }

  private receive(data: unknown): void {
    this.lastFrameAt.set(this.environment.now());
    if (data instanceof ArrayBuffer) this.handlers.frame(new Uint8Array(data));
    else if (typeof data === "string") this.handlers.notice(parse(data));
  }

  private lost(code: number): void {
    this.socket = null;
    this.clear();
    if (this.stopped) return;
    if (NOT_ALLOWED.has(code)) {
      this.phase("signed out");
      this.handlers.signedOut(code);
      return;
    }
    const delay = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** this.attempts);
    this.attempts += 1;
    this.phase("waiting");
    this.timer = this.environment.setTimer(() => this.open(), delay * (1 + this.environment.random() / 3));
  }

  /** Drop a connection that has been silent for too long, whether it was made or not. */
  private listen(): void {
    this.timer = this.environment.setTimer(() => {
      const heard = Math.max(this.connection.get().since, this.lastFrameAt.get() ?? 0);
      if (this.environment.now() - heard < SILENCE_MS) {
        this.listen();
        return;
      }
      const socket = this.socket;
      this.lost(SILENT);
      socket?.close();
    }, SILENCE_MS / 4);
  }

  /** Topic changes of one turn leave together, and those that cancel each other do not leave. */
  private scheduleSync(): void {
    if (this.syncing) return;
    this.syncing = true;
    queueMicrotask(() => {
      this.syncing = false;
      this.sync();
    });
  }

  private sync(): void {
    if (this.connection.get().phase !== "open") return;
    const subscribe = [...this.wanted.keys()].filter((topic) => !this.sent.has(topic));
    const unsubscribe = [...this.sent].filter((topic) => !this.wanted.has(topic));
    const resume: Record<string, string> = {};
    for (const topic of subscribe) {
      this.sent.add(topic);
      const point = this.resume.get(topic);
      if (point !== undefined) resume[topic] = point;
    }
    for (const topic of unsubscribe) this.sent.delete(topic);
    if (unsubscribe.length > 0) this.send({ unsubscribe });
    if (subscribe.length > 0) this.send(Object.keys(resume).length > 0 ? { subscribe, resume } : { subscribe });
  }

  private send(message: Record<string, unknown>): void {
    this.socket?.send(JSON.stringify(message));
  }

  private phase(phase: Phase): void {
    this.connection.set({ phase, attempts: this.attempts, since: this.environment.now() });
  }

  private clear(): void {
    if (this.timer !== null) this.environment.clearTimer(this.timer);
    this.timer = null;
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Falls through: what is not JSON is shown as it came.
  }
  return { error: "unreadable message", detail: text };
}
