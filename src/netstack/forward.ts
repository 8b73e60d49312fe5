/**
 * What a router checks before it passes a packet on, as pure functions (ip_forward.c ip_forward,
 * ip6_output.c ip6_forward): before the forward hook, in this order.
 */
import type { PacketType } from '../netfilter/skb.ts';
import type { DropReason } from '../netfilter/verdict.ts';
import { ipLength } from '../wire/headers.ts';
import { familyOf } from '../wire/ip-address.ts';
import type { Packet } from '../wire/packet.ts';
import type { Refusal } from './fate.ts';
import type { Pieces } from './reassembly.ts';
import { isLinkLocal, isLoopback, isMulticast, isUnspecified, type Route } from './route-table.ts';

export type ForwardVerdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'drop'; readonly reason: DropReason }
  | {
      readonly kind: 'refuse';
      readonly refusal: Extract<Refusal, { kind: 'icmp' }>;
      readonly otherwise: DropReason;
      readonly parameter?: number;
    };

const PASS: ForwardVerdict = { kind: 'pass' };

const TTL_EXCEEDED = { ipv4: { type: 11, code: 0 }, ipv6: { type: 3, code: 0 } } as const;
/** "Fragmentation needed and DF set" (RFC 1191) and "packet too big" (RFC 4443 §3.2). */
const TOO_BIG = { ipv4: { type: 3, code: 4 }, ipv6: { type: 2, code: 0 } } as const;
/** "Beyond scope of source address" (RFC 4443 §3.1). */
const BEYOND_SCOPE = { type: 1, code: 2 } as const;

/** A packet that is to be passed on. */
export interface Forwarded {
  readonly packet: Packet;
  readonly packetType: PacketType;
  readonly inDevice: string | undefined;
  /** Put together from fragments. */
  readonly pieces: Pieces | undefined;
}

/** IPv6 sources that must not travel beyond their link, unless the packet stays on it. */
function checkSource({ packet, inDevice }: Forwarded, route: Route): ForwardVerdict {
  const { src } = packet;
  if (typeof src === 'number' || inDevice === route.device) return PASS;
  if (isUnspecified(src) || isMulticast(src) || isLoopback(src)) return { kind: 'drop', reason: 'martian' };
  if (!isLinkLocal(src)) return PASS;
  return { kind: 'refuse', refusal: { kind: 'icmp', ...BEYOND_SCOPE }, otherwise: 'martian' };
}

/** True when the packet is longer than `mtu` and may not leave in pieces. */
function isTooBig({ packet, pieces }: Forwarded, mtu: number): boolean {
  if (ipLength(packet) <= mtu) return false;
  if (typeof packet.src === 'number' && !packet.dontFragment) return false;
  return pieces === undefined || pieces.loose === true || pieces.longest > mtu;
}

/** Judges a packet about to leave by `route`, whose device takes packets of `mtu` bytes. */
export function checkForward(forwarded: Forwarded, route: Route, mtu: number | undefined): ForwardVerdict {
  const { packet, packetType } = forwarded;
  const family = familyOf(packet.src);
  if (packetType !== 'host') return { kind: 'drop', reason: 'not-for-us' };
  if (packet.ttl <= 1) {
    return {
      kind: 'refuse',
      refusal: { kind: 'icmp', ...TTL_EXCEEDED[family] },
      otherwise: 'ttl-exceeded',
    };
  }
  const source = checkSource(forwarded, route);
  if (source.kind !== 'pass') return source;
  if (mtu === undefined || !isTooBig(forwarded, mtu)) return PASS;
  return { kind: 'refuse', ...tooBig(packet, mtu) };
}

/** What is said about a packet that does not fit through a device of `mtu` bytes. */
export function tooBig(packet: Packet, mtu = 0) {
  const refusal = { kind: 'icmp', ...TOO_BIG[familyOf(packet.src)] } as const;
  return { refusal, otherwise: 'too-big', parameter: mtu } as const;
}
