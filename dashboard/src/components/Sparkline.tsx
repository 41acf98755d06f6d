/** The recent path of a price in the space of a word. */
import type { ReactElement } from "react";
import { useDesk } from "../desk";
import type { Micros } from "../format/money";
import { useCell } from "../live/store";

const WIDTH = 76;
const HEIGHT = 26;
const MARGIN = 3;
/** A path that moves less than this is drawn flat: half a cent of noise is no mountain. */
const LEAST_SPAN = 20_000;

export function Sparkline({ token }: { token: string }): ReactElement {
  const points = useCell(useDesk().quote(token).trail).map((point) => point.mid);
  const first = points[0];
  const last = points[points.length - 1];
  const direction = first === undefined || last === undefined || first === last ? "" : last > first ? "up" : "down";
  return (
    <svg className={`spark ${direction}`} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
      <path d={sparkPath(points)} />
    </svg>
  );
}

export function sparkPath(points: readonly Micros[]): string {
  if (points.length < 2) return "";
  const low = Math.min(...points);
  const high = Math.max(...points);
  const span = Math.max(high - low, LEAST_SPAN);
  const middle = (high + low) / 2;
  const step = WIDTH / (points.length - 1);
  return points
    .map((point, index) => {
      const y = HEIGHT / 2 - ((point - middle) / span) * (HEIGHT - 2 * MARGIN);
      return `${index === 0 ? "M" : "L"}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
}
