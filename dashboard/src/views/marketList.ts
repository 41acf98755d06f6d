/** The pages of markets that a search finds, read from the site; another search replaces them, and a late answer to an old one is dropped. */
import { useCallback, useEffect, useState } from "react";
import { useDesk } from "../desk";
import type { Market } from "../model";

const TYPING_MS = 250;
const REREAD_MS = 60_000;

export interface MarketList {
  readonly markets: readonly Market[];
  readonly loading: boolean;
  readonly failed: boolean;
  /** Reads the next page; `null` after the last one. */
  readonly more: (() => void) | null;
  readonly again: () => void;
}

interface Pages {
  readonly markets: readonly Market[];
  readonly next: string | null;
  readonly loading: boolean;
  readonly failed: boolean;
}

const NOTHING: Pages = { markets: [], next: null, loading: true, failed: false };

export function useMarketList(search: string, status: string): MarketList {
  const desk = useDesk();
  const [pages, setPages] = useState<Pages>(NOTHING);
  const [round, setRound] = useState(0);

  const read = useCallback(
    async (cursor: string | null, isCurrent: () => boolean): Promise<void> => {
      setPages((known) => ({ ...known, loading: true }));
      try {
        const page = await desk.api.markets({ search, status, ...(cursor === null ? {} : { cursor }) });
        desk.catalog.add(page.markets);
        if (!isCurrent()) return;
        setPages((known) => ({
          markets: cursor === null ? page.markets : [...known.markets, ...page.markets],
          next: page.next,
          loading: false,
          failed: false,
        }));
      } catch (error) {
        if (!isCurrent()) return;
        setPages((known) => ({ ...known, loading: false, failed: true }));
        desk.failed("Could not read the markets", error);
      }
    },
    [desk, search, status],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round is a wish to read again
  useEffect(() => {
    let current = true;
    const first = setTimeout(() => void read(null, () => current), search === "" ? 0 : TYPING_MS);
    return () => {
      current = false;
      clearTimeout(first);
    };
  }, [read, search, round]);

  const again = useCallback(() => setRound((count) => count + 1), []);
  const whole = pages.next === null;
  useEffect(() => {
    const timer = whole ? setInterval(again, REREAD_MS) : undefined;
    return () => clearInterval(timer);
  }, [whole, again]);

  const { next } = pages;
  return { ...pages, more: next === null ? null : () => void read(next, () => true), again };
}
