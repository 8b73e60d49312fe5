/** `[packets:bytes]`. */
import type { Counters } from '../netfilter/rule-set.ts';

/** What a rule or chain that was never met has. */
export const ZERO_COUNTERS: Counters = { packets: 0n, bytes: 0n };

const COUNTERS = /^\[(\d+):(\d+)\]$/;

/** The counters that `text` says; undefined when it is anything but `[packets:bytes]`. */
export function parseCounters(text: string): Counters | undefined {
  if (text === '[0:0]') return ZERO_COUNTERS;
  const found = COUNTERS.exec(text);
  if (found === null) return undefined;
  return { packets: BigInt(found[1] ?? 0), bytes: BigInt(found[2] ?? 0) };
}

/** `[packets:bytes]`. */
export function formatCounters(counters: Counters): string {
  return `[${counters.packets}:${counters.bytes}]`;
}
