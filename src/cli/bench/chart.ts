/** The chart of `bench`: Services across, what a packet costs up, a line an engine and kernel back end. */

import type { EngineName } from './engines.ts';
import type { KernelResult } from './kernel.ts';
import type { Backend } from './kernel-node.ts';
import type { LookupResult } from './lookup.ts';
import { type PlotLine, type PlotPoint, svgPlot } from './svg-plot.ts';
import type { Spread } from './traffic.ts';

interface Style {
  readonly label: string;
  readonly colour: string;
  readonly dashed: boolean;
}

/** Colours that the colour-blind tell apart; the kernel's lines are dashed, for they are about more. */
const ENGINE_STYLES: Readonly<Record<EngineName, Style>> = {
  linear: { label: 'linear engine', colour: '#b8860b', dashed: false },
  indexed: { label: 'indexed engine', colour: '#009e73', dashed: false },
  compiled: { label: 'compiled engine', colour: '#0072b2', dashed: false },
};
const BACKEND_STYLES: Readonly<Record<Backend, Style>> = {
  legacy: { label: 'Linux, iptables-legacy', colour: '#d55e00', dashed: true },
  nft: { label: 'Linux, iptables-nft', colour: '#a0408a', dashed: true },
};

interface Cost {
  readonly services: number;
  readonly spread: Spread;
  readonly nanoseconds: number;
}

/** What a line runs through when all kinds of destinations were measured. */
const PREFERRED: readonly Spread[] = ['uniform', 'zipf', 'last', 'first'];

function pointsOf(costs: readonly Cost[], line: Spread): readonly PlotPoint[] {
  return costs
    .filter(({ spread }) => spread === line)
    .map(({ services, nanoseconds }) => {
      const all = costs.filter((cost) => cost.services === services).map((cost) => cost.nanoseconds);
      return { x: services, y: nanoseconds, low: Math.min(...all), high: Math.max(...all) };
    })
    .sort((a, b) => a.x - b.x);
}

function timeText(nanos: number): string {
  if (nanos < 1e3) return `${nanos} ns`;
  return nanos < 1e6 ? `${nanos / 1e3} µs` : `${nanos / 1e6} ms`;
}

const SPREAD_WORDS: Readonly<Record<Spread, string>> = {
  first: 'all packets to the first Service',
  last: 'all packets to the last Service',
  uniform: 'every Service equally wanted',
  zipf: 'the n-th most wanted Service 1/n as often as the first',
};

export interface ChartInput {
  readonly lookups: readonly LookupResult[];
  readonly kernel: readonly KernelResult[];
  /** One line. */
  readonly machine: string;
}

/** SVG text. There must be at least one result. */
export function costChart({ lookups, kernel, machine }: ChartInput): string {
  const spreads = new Set([...lookups, ...kernel].map(({ spread }) => spread));
  const main = PREFERRED.find((spread) => spreads.has(spread)) ?? 'uniform';
  const line = (style: Style, costs: readonly Cost[]): readonly PlotLine[] => {
    const points = pointsOf(costs, main);
    return points.length === 0 ? [] : [{ ...style, points }];
  };
  const engines = Object.keys(ENGINE_STYLES) as EngineName[];
  const backends = Object.keys(BACKEND_STYLES) as Backend[];
  const lines = [
    ...engines.flatMap((engine) =>
      line(
        ENGINE_STYLES[engine],
        lookups.filter((result) => result.engine === engine),
      ),
    ),
    ...backends.flatMap((backend) =>
      line(
        BACKEND_STYLES[backend],
        kernel
          .filter((result) => result.backend === backend)
          // Faster than the clock's noise is no time at all, and has no logarithm.
          .map(({ services, spread, first }) => ({ services, spread, nanoseconds: Math.max(1, first) })),
      ),
    ),
  ];
  const band = spreads.size > 1 ? '; bands reach from the cheapest destinations to the dearest' : '';
  const notes = [
    `Lines: ${SPREAD_WORDS[main]}${band}.`,
    ...(lookups.length > 0 ? ['Solid: kubewire, the look-up in the nat table alone.'] : []),
    ...(kernel.length > 0 ? ["Dashed: Linux, a flow's first packet on its whole way through a node."] : []),
  ];
  return svgPlot({
    title: 'One packet to a Service under kube-proxy’s iptables rules',
    notes,
    xLabel: 'Services',
    yLabel: 'time a packet',
    formatX: (value) => value.toLocaleString('en'),
    formatY: timeText,
    lines,
    source: machine,
  });
}
