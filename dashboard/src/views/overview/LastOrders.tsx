/** Orders on the overview. */
import type { ReactElement } from "react";
import { Empty, SideLabel, Skeleton, StatusBadge } from "../../components/parts";
import { useDesk, useMarket } from "../../desk";
import { price, shares } from "../../format/money";
import { outcomeOf } from "../../live/catalog";
import { useCell } from "../../live/store";
import { OPEN_STATUSES, type Order } from "../../model";
import { href } from "../../route";
import { Half, SHOWN } from "./Half";

/** Open orders; with room left, the latest of the others. */
export function LastOrders(): ReactElement {
  const desk = useDesk();
  const loaded = useCell(desk.loaded);
  const all = useCell(desk.orders);
  const open = all.filter((order) => OPEN_STATUSES.has(order.status));
  const shown = [...open, ...all.filter((order) => !OPEN_STATUSES.has(order.status))].slice(0, SHOWN);
  return (
    <Half title="Orders" more={{ text: open.length > 0 ? `All ${open.length} open` : "All", to: href("orders") }}>
      {shown.length > 0 ? (
        <ul className="rows live">
          {shown.map((order) => (
            <OrderLine key={order.id} order={order} />
          ))}
        </ul>
      ) : loaded ? (
        <Empty icon="orders" title="No orders yet">
          Strategies place orders when their conditions are met.
        </Empty>
      ) : (
        <Skeleton />
      )}
    </Half>
  );
}

function OrderLine({ order }: { order: Order }): ReactElement {
  const market = useMarket(order.marketId);
  return (
    <li>
      <div className="line">
        <span className="nowrap">
          <SideLabel side={order.side} /> {shares(order.size)} {outcomeOf(market, order.tokenId) ?? ""} at{" "}
          {price(order.price, market?.tick)}
        </span>
        <a className="question clip muted" href={href("markets", order.marketId)}>
          {market?.question ?? "…"}
        </a>
        <span className="push">
          <StatusBadge status={order.status} />
        </span>
      </div>
    </li>
  );
}
