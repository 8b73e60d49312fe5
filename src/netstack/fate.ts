/** What became of one packet at one host. */
import type { Skb } from '../netfilter/skb.ts';
import type { DropReason } from '../netfilter/verdict.ts';
import type { IpAddress } from '../wire/ip-address.ts';
import type { MacAddress } from '../wire/mac.ts';
import type { Packet } from '../wire/packet.ts';

/** How a host refuses a packet: a TCP reset, or an ICMP (ICMPv6) error of this type and code. */
export type Refusal =
  | { readonly kind: 'tcp-reset' }
  | { readonly kind: 'icmp'; readonly type: number; readonly code: number };

/** `tcp-reset` or `icmp-TYPE-CODE`. */
export function formatRefusal(refusal: Refusal): string {
  return refusal.kind === 'tcp-reset' ? 'tcp-reset' : `icmp-${refusal.type}-${refusal.code}`;
}

export type Fate =
  /** Passed on, or made here and sent, through `device`. */
  | {
      readonly kind: 'forwarded' | 'sent';
      readonly device: string;
      readonly packet: Packet;
    }
  /** Reached the input side of the host, whether or not a socket listens. */
  | { readonly kind: 'delivered'; readonly packet: Packet }
  /** The host answered with an error, which left by `device`. */
  | { readonly kind: 'rejected'; readonly refusal: Refusal; readonly device: string }
  | { readonly kind: 'dropped'; readonly reason: DropReason }
  /** A rule nobody here understands decides: `reason` names it. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** A packet leaving the host by a device. `nextHop` is whom the neighbour lookup would ask for. */
export interface Transmission {
  readonly device: string;
  readonly nextHop: IpAddress;
  readonly packet: Packet;
  /** What the host knows beside the packet: where it came in, its mark, its conntrack entry. */
  readonly skb?: Skb;
  /** The addresses of its frame, where no neighbour is asked: an answer to a frame that crossed a bridge. */
  readonly link?: { readonly source: MacAddress; readonly destination: MacAddress };
}

export function dropped(reason: DropReason): Fate {
  return { kind: 'dropped', reason };
}
