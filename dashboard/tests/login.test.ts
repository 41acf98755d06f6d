import { describe, expect, test } from "vitest";
import { toLogin } from "../src/login";

function browser() {
  const went: string[] = [];
  let shown = (): void => undefined;
  return {
    went,
    comeBack: () => shown(),
    window: {
      location: { assign: (url: string | URL) => void went.push(String(url)) },
      addEventListener: (_: "pageshow", listener: () => void) => {
        shown = listener;
      },
    },
  };
}

describe("the way to the login", () => {
  test("is taken once when a request and the socket both notice the end", () => {
    const { went, window } = browser();
    const leave = toLogin(window);
    leave();
    leave();
    expect(went).toEqual(["/login/?next=/"]);
  });

  test("is taken again by a page that came back from the history", () => {
    const { went, window, comeBack } = browser();
    const leave = toLogin(window);
    leave();
    comeBack();
    leave();
    expect(went).toEqual(["/login/?next=/", "/login/?next=/"]);
  });
});
