/**
 * `-j TCPMSS` (xt_TCPMSS.c): lowers the maximum segment size that a SYN announces, and announces one for a SYN that
 * does not. Pure: segment in, segment out.
 */
import type { IpFamily } from '../wire/ip-address.ts';
import type { TcpSegment } from '../wire/packet.ts';

const KIND_NOP = 1;
const KIND_MSS = 2;
const MSS_LENGTH = 4;
/** A TCP header's options, at most: its length is counted in four bits of words. */
const MAX_OPTIONS = 40;

/** What is meant by a SYN that announces nothing (RFC 9293 §3.7.1): never announce more for it. */
const DEFAULT_MSS: Readonly<Record<IpFamily, number>> = { ipv4: 536, ipv6: 1220 };

/** `segment` announcing at most `mss`; the same segment when there is nothing to change. */
export function limitMss(segment: TcpSegment, mss: number, family: IpFamily): TcpSegment {
  const { options, data } = segment;
  for (let at = 0; at + MSS_LENGTH <= options.length; ) {
    const [kind = 0, length = 0, high = 0, low = 0] = options.subarray(at, at + MSS_LENGTH);
    if (kind === KIND_MSS && length === MSS_LENGTH) {
      if (((high << 8) | low) <= mss) return segment;
      const lowered = options.slice();
      lowered.set([mss >> 8, mss & 0xff], at + 2);
      return { ...segment, options: lowered };
    }
    at += kind <= KIND_NOP || length === 0 ? 1 : length;
  }
  // Data would have to move, and the packet might not fit any more.
  if (data.length > 0 || options.length >= MAX_OPTIONS) return segment;
  const announced = Math.min(mss, DEFAULT_MSS[family]);
  return {
    ...segment,
    options: Uint8Array.from([KIND_MSS, MSS_LENGTH, announced >> 8, announced & 0xff, ...options]),
  };
}
