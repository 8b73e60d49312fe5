/** Timestamps of pcapng: 64-bit counts of a unit that each interface chooses (if_tsresol, if_tsoffset). */
import type { CaptureTime } from './pcapng.ts';

export interface TimestampUnit {
  /** Units a second. */
  readonly perSecond: bigint;
  /** Seconds to add to every timestamp. */
  readonly offset: number;
}

/** Without if_tsresol. */
export const MICROSECONDS: TimestampUnit = { perSecond: 1_000_000n, offset: 0 };

/** What the writer uses: the resolution of the virtual clock's users. */
export const NANOSECOND_TSRESOL = 9;

const PER_SECOND = 1_000_000_000n;
const MAX_TIMESTAMP = 0xffff_ffff_ffff_ffffn;

/** Units a second by the octet of if_tsresol: 10^n, or with the top bit set 2^n. */
export function unitsPerSecond(tsresol: number): bigint {
  const exponent = BigInt(tsresol & 0x7f);
  return tsresol & 0x80 ? 2n ** exponent : 10n ** exponent;
}

/** The time that `timestamp` counts to; what is finer than a nanosecond is cut. */
export function timeOf(timestamp: bigint, { perSecond, offset }: TimestampUnit): CaptureTime {
  return {
    seconds: Number(timestamp / perSecond) + offset,
    nanoseconds: Number(((timestamp % perSecond) * PER_SECOND) / perSecond),
  };
}

/** `time` in nanoseconds. Throws RangeError when 64 bits do not hold it (before 1970, or after 2554). */
export function nanosecondsOf({ seconds, nanoseconds }: CaptureTime): bigint {
  const count = BigInt(seconds) * PER_SECOND + BigInt(nanoseconds);
  if (count < 0n || count > MAX_TIMESTAMP) {
    throw new RangeError(`a timestamp of ${seconds} s does not fit into 64 bits of nanoseconds`);
  }
  return count;
}
