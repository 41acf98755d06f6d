/** Short messages to the operator. Successes leave after 5 s; errors stay until dismissed; at most four are shown, the oldest go first. */
import type { Environment } from "./socket";
import { Cell, type Frames } from "./store";

export interface Toast {
  readonly id: number;
  readonly tone: "success" | "info" | "error";
  readonly title: string;
  readonly detail: string;
}

const SHOWN = 4;
const LIFE_MS = 5_000;

export class Toasts {
  readonly list: Cell<readonly Toast[]>;
  private last = 0;

  constructor(
    frames: Frames,
    private readonly environment: Pick<Environment, "setTimer">,
  ) {
    this.list = new Cell<readonly Toast[]>([], frames);
  }

  /** Show a message; one that is already shown is not shown twice. */
  add(tone: Toast["tone"], title: string, detail = ""): void {
    const shown = this.list.get();
    if (shown.some((toast) => toast.tone === tone && toast.title === title && toast.detail === detail)) return;
    this.last += 1;
    const id = this.last;
    this.list.set([...shown, { id, tone, title, detail }].slice(-SHOWN));
    if (tone !== "error") this.environment.setTimer(() => this.dismiss(id), LIFE_MS);
  }

  dismiss(id: number): void {
    this.list.set(this.list.get().filter((toast) => toast.id !== id));
  }
}
