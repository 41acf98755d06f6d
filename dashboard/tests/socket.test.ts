import { beforeEach, describe, expect, test } from "vitest";
import { LiveSocket } from "../src/live/socket";
import { handFrames, World } from "./support";

let world: World;
let socket: LiveSocket;
let signedOut: number[];
let notices: Record<string, unknown>[];

beforeEach(() => {
  world = new World();
  signedOut = [];
  notices = [];
  socket = new LiveSocket(
    world,
    {
      frame: () => undefined,
      notice: (n) => notices.push(n),
      opened: () => undefined,
      signedOut: (code) => signedOut.push(code),
    },
    handFrames().frames,
  );
  socket.start();
});

const turn = (): Promise<void> => Promise.resolve();

describe("subscriptions", () => {
  test("several wishes for a topic are one subscription, and the last to leave ends it", async () => {
    world.socket.admit();
    const first = socket.want("prices:1");
    const second = socket.want("prices:1");
    await turn();
    expect(world.socket.sent).toEqual([{ subscribe: ["prices:1"] }]);
    first();
    first();
    await turn();
    expect(world.socket.sent).toHaveLength(1);
    second();
    await turn();
    expect(world.socket.sent[1]).toEqual({ unsubscribe: ["prices:1"] });
  });

  test("a topic that is left and wanted again within a turn does not leave the page", async () => {
    world.socket.admit();
    const end = socket.want("orders");
    await turn();
    end();
    socket.want("orders");
    await turn();
    expect(world.socket.sent).toHaveLength(1);
  });
});

describe("a lost connection", () => {
  test("is made again with growing delays and resumes each stream where it was left", async () => {
    socket.want("orders");
    socket.want("status");
    world.socket.admit();
    socket.mark("orders", "17-0");
    world.socket.onclose?.({ code: 1006 });
    expect(socket.connection.get().phase).toBe("waiting");
    world.pass(499);
    expect(world.sockets).toHaveLength(1);
    world.pass(1);
    expect(world.sockets).toHaveLength(2);
    world.socket.onclose?.({ code: 1006 });
    world.pass(999);
    expect(world.sockets).toHaveLength(2);
    world.pass(1);
    world.socket.admit();
    expect(world.socket.sent).toEqual([{ subscribe: ["orders", "status"], resume: { orders: "17-0" } }]);
    expect(socket.connection.get()).toMatchObject({ phase: "open", attempts: 0 });
  });

  test("is never tried more often than every 15 seconds in the long run", () => {
    for (let i = 0; i < 12; i += 1) {
      world.socket.onclose?.({ code: 1006 });
      world.pass(15_000);
    }
    const before = world.sockets.length;
    world.socket.onclose?.({ code: 1006 });
    world.pass(14_999);
    expect(world.sockets).toHaveLength(before);
    world.pass(1);
    expect(world.sockets).toHaveLength(before + 1);
  });

  test("is noticed by silence, but not while frames arrive", () => {
    world.socket.admit();
    for (let i = 0; i < 10; i += 1) {
      world.pass(5_000);
      world.socket.onmessage?.({ data: new ArrayBuffer(0) });
    }
    expect(world.sockets).toHaveLength(1);
    world.pass(26_000);
    expect(world.sockets).toHaveLength(2);
  });

  test("that is closed before its first frame counts as a failed try", () => {
    for (const delay of [500, 1_000, 2_000]) {
      const before = world.sockets.length;
      world.socket.onclose?.({ code: 1013 });
      world.pass(delay - 1);
      expect(world.sockets).toHaveLength(before);
      world.pass(1);
      expect(world.sockets).toHaveLength(before + 1);
    }
  });

  test("that never answers is given up after 20 seconds", () => {
    world.pass(20_500);
    expect(world.sockets).toHaveLength(2);
  });

  test("is not tried again when the login has ended", () => {
    world.socket.admit();
    world.socket.onclose?.({ code: 4401 });
    world.pass(60_000);
    expect(world.sockets).toHaveLength(1);
    expect(signedOut).toEqual([4401]);
    expect(socket.connection.get().phase).toBe("signed out");
  });
});

test("a text frame that is not JSON becomes a readable error", () => {
  world.socket.admit();
  world.socket.onmessage?.({ data: "oops" });
  world.socket.onmessage?.({ data: '{"subscribed":["orders"]}' });
  expect(notices.slice(1)).toEqual([{ error: "unreadable message", detail: "oops" }, { subscribed: ["orders"] }]);
});
