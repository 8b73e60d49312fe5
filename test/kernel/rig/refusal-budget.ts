/**
 * Linux answers packets without a route (or with one that refuses) at most five times per source address at
 * once and once a second from then on (ip_error), whatever the ICMP sysctls say. The engine's answers have no
 * limit; packets beyond it prove nothing and are left out.
 */
import type { Passage } from '../../../src/netstack/host.ts';
import { formatIpAddress } from '../../../src/wire/ip-address.ts';
import type { Packet } from '../../../src/wire/packet.ts';

const BURST = 5;

export class RefusalBudget {
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** True when the kernel will answer; `now` in seconds. Call it once a packet: it counts. */
  allows(predicted: Passage | undefined, packet: Packet, now: number): boolean {
    if (predicted === undefined || !mayRefuse(predicted)) return true;
    const key = formatIpAddress(packet.src);
    const bucket = this.#buckets.get(key) ?? { tokens: BURST, at: now };
    const tokens = Math.min(BURST, bucket.tokens + (now - bucket.at));
    const allowed = tokens >= 1;
    this.#buckets.set(key, { tokens: allowed ? tokens - 1 : tokens, at: now });
    return allowed;
  }
}

/** True when the fate is one of those that ip_error sends: 3/0, 3/1 and 3/13, or would have been but for a rule. */
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
