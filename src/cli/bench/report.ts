/** Results of `bench` as tables for people. */
import type { ForwardResult } from './forward.ts';
import type { KernelReport } from './kernel.ts';
import type { LookupResult } from './lookup.ts';
import { samplesOf } from './measure.ts';
import type { MeshResult } from './mesh.ts';
import type { Ratio } from './ratios.ts';
import type { ScaleResult } from './scale.ts';
import type { SyncResult } from './sync.ts';

/** Cells padded into columns; numbers to the right. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  const lines = rows.map((row) =>
    row
      .map((cell, index) => {
        const width = widths[index] ?? 0;
        return /^[\d.,]+( \S+)?$/.test(cell) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

const count = (value: number) => value.toLocaleString('en', { maximumFractionDigits: 1 });

export function lookupText(results: readonly LookupResult[]): string {
  const head = ['Services', 'endpoints', 'to', 'engine', 'lookups/s', 'ns', 'p50', 'p99', 'rules on the way'];
  const rows = results.map((each) => [
    count(each.services),
    count(each.endpoints),
    each.spread,
    each.engine,
    count(each.perSecond),
    count(each.nanoseconds),
    count(each.p50),
    count(each.p99),
    count(each.rulesTraversed),
  ]);
  const bursts = new Map(results.map(({ engine, burst }) => [engine, burst]));
  const sizes = [...bursts].map(([engine, burst]) => `${engine} ${burst}`).join(', ');
  return `${columns([head, ...rows])}p50 and p99 are of bursts; packets in one: ${sizes}\n`;
}

/** Nanoseconds, in the unit that suits them. */
function time(nanoseconds: number): string {
  return nanoseconds < 1000 ? `${count(nanoseconds)} ns` : `${count(nanoseconds / 1000)} µs`;
}

/** What the kernel's own packets cost, and its loading of the rules. */
export function kernelText({ results, loading }: KernelReport): string {
  const head = ['Services', 'to', 'back end', 'first packet', 'p10', 'p90', 'later packet'];
  const rows = results.map((each) => [
    count(each.services),
    each.spread,
    each.backend,
    time(each.first),
    time(each.firstP10),
    time(each.firstP90),
    time(each.later),
  ]);
  const loads = loading.map(
    ({ services, backend, milliseconds }) =>
      `${count(services)} Services: the ${backend} back end took ${count(milliseconds)} ms to load the rules\n`,
  );
  const off = samplesOf(results.map(({ handingOver }) => handingOver)).median;
  return [
    "This machine's kernel, a packet's whole way through the node (conntrack, NAT, routing, all hooks), less the\n",
    `${time(off)} that handing a packet over takes by itself:\n`,
    columns([head, ...rows]),
    ...loads,
  ].join('');
}

export function syncText({ services, full, change, kernel }: SyncResult): string {
  const ms = (value: number) => `${Number(value.toPrecision(3)).toLocaleString('en')} ms`;
  const head = [`${count(services)} Services`, 'rules', 'bytes', 'generate', 'read', 'compile'];
  const row = (name: string, cost: SyncResult['full']) => [
    name,
    count(cost.rules),
    count(cost.bytes),
    ms(cost.generate),
    ms(cost.parse),
    ms(cost.compile),
  ];
  const lines = [columns([head, row('full sync', full), row('one Service', change)])];
  if (kernel.length > 0) {
    const rows = kernel.map(({ restorer, full: all, change: one }) => [restorer, ms(all), ms(one)]);
    lines.push(columns([["the kernel's side", 'full sync', 'one Service'], ...rows]));
  }
  return lines.join('\n');
}

function fleetText(fleet: ScaleResult['fleet']): string {
  const { services, endpoints, nodes, rules } = fleet;
  return [
    `${count(nodes)} nodes with ${count(services)} Services of ${count(endpoints)} endpoints and some of their own: ${count(rules)} rules of nat\n`,
    columns([
      ['the first node', wholeMs(fleet.firstNode)],
      ['all nodes', wholeMs(fleet.allNodes)],
      ['memory for what they have in common', mib(fleet.commonBytes)],
      ['memory with all nodes', mib(fleet.allNodesBytes)],
      ['a look-up, going from node to node', `${count(fleet.lookup)} ns`],
      ['one Service changes on all nodes', `${count(fleet.change)} ms`],
    ]),
  ].join('');
}

function mib(bytes: number): string {
  return `${count(Math.round(bytes / 2 ** 20))} MiB`;
}

function wholeMs(milliseconds: number): string {
  return `${count(Math.round(milliseconds))} ms`;
}

export function scaleText(result: ScaleResult): string {
  const { services, endpoints, steps, rules, bytes, peakBytes, fleet } = result;
  const rows = steps.map(({ name, milliseconds, residentBytes }) => [
    name,
    wholeMs(milliseconds),
    mib(residentBytes),
  ]);
  return [
    `${count(services)} Services of ${count(endpoints)} endpoints: ${count(rules)} rules of nat, ${count(bytes)} bytes of text\n`,
    columns([['step', 'time', 'memory after it'], ...rows]),
    `at most ${mib(peakBytes)} of memory\n\n`,
    fleetText(fleet),
  ].join('');
}

export function meshText(result: MeshResult): string {
  const { nodes, pods, services, requests, answered, seconds, virtualSeconds, packets, memory } = result;
  return columns([
    ['nodes', count(nodes)],
    ['pods', count(pods)],
    ['Services', count(services)],
    ['HTTP requests, a connection each', count(requests)],
    ['answered by a pod of the Service', count(answered)],
    ['wall-clock seconds', count(seconds)],
    ['virtual seconds', count(virtualSeconds)],
    ['packets met by hosts', count(packets)],
    ['packets per second', count(result.packetsPerSecond)],
    ['requests per second', count(result.requestsPerSecond)],
    ['memory', mib(memory)],
  ]);
}

export function forwardText(results: readonly ForwardResult[]): string {
  const head = ['Services', 'engine', 'new flows/s', 'established/s'];
  const rows = results.map(({ services, engine, newFlows, established }) => [
    count(services),
    engine,
    count(newFlows),
    count(established),
  ]);
  return columns([head, ...rows]);
}

export function ratiosText(ratios: readonly Ratio[]): string {
  const rows = ratios.map(({ name, value, goal, met, detail }) => [
    met ? 'met' : 'not met',
    value === null ? '-' : value >= 100 ? count(Math.round(value)) : value.toPrecision(3),
    goal,
    name,
    detail,
  ]);
  return columns([['', 'value', 'goal', 'ratio', 'made of'], ...rows]);
}
