/** How components reach the desk and follow parts of it. */
import { createContext, useContext, useEffect } from "react";
import type { Desk } from "./live/desk";
import { useCell } from "./live/store";
import type { Market } from "./model";

export const DeskContext = createContext<Desk | null>(null);

export function useDesk(): Desk {
  const desk = useContext(DeskContext);
  if (desk === null) throw new Error("useDesk was called outside of DeskContext");
  return desk;
}

/** The time, once a second. */
export function useNow(): number {
  return useCell(useDesk().clock);
}

/** Want topics of the live channel for as long as the component is shown. */
export function useTopics(topics: readonly string[]): void {
  const { socket } = useDesk();
  const wanted = topics.join("\n");
  useEffect(() => {
    const ends = wanted === "" ? [] : wanted.split("\n").map((topic) => socket.want(topic));
    return () => {
      for (const end of ends) end();
    };
  }, [socket, wanted]);
}

/** A market by id, looked up when the page has not heard of it; `null` until it is known. */
export function useMarket(id: string): Market | null {
  return useCell(useDesk().catalog.market(id));
}

/** Whether the user may halt: everyone who is not known to be a viewer, for stopping must not wait for an answer about rights. */
export function useMayHalt(): boolean {
  return useCell(useDesk().user)?.role !== "viewer";
}

/** Whether other commands may be given: not by a viewer, nor while another account is looked at. The site checks again. */
export function useMayTrade(): boolean {
  const desk = useDesk();
  const user = useCell(desk.user);
  const looking = useCell(desk.looking);
  return user !== null && user.role !== "viewer" && looking === "";
}
