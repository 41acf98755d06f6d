/** A line over time on a canvas, in the page's colours, with the value under the pointer. */
import { type ReactElement, useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { MICRO, type Micros } from "../format/money";
import { useDark } from "../theme";

export interface ChartPoint {
  readonly at: number;
  readonly value: Micros | null;
}

interface ChartProps {
  readonly label: string;
  readonly points: readonly ChartPoint[];
  readonly format: (value: Micros | null) => string;
}

export default function Chart({ label, points, format }: ChartProps): ReactElement {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const dark = useDark();
  const data = useRef<uPlot.AlignedData>([[], []]);
  data.current = [
    points.map((point) => point.at / 1000),
    points.map((point) => (point.value === null ? null : point.value / MICRO)),
  ];

  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme means other colours, so the canvas is made anew
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new uPlot(options(element, label, format), data.current, element);
    plot.current = made;
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: element.clientHeight }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [label, format, dark]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: new points are what the plot is told about
  useEffect(() => plot.current?.setData(data.current), [points]);

  return <div ref={box} role="img" aria-label={label} />;
}

function options(element: HTMLElement, label: string, format: ChartProps["format"]): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => resolved(element, style.getPropertyValue(name));
  const accent = colour("--accent");
  const axis: uPlot.Axis = {
    stroke: colour("--muted"),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    padding: [10, 26, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7, fill: accent } },
    scales: { y: { range: (_plot, low, high) => padded(low, high) } },
    axes: [
      { ...axis, grid: { show: false }, size: 28, space: 80, values: (_plot, ticks) => ticks.map(clockText(ticks)) },
      { ...axis, size: 58, space: 34, values: (_plot, ticks) => ticks.map((tick) => format(Math.round(tick * MICRO))) },
    ],
    series: [
      {},
      { label, stroke: accent, width: 2, fill: colour("--accent-soft"), points: { show: false }, spanGaps: true },
    ],
    plugins: [pointer(format)],
  };
}

/** `light-dark()` and the like as a colour that a canvas understands. */
function resolved(element: HTMLElement, colour: string): string {
  const probe = document.createElement("span");
  probe.style.color = colour;
  element.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

/** Some air around the line; a flat line lies in the middle of a cent each way. */
function padded(low: number | null, high: number | null): [number, number] {
  const bottom = low ?? 0;
  const top = high ?? 0;
  const air = Math.max((top - bottom) * 0.12, 0.01);
  return [bottom - air, top + air];
}

const HOURS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const SECONDS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const DAYS = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const MOMENTS = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const LONG_S = 36 * 3600;

/** Days for a long stretch of time, the clock for a short one. */
function clockText(ticks: readonly number[]): (seconds: number) => string {
  const long = (ticks.at(-1) ?? 0) - (ticks[0] ?? 0) > LONG_S;
  return (seconds) => (long ? DAYS : seconds % 60 === 0 ? HOURS : SECONDS).format(seconds * 1000);
}

/** A label with the value and time under the pointer. */
function pointer(format: ChartProps["format"]): uPlot.Plugin {
  const note = document.createElement("div");
  note.className = "note";
  return {
    hooks: {
      init: (plot) => plot.over.append(note),
      setCursor: (plot) => {
        const index = plot.cursor.idx;
        const value = index === null || index === undefined ? null : plot.data[1]?.[index];
        const at = index === null || index === undefined ? null : plot.data[0][index];
        note.hidden = value === null || value === undefined || at === null || at === undefined;
        if (note.hidden) return;
        const times = plot.data[0];
        const long = (times.at(-1) ?? 0) - (times[0] ?? 0) > LONG_S;
        note.textContent = `${format(Math.round((value ?? 0) * MICRO))}  ${(long ? MOMENTS : SECONDS).format((at ?? 0) * 1000)}`;
        const left = plot.cursor.left ?? 0;
        note.style.left = `${Math.min(Math.max(left, 60), plot.over.clientWidth - 60)}px`;
      },
    },
  };
}
