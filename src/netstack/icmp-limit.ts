/**
 * How often a host says ICMP errors: token buckets for the whole namespace and for each target (icmp.c
 * icmpv4_global_allow, icmpv4_xrlim_allow, icmpv6_xrlim_allow; inetpeer.c inet_peer_xrlim_allow; route.c ip_error).
 */
import type { Random } from '../sim/random.ts';
import { formatIpAddress, type IpAddress } from '../wire/ip-address.ts';
import type { SysctlTable } from './sysctls/sysctl-table.ts';

/** An ICMP message about to be sent. */
export interface LimitedMessage {
  readonly family: 'ipv4' | 'ipv6';
  readonly type: number;
  readonly code: number;
  /** Whom it goes to. */
  readonly target: IpAddress;
  /** It goes to this host itself: never limited. */
  readonly toSelf: boolean;
}

/** XRLIM_BURST_FACTOR: messages that a target may get at once. */
const BURST_FACTOR = 6;
/** ip_rt_error_burst, in seconds: what is answered about packets without a route, at once. */
const ERROR_BURST = 5;
/** A target that nobody has heard of counts as last served this many seconds ago. */
const FRESH = 60;
/** Peers are forgotten when so many are known. */
const MAX_PEERS = 65_536;

interface Peer {
  /** Seconds. */
  tokens: number;
  last: number;
}

/** `0-1,3-127`: ranges of types. */
function inRanges(ranges: string, type: number): boolean {
  return ranges.split(',').some((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number);
    return type >= first && type <= last;
  });
}

export class IcmpLimiter {
  readonly #sysctls: SysctlTable;
  readonly #random: Random;
  readonly #peers = new Map<string, Peer>();
  #credit: number | undefined;
  #stamp = 0;

  constructor(sysctls: SysctlTable, random: Random) {
    this.#sysctls = sysctls;
    this.#random = random;
  }

  /** Whether `message` may be sent at `now` (seconds); takes its tokens. */
  allows(message: LimitedMessage, now: number): boolean {
    if (!this.#isLimited(message)) return true;
    if (!this.#takeGlobal(now)) return false;
    if (message.toSelf) return true;
    const interval = this.#interval(message);
    if (interval === 0) return true;
    const peer = this.#peer(message.target, now);
    peer.tokens = Math.min(peer.tokens + now - peer.last, BURST_FACTOR * interval);
    peer.last = now;
    if (peer.tokens < interval) return false;
    peer.tokens -= interval;
    return true;
  }

  /** ip_error: whether a packet from `source` that has no route is answered at all; takes its token. */
  allowsRouteError(source: IpAddress, now: number): boolean {
    const peer = this.#peer(source, now);
    peer.tokens = Math.min(peer.tokens + now - peer.last, ERROR_BURST);
    peer.last = now;
    if (peer.tokens < 1) return false;
    peer.tokens -= 1;
    return true;
  }

  #isLimited({ family, type, code }: LimitedMessage): boolean {
    if (family === 'ipv6') return inRanges(this.#sysctls.get('net.ipv6.icmp.ratemask') ?? '', type);
    // Path MTU discovery is not limited.
    if (type > 18 || (type === 3 && code === 4)) return false;
    return ((1 << type) & this.#sysctls.number('net.ipv4.icmp_ratemask')) !== 0;
  }

  /** Seconds between two messages to the target, in the long run. */
  #interval({ family }: LimitedMessage): number {
    const name = family === 'ipv4' ? 'net.ipv4.icmp_ratelimit' : 'net.ipv6.icmp.ratelimit';
    return this.#sysctls.number(name) / 1000;
  }

  #takeGlobal(now: number): boolean {
    const burst = this.#sysctls.number('net.ipv4.icmp_msgs_burst');
    const rate = this.#sysctls.number('net.ipv4.icmp_msgs_per_sec');
    this.#credit ??= burst;
    if (this.#credit <= 0) {
      const passed = Math.min(now - this.#stamp, 1);
      // Nothing is refilled more often than every 20 ms.
      const refill = passed < 0.02 ? 0 : Math.floor(rate * passed);
      if (refill === 0) return false;
      this.#stamp = now;
      this.#credit = Math.min(this.#credit + refill, burst);
    }
    // A random cost of 0, 1 or 2 hides from attackers how much is left.
    this.#credit = Math.max(0, this.#credit - this.#random.below(3));
    return true;
  }

  #peer(address: IpAddress, now: number): Peer {
    const key = formatIpAddress(address);
    const known = this.#peers.get(key);
    if (known !== undefined) return known;
    if (this.#peers.size >= MAX_PEERS) this.#peers.clear();
    const peer: Peer = { tokens: 0, last: now - FRESH };
    this.#peers.set(key, peer);
    return peer;
  }
}
