/**
 * Linux answers packets without a route (or with one that refuses) at most five times per source address at
 * once and once a second from then on (ip_error), whatever the ICMP sysctls say. The engine's answers have no
 * limit, so packets beyond it have to wait, or prove nothing.
 */
import type { Passage } from '../../netstack/host.ts';
import { formatIpAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';

const BURST = 5;
/** Answers a second once the burst is used up, and a little more than it takes to be sure of one. */
const REFILL_SECONDS = 1.05;

export class RefusalBudget {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /**
   * Seconds to wait before the kernel will answer a packet of which `predicted` is to come; 0 mostly. `now`
   * in seconds. Call it once a packet: it counts the answer as given.
   */
  delay(predicted: Passage | undefined, packet: Packet, now: number): number {
    // IPv6 has no such limit.
    if (predicted === undefined || typeof packet.src !== 'number' || !mayRefuse(predicted)) return 0;
    const key = formatIpAddress(packet.src);
    const bucket = this.#buckets.get(key) ?? { tokens: BURST, at: now };
    const tokens = Math.min(BURST, bucket.tokens + (now - bucket.at) / REFILL_SECONDS);
    const delay = tokens >= 1 ? 0 : (1 - tokens) * REFILL_SECONDS;
    this.#buckets.set(key, { tokens: Math.max(0, tokens - 1), at: now + delay });
    return delay;
  }
}

/** True when the fate is one of those that ip_error sends (3/0, 3/1, 3/13), or would have been but for a rule. */
function mayRefuse({ fate }: Passage): boolean {
  switch (fate.kind) {
    case 'rejected':
      return (
        fate.refusal.kind === 'icmp' && fate.refusal.type === 3 && [0, 1, 13].includes(fate.refusal.code)
      );
    case 'dropped':
      return fate.reason === 'answer-dropped' || fate.reason === 'no-route';
    default:
      return false;
  }
}
