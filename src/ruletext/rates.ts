/** Packet rates of `-m limit` and `-m hashlimit`: `5/min` and the period the kernel keeps for it. */
import type { LimitUnit, Rate } from '../netfilter/match.ts';
import { tryParseLeadingNumber } from './numbers.ts';

/** Longest first, as the printers try them. */
const UNITS: readonly { readonly unit: LimitUnit; readonly name: string; readonly seconds: number }[] = [
  { unit: 'day', name: 'day', seconds: 86_400 },
  { unit: 'hour', name: 'hour', seconds: 3_600 },
  { unit: 'min', name: 'minute', seconds: 60 },
  { unit: 'sec', name: 'second', seconds: 1 },
];

/** The order in which an abbreviated unit is looked up. */
const LOOK_UP = [...UNITS].reverse();

/** Seconds in `unit`. */
export function unitSeconds(unit: LimitUnit): number {
  return UNITS.find((candidate) => candidate.unit === unit)?.seconds ?? 1;
}

/** What became of `text`: a rate, as the kernel will hold it, with the unit it was written in. */
export type ReadRate =
  | { readonly kind: 'rate'; readonly rate: Rate; readonly writtenSeconds: number }
  | { readonly kind: 'bad' }
  | { readonly kind: 'too-fast' };

/**
 * Reads `NUMBER[/UNIT]`; the unit may be cut short and is a second by default. `scale` is the kernel's
 * ticks a second (10,000 for limit, 1,000,000 for hashlimit). The kernel keeps a period, so the answer is the
 * rate that a save prints for it (libxt_limit.c, parse_rate and print_rate).
 */
export function readRate(text: string, scale: number): ReadRate {
  const slash = text.indexOf('/');
  let writtenSeconds = 1;
  if (slash >= 0) {
    const word = text.slice(slash + 1).toLowerCase();
    const found = word === '' ? undefined : LOOK_UP.find(({ name }) => name.startsWith(word));
    if (found === undefined) return { kind: 'bad' };
    writtenSeconds = found.seconds;
  }
  const average = tryParseLeadingNumber(text);
  if (average === undefined || average === 0) return { kind: 'bad' };
  const period = Math.floor((scale * writtenSeconds) / average);
  if (period === 0) return { kind: 'too-fast' };
  return { kind: 'rate', rate: rateOfPeriod(period, scale), writtenSeconds };
}

/** The rate that a save prints for `period` ticks: the shortest unit that still divides well. */
function rateOfPeriod(period: number, scale: number): Rate {
  let chosen = UNITS[0];
  for (const candidate of UNITS.slice(1)) {
    const ticks = candidate.seconds * scale;
    if (period > ticks || Math.floor(ticks / period) < ticks % period) break;
    chosen = candidate;
  }
  const { unit, seconds } = chosen ?? { unit: 'sec' as const, seconds: 1 };
  return { average: Math.floor((seconds * scale) / period), unit };
}

/** `5/min`. */
export function formatRate(rate: Rate): string {
  return `${rate.average}/${rate.unit}`;
}
