/** What a hook decides about a packet, and every named reason for which a packet can be dropped. */
import type { RejectType } from './target.ts';

/** Why a packet was dropped, and what that means to the one who looks for it. */
export const DROP_REASONS = {
  rule: 'a rule with target DROP matched',
  policy: 'no rule decided and the policy of the built-in chain is DROP',
  rp_filter: 'the reverse path to the source does not leave by the device the packet came in on',
  martian: 'the source or destination address cannot occur on this device',
  'conntrack-full': 'the conntrack table is full and nothing could be evicted for the new flow',
  'conntrack-clash': 'another flow already owns the tuples; the entry could not be inserted (insert_failed)',
  'nat-device-changed':
    'a masqueraded flow would leave by another device; its entry was deleted with this packet',
  'nat-no-address': 'the device has no address to translate to',
  'nat-untranslatable': 'an ICMP redirect about a translated flow is not passed on',
  'forwarding-off': 'the packet is for another host and the incoming device does not forward',
  'no-route': 'there is no route to the destination and the sender was told so locally',
  blackhole: 'the route to the destination is a blackhole',
  'ttl-exceeded': 'the ttl ran out and the packet is one that no ICMP error answers',
  'answer-dropped': 'the host answered, and its own rules dropped the answer on its way out',
  corrupt: 'the checksum of the IP header is wrong',
  'not-for-us': 'the frame was addressed to another host or to a group',
  'multicast-not-joined': 'no socket of the host has joined the group',
  'too-big': 'the packet is longer than the outgoing device allows and may not be fragmented',
  'awaiting-fragments': 'the fragment is held until the rest of its packet arrives',
  malformed:
    'a match or target gave the packet up: a header is cut off, connlimit counts nobody any more (hotdrop)',
  'no-neighbour': 'nobody answered when the next hop was looked for on the link',
  'neighbour-table-full': 'there are as many neighbours as the table may hold (gc_thresh3)',
  'neighbour-queue-full': 'too many packets already wait for the same neighbour to be found',
  'no-device': 'the device the route leads to is not there any more',
  'device-down': 'the device is switched off',
  'link-down': 'the cable is cut, or the device at its other end is switched off',
  'frame-too-long':
    'the device at the other end of the link takes no frames of this length (its MTU is smaller)',
  lost: 'the link lost the frame',
  'no-tunnel-endpoint': 'the forwarding table of the VXLAN device names no endpoint for the MAC address',
  'tunnel-loop': 'a frame of the VXLAN device itself has come back to it',
  congestion: 'the tunnel was congested, and the inner packet has no way to say so',
  'queue-full': 'the link sends slower than frames come, and its queue is full',
  'bridge-same-port': 'the frame would leave by the bridge port it came in on, and hairpin_mode is off',
  'bridge-isolated': 'both bridge ports are isolated from each other',
  'bridge-port-state': 'the bridge port is not forwarding',
  'bridge-filtered': 'frames of this kind stay on their link: a bridge does not pass them on',
  'ipv6-disabled': 'the device has disable_ipv6 set',
  'unknown-protocol': 'nobody in this namespace takes frames of this type',
  'loop-limit': 'the packet passed this host too often; it is in a routing loop',
} as const;
export type DropReason = keyof typeof DROP_REASONS;

export type HookVerdict =
  | { readonly kind: 'accept' }
  | { readonly kind: 'drop'; readonly reason: DropReason }
  | { readonly kind: 'reject'; readonly with: RejectType }
  /** A rule the engine does not understand was reached; `reason` names it (`unsupported: -m foo`). */
  | { readonly kind: 'unknown'; readonly reason: string };

export const ACCEPT: HookVerdict = { kind: 'accept' };
