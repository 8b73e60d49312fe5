/**
 * What the header around a tunnelled packet takes over from it, as pure functions (ip_tunnels.h, inet_ecn.h,
 * ip_tunnel.c), and the port by which a flow is told from others on its way.
 */
import { jhash2, reciprocalScale } from '../../netfilter/nat/jhash.ts';
import { portsOf } from '../../netfilter/ports.ts';
import type { Frame } from '../../wire/frame.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import { type Packet, protocolOf } from '../../wire/packet.ts';

/** The two lowest bits of the TOS octet (RFC 3168 §5). */
const ECN = { mask: 3, congested: 3, capable: 2 } as const;

/** `ip link … tos`, `ttl`: a value, or that of the inner packet. */
export type Inheritable = number | 'inherit';

/**
 * The outer TOS octet: the tunnel's, with the inner packet's congestion bits, of which a mark of congestion becomes
 * mere capability (INET_ECN_encapsulate). `inner` is 0 for what is no IP packet.
 */
export function outerTos(configured: Inheritable, inner: number): number {
  const tos = configured === 'inherit' ? inner : configured;
  const ecn = inner & ECN.mask;
  return (tos & ~ECN.mask) | (ecn === ECN.congested ? ECN.capable : ecn);
}

/**
 * The inner packet after its outer header is gone: marked when that was marked; undefined, dropped, when it cannot
 * say so (INET_ECN_decapsulate; RFC 6040 §4.2).
 */
export function afterDecapsulation(inner: Packet, outer: Packet): Packet | undefined {
  const ecn = inner.tos & ECN.mask;
  if ((outer.tos & ECN.mask) !== ECN.congested || ecn === ECN.congested) return inner;
  return ecn === 0 ? undefined : { ...inner, tos: inner.tos | ECN.congested };
}

function words(address: IpAddress): readonly number[] {
  return typeof address === 'number' ? [address] : [address.w0, address.w1, address.w2, address.w3];
}

/**
 * The UDP source port under which a tunnel sends `frame`, in [from, to): the same for all packets of a flow, in
 * both directions, so that routers spread flows and keep each in order (udp_flow_src_port). Unlike the kernel's,
 * whose hash has a random key, it is the same in every run.
 */
export function flowPort({ payload }: Frame, from: number, to: number): number {
  if (payload.kind !== 'ip') return from;
  const { packet } = payload;
  // Pieces have no ports to look at, the first one no more than the others.
  const known = packet.fragment === undefined ? portsOf(packet.transport) : undefined;
  const { sport, dport } = known ?? { sport: 0, dport: 0 };
  // As symmetric as the kernel's: __flow_hash_consistentify orders the ends.
  const [first, second] = [words(packet.src), words(packet.dst)].sort((a, b) => compareWords(a, b));
  const ports = sport <= dport ? [sport, dport] : [dport, sport];
  const hash = jhash2([...(first ?? []), ...(second ?? []), ...ports, protocolOf(packet)], 0);
  return from + reciprocalScale(hash, to - from);
}

function compareWords(a: readonly number[], b: readonly number[]): number {
  for (const [index, word] of a.entries()) {
    const other = b[index] ?? 0;
    if (word !== other) return word - other;
  }
  return 0;
}
