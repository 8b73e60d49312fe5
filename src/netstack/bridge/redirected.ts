/**
 * Where a packet goes whose destination was changed while it crossed a bridge, as a pure function
 * (br_nf_pre_routing_finish, br_nf_pre_routing_finish_ipv6).
 */
import type { DropReason } from '../../netfilter/verdict.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import type { Packet } from '../../wire/packet.ts';
import type { AddressBook } from '../addressing.ts';
import { lookupOnLink, routeInput } from '../input-route.ts';
import { nextHopOf } from '../route-table.ts';

export type RedirectDecision =
  /** To a neighbour on the bridge itself, past the IP layer. */
  | { readonly kind: 'bridge'; readonly nextHop: IpAddress }
  /** The IP layer delivers it, passes it on by another device, or refuses it. */
  | { readonly kind: 'up' }
  | { readonly kind: 'drop'; readonly reason: DropReason };

const UP: RedirectDecision = { kind: 'up' };

function redirectedIpv4(packet: Packet, bridge: string, book: AddressBook): RedirectDecision {
  const device = book.devices.get(bridge);
  if (device === undefined) return { kind: 'drop', reason: 'no-device' };
  const decision = routeInput({ packet, device, book });
  switch (decision.kind) {
    case 'forward': {
      const { route } = decision;
      return route.device === bridge ? { kind: 'bridge', nextHop: nextHopOf(route, packet.dst) } : UP;
    }
    case 'drop':
      // A router that is switched off is found out by the IP layer.
      return decision.reason === 'forwarding-off' ? UP : decision;
    case 'local':
    case 'refuse':
      return UP;
  }
}

/** IPv6 looks at the route alone: neither the source nor `forwarding` counts here. */
function redirectedIpv6({ dst }: Packet, bridge: string, book: AddressBook): RedirectDecision {
  const route = lookupOnLink(book.routes, dst, bridge);
  switch (route?.type) {
    case 'unicast':
      return route.device === bridge ? { kind: 'bridge', nextHop: nextHopOf(route, dst) } : UP;
    case 'local':
    case 'anycast':
    case 'multicast':
      return UP;
    default:
      return { kind: 'drop', reason: 'no-route' };
  }
}

/** Decides about `packet`, which came in by a port of the device called `bridge`. */
export function routeRedirected(packet: Packet, bridge: string, book: AddressBook): RedirectDecision {
  return typeof packet.dst === 'number'
    ? redirectedIpv4(packet, bridge, book)
    : redirectedIpv6(packet, bridge, book);
}
