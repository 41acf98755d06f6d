/** Open and recent orders, and taking them back. */
import { type ReactElement, useState } from "react";
import { Confirm } from "../components/Dialog";
import { Chips, Empty, Reasons, Search, SideLabel, Skeleton, StatusBadge, What } from "../components/parts";
import { type Column, Table } from "../components/Table";
import { useDesk, useMayTrade, useNow } from "../desk";
import { dollars, notional, price, shares } from "../format/money";
import { clock } from "../format/time";
import { useCell } from "../live/store";
import { OPEN_STATUSES, type Order } from "../model";
import { useMatch } from "./match";

type Show = "open" | "recent";
type Asked = { readonly order: Order } | "all" | null;

const CANCELLABLE: ReadonlySet<string> = new Set(["live", "partially_filled", "delayed", "unknown", "submitted"]);

export function Orders(): ReactElement {
  const desk = useDesk();
  const loaded = useCell(desk.loaded);
  const all = useCell(desk.orders);
  const mayTrade = useMayTrade();
  const [show, setShow] = useState<Show>("recent");
  const [search, setSearch] = useState("");
  const [asked, setAsked] = useState<Asked>(null);
  const matches = useMatch(search);
  const open = all.filter((order) => OPEN_STATUSES.has(order.status));
  const rows = (show === "open" ? open : all).filter((order) =>
    matches(order.marketId, [order.strategy, order.status, order.id]),
  );
  return (
    <>
      <div className="head">
        <h1>Orders</h1>
        <Chips
          label="Which orders"
          options={[
            ["open", `Open ${open.length}`],
            ["recent", "Recent"],
          ]}
          value={show}
          onChange={setShow}
        />
        <Search label="Search orders" value={search} onChange={setSearch} />
        <button
          type="button"
          className="button quiet-danger push"
          disabled={!mayTrade || open.length === 0}
          title={mayTrade ? "" : "Needs the role trader"}
          onClick={() => setAsked("all")}
        >
          Cancel all
        </button>
      </div>
      <ManualRefusals />
      <section className="card tabled live">
        {rows.length > 0 ? (
          <Table
            label="Orders"
            columns={columns(mayTrade, (order) => setAsked({ order }))}
            rows={rows}
            rowKey={(order) => order.id}
          />
        ) : loaded ? (
          <Empty
            icon="orders"
            title={search === "" ? (show === "open" ? "No open orders" : "No orders yet") : "No order matches"}
          >
            {search === ""
              ? "Strategies place orders when their conditions are met; most are filled at once."
              : "Try another word."}
          </Empty>
        ) : (
          <Skeleton />
        )}
      </section>
      {asked === null ? null : <CancelDialog asked={asked} onClose={() => setAsked(null)} />}
    </>
  );
}

function columns(mayTrade: boolean, onCancel: (order: Order) => void): readonly Column<Order>[] {
  return [
    { title: "Market", full: true, cell: (o) => <What marketId={o.marketId} tokenId={o.tokenId} note={o.strategy} /> },
    { title: "Side", cell: (o) => <SideLabel side={o.side} /> },
    { title: "Price", right: true, cell: (o) => price(o.price) },
    { title: "Filled", right: true, cell: (o) => <Filled order={o} /> },
    { title: "Type", cell: (o) => o.type },
    { title: "Status", cell: (o) => <StatusBadge status={o.status} title={o.statusReason} /> },
    { title: "Time", cell: (o) => <Moment at={o.createdAt} /> },
    { title: "Why", full: true, cell: (o) => <Why order={o} /> },
    {
      title: "Cancel",
      right: true,
      full: true,
      cell: (o) =>
        mayTrade && CANCELLABLE.has(o.status) ? (
          <button type="button" className="button tiny" onClick={() => onCancel(o)}>
            Cancel
          </button>
        ) : null,
    },
  ];
}

export function Moment({ at }: { at: number | null }): ReactElement {
  return <span className="nowrap muted">{clock(at, useNow())}</span>;
}

/** An immediate BUY spends an amount: at better prices it brings more shares than were asked for. */
function Filled({ order }: { order: Order }): ReactElement {
  const spends = order.side === "buy" && (order.type === "FAK" || order.type === "FOK");
  const amount = dollars(notional(order.price, order.size));
  return (
    <span {...(spends ? { title: `Spends up to ${amount}; better prices bring more shares` } : {})}>
      {shares(order.filled)}{" "}
      <span className="muted">
        of {shares(order.size)}
        {spends ? "+" : ""}
      </span>
    </span>
  );
}

function Why({ order }: { order: Order }): ReactElement | null {
  const text = order.statusReason || order.reason;
  return text === "" ? null : (
    <span className="why small muted" title={text}>
      {text}
    </span>
  );
}

/** What operators ordered and risk refused. */
function ManualRefusals(): ReactElement {
  const refused = useCell(useDesk().status)?.manualRefusals ?? [];
  return <Reasons reasons={refused} what="manual orders were refused since the trader started" />;
}

function CancelDialog({ asked, onClose }: { asked: Exclude<Asked, null>; onClose: () => void }): ReactElement {
  const desk = useDesk();
  const all = asked === "all";
  const run = async (): Promise<void> => {
    const answer = all ? await desk.api.cancelAllOrders() : await desk.api.cancelOrder(asked.order.id);
    if (answer === "done") desk.toasts.add("success", all ? "All open orders are cancelled" : "The order is cancelled");
    else if (answer === "unconfirmed")
      desk.toasts.add("info", "The orders are cancelled", "The venue has not confirmed yet that none is open.");
    else
      desk.toasts.add("info", "The cancel is sent", "The trader has not answered yet; the order's status will tell.");
  };
  return (
    <Confirm
      title={all ? "Cancel all open orders?" : "Cancel this order?"}
      action={all ? "Cancel all" : "Cancel order"}
      danger
      run={run}
      onClose={onClose}
    >
      {all ? (
        <p className="muted">Strategies may place new ones. To stop them too, halt trading.</p>
      ) : (
        <p className="muted">
          {asked.order.side === "buy" ? "Buy" : "Sell"} {shares(asked.order.size)} at {price(asked.order.price)};{" "}
          {shares(asked.order.filled)} are filled and stay.
        </p>
      )}
    </Confirm>
  );
}
