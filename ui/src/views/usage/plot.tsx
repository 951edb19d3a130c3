// Tokens by day as bars, a colour for each model. What the bars say stands in the tables too.

import { useEffect, useRef } from "preact/hooks";
import type { Options, Series } from "uplot";
import { theme } from "../../state/theme";
import { short } from "../../text/numbers";

interface Props {
  names: string[];
  days: string[];
  sums: number[][];
}

const HEIGHT = 220;

export function Plot({ names, days, sums }: Props) {
  const root = useRef<HTMLDivElement>(null);
  const look = theme.value;
  useEffect(() => {
    const at = root.current;
    if (!at || days.length === 0) return;
    let isWanted = true;
    let end = () => undefined as void;
    // Half of the page's weight: loaded by whoever looks at it.
    void import("uplot").then(({ default: uPlot }) => {
      const bars = uPlot.paths.bars?.({ size: [0.7, 40] });
      if (!isWanted || !bars) return;
      const options = looks(at, { names, days, sums }, bars);
      const plot = new uPlot(options, [days.map((_, number) => number), ...sums.toReversed()], at);
      const watch = new ResizeObserver(() => plot.setSize({ width: at.clientWidth, height: HEIGHT }));
      watch.observe(at);
      end = () => {
        watch.disconnect();
        plot.destroy();
      };
    });
    return () => {
      isWanted = false;
      end();
    };
  }, [names.join(), days.join(), JSON.stringify(sums), look]);
  return (
    <figure>
      <div class="plot" ref={root} role="img" aria-label="Tokens by day; the tables below have the sums" />
      <figcaption>
        {names.map((name, number) => (
          <span>
            <i class={`swatch of-${number}`} />
            {name}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function looks(at: HTMLElement, { names, days, sums }: Props, bars: Series.PathBuilder): Options {
  const style = getComputedStyle(at);
  // Of the two that a theme has, the colour in force.
  const colour = (name: string) => {
    at.style.color = `var(${name})`;
    const found = style.color;
    at.style.color = "";
    return found;
  };
  const ink = colour("--faint");
  const line = colour("--line");
  const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  return {
    width: at.clientWidth,
    height: HEIGHT,
    cursor: { drag: { x: false, y: false }, points: { show: false } },
    legend: { show: false },
    padding: [8, 0, 0, 0],
    scales: {
      x: { time: false, range: [-0.6, days.length - 0.4] },
      y: { range: (_, __, most) => [0, most * 1.08 || 1] },
    },
    axes: [
      { ...axis, size: 30, grid: { show: false }, values: (_, places) => places.map((place) => day(days[place])) },
      { ...axis, size: 48, values: (_, places) => places.map(short) },
    ],
    series: [
      {},
      // The highest sums first: those before them are drawn over them.
      ...sums.map((_, number) => ({
        label: names[names.length - 1 - number] ?? "",
        fill: colour(`--plot-${names.length - 1 - number}`),
        paths: bars,
        points: { show: false },
      })),
    ],
  };
}

const shown = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });

function day(date: string | undefined): string {
  return date ? shown.format(Date.parse(date)) : "";
}
