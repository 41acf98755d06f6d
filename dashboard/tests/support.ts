/** Stand-ins for what the browser and the site give: a socket that speaks the real frames, a clock that is moved by hand. */
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Event, EventSchema } from "../src/gen/polybot/v1/events_pb";
import type { Environment } from "../src/live/socket";
import { Frames } from "../src/live/store";

/** Frames that are flushed by hand. */
export function handFrames(): { frames: Frames; flush: () => void } {
  let pending: (() => void) | null = null;
  const frames = new Frames((flush) => {
    pending = flush;
  });
  return {
    frames,
    flush: () => {
      const run = pending;
      pending = null;
      run?.();
    },
  };
}

export class FakeSocket {
  binaryType: BinaryType = "blob";
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly sent: Record<string, unknown>[] = [];

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Record<string, unknown>);
  }

  /** Let the page in: the site's first frame. */
  admit(): void {
    this.onmessage?.({ data: '{"subscribed":[]}' });
  }

  close(): void {
    this.onclose?.({ code: 1000 });
  }

  deliver(...events: Payload[]): void {
    for (const payload of events) this.onmessage?.({ data: encode(payload) });
  }
}

type Payload = Event["payload"] & { streamId?: string };

let sequence = 0n;

export function encode({ streamId = "", ...payload }: Payload): ArrayBuffer {
  sequence += 1n;
  const event = create(EventSchema, {
    eventId: String(sequence),
    sequence,
    streamId,
    timestamp: timestampFromMs(1_000),
    payload: payload as Event["payload"],
  });
  const bytes = toBinary(EventSchema, event);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

/** A world whose time is moved by hand. */
export class World implements Environment {
  readonly sockets: FakeSocket[] = [];
  time = 1_000_000;
  private timers: { at: number; run: () => void; id: number }[] = [];
  private ids = 0;

  readonly now = (): number => this.time;
  readonly random = (): number => 0;

  connect(): WebSocket {
    const socket = new FakeSocket();
    this.sockets.push(socket);
    return socket as unknown as WebSocket;
  }

  setTimer(run: () => void, ms: number): number {
    this.ids += 1;
    this.timers.push({ at: this.time + ms, run, id: this.ids });
    return this.ids;
  }

  clearTimer(id: number): void {
    this.timers = this.timers.filter((timer) => timer.id !== id);
  }

  /** Let `ms` pass; timers run when their time comes. */
  pass(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.clearTimer(next.id);
      this.time = next.at;
      next.run();
    }
    this.time = end;
  }

  get socket(): FakeSocket {
    const last = this.sockets[this.sockets.length - 1];
    if (last === undefined) throw new Error("no connection was made");
    return last;
  }
}
