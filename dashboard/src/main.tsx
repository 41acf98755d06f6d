/** Starts the page: one desk for its whole life. */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Api } from "./api/api";
import { Http } from "./api/http";
import { App } from "./app";
import { DeskContext } from "./desk";
import { Desk } from "./live/desk";
import type { Environment } from "./live/socket";
import { toLogin } from "./login";
import { applyTheme } from "./theme";
import "./styles/theme.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/views.css";

const NO_ROLE = 4403;

const environment: Environment = {
  connect: () => new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`),
  now: () => Date.now(),
  random: () => Math.random(),
  setTimer: (run, ms) => window.setTimeout(run, ms),
  clearTimer: (timer) => window.clearTimeout(timer),
};

applyTheme();
const signIn = toLogin(window);
const desk: Desk = new Desk(new Api(new Http(signIn)), environment, (code) => {
  if (code === NO_ROLE)
    desk.toasts.add("error", "Your user has no role", "Ask an admin for the role viewer or trader, then reload.");
  else signIn();
});
desk.start();
const wake = (): void => {
  if (!document.hidden) desk.socket.start();
};
window.addEventListener("online", wake);
document.addEventListener("visibilitychange", wake);

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no element #root");
createRoot(root).render(
  <StrictMode>
    <DeskContext value={desk}>
      <App />
    </DeskContext>
  </StrictMode>,
);
