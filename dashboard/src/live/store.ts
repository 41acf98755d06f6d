/**
 * State outside React: cells that hold an immutable value and tell their listeners once per animation frame.
 *
 * A book that changes 200 times a second renders its ladder once a frame and nothing else; a hidden page is told four times a second.
 * Values are readable at once, only the telling is batched. A listener that throws does not keep the others from being told: its error
 * is reported as uncaught.
 */
import { useSyncExternalStore } from "react";

type Listener = () => void;
type Scheduler = (flush: () => void) => void;

const HIDDEN_MS = 250;

function onFrame(flush: () => void): void {
  if (document.hidden) setTimeout(flush, HIDDEN_MS);
  else requestAnimationFrame(flush);
}

/** Collects what changed and tells the listeners together. */
export class Frames {
  private changed = new Set<Listener>();
  private scheduled = false;

  constructor(private readonly schedule: Scheduler = onFrame) {}

  add(tell: Listener): void {
    this.changed.add(tell);
    if (this.scheduled) return;
    this.scheduled = true;
    this.schedule(this.flush);
  }

  private readonly flush = (): void => {
    this.scheduled = false;
    const pending = this.changed;
    this.changed = new Set();
    for (const tell of pending) tell();
  };
}

/** What a component can follow. */
export interface Readable<T> {
  readonly get: () => T;
  readonly subscribe: (listener: Listener) => () => void;
}

abstract class Observable {
  private readonly listeners = new Set<Listener>();

  constructor(private readonly frames: Frames) {}

  readonly subscribe = (listener: Listener): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  protected changed(): void {
    if (this.listeners.size > 0) this.frames.add(this.tell);
  }

  private readonly tell = (): void => {
    for (const listener of this.listeners) {
      try {
        listener();
      } catch (error) {
        reportError(error);
      }
    }
  };
}

/** One value. */
export class Cell<T> extends Observable implements Readable<T> {
  constructor(
    private value: T,
    frames: Frames,
  ) {
    super(frames);
  }

  readonly get = (): T => this.value;

  set(value: T): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    this.changed();
  }
}

/** A value computed from mutable state, and only when someone reads it after a change. */
export abstract class Lazy<T> extends Observable implements Readable<T> {
  private cached: { readonly value: T } | null = null;

  readonly get = (): T => {
    this.cached ??= { value: this.compute() };
    return this.cached.value;
  };

  protected abstract compute(): T;

  protected invalidate(): void {
    this.cached = null;
    this.changed();
  }
}

/** Follow a cell: the component renders again when its value is another. */
export function useCell<T>(cell: Readable<T>): T {
  return useSyncExternalStore(cell.subscribe, cell.get);
}
