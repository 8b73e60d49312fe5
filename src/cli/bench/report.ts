/** Results of `bench` as tables for people. */
import type { ForwardResult } from './forward.ts';
import type { LookupResult } from './lookup.ts';
import type { Ratio } from './ratios.ts';
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
  const head = ['Services', 'endpoints', 'to', 'engine', 'lookups/s', 'ns', 'p50', 'p99', 'rules traversed'];
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
  return columns([head, ...rows]);
}

export function syncText({ services, full, change, kernel, kernelMissing }: SyncResult): string {
  const ms = (value: number | null) => (value === null ? '-' : `${value.toPrecision(3)} ms`);
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
  if (kernelMissing !== null) lines.push(`not measured: ${kernelMissing}\n`);
  return lines.join('\n');
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
