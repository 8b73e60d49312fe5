/** Durations as Go's time.ParseDuration reads them, in seconds. */
import { type Cursor, fail } from './cursor.ts';
import { string } from './decoders.ts';

const SECONDS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  μs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
};

const WHOLE = /^[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/** `1h30m` as 5400; undefined when `text` is no duration. */
export function parseDuration(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  let seconds = 0;
  for (const [, amount, unit] of text.matchAll(PART)) seconds += Number(amount) * (SECONDS[unit ?? ''] ?? 0);
  return text.startsWith('-') ? -seconds : seconds;
}

/** A duration, in seconds. */
export function duration(at: Cursor): number {
  const text = string(at);
  const seconds = parseDuration(text);
  return seconds ?? fail(at, `${JSON.stringify(text)} is not a duration, such as 30s or 1m30s`);
}

/** A duration that is not negative, in seconds. */
export function positiveOrZero(at: Cursor): number {
  const seconds = duration(at);
  return seconds < 0 ? fail(at, 'must not be negative') : seconds;
}
