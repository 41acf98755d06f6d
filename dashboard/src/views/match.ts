/** Searching rows by words of their market's question, outcome or own texts. */
import { useDesk } from "../desk";

export type Match = (marketId: string, texts: readonly string[]) => boolean;

/** A test that is true when every word of `search` is in the question or in one of `texts`. */
export function useMatch(search: string): Match {
  const { catalog } = useDesk();
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return () => true;
  return (marketId, texts) => {
    const market = catalog.market(marketId).get();
    const haystack = [market?.question ?? "", market?.groupTitle ?? "", ...texts].join(" ").toLowerCase();
    return words.every((word) => haystack.includes(word));
  };
}
