/**
 * Where a packet that the host makes goes, as a pure function (route.c ip_route_output_key, ip_mc_output;
 * ip6_output.c). Broadcasts, and groups that the host itself has joined, leave and come back at once.
 */
import type { DropReason } from '../netfilter/verdict.ts';
import type { IpAddress } from '../wire/ip-address.ts';
import type { AddressBook } from './addressing.ts';
import type { Audience } from './input-route.ts';
import {
  isLinkLocal,
  isLoopback,
  isMulticast,
  isUnspecified,
  LIMITED_BROADCAST,
  nextHopOf,
  type Route,
} from './route-table.ts';

export type OutputDecision =
  | {
      readonly kind: 'send';
      readonly device: string;
      readonly nextHop: IpAddress;
      readonly audience: Audience;
      /** A copy comes back to the host itself. */
      readonly loopsBack: boolean;
      readonly route?: Route;
    }
  | { readonly kind: 'drop'; readonly reason: DropReason; readonly route?: Route };

export interface OutputQuestion {
  readonly dst: IpAddress;
  /**
   * The source the packet must be sent from; absent for raw sockets, whose headers nobody checks. A loopback
   * source does not leave by a device that has no route_localnet.
   */
  readonly src?: IpAddress;
  /** The device link-local addresses belong to. */
  readonly link?: string;
  /** The packet must leave by this device, whatever the routes say of others (SO_BINDTODEVICE). */
  readonly device?: string;
  /** skb->mark, for policy rules. */
  readonly mark?: number;
  /** The packet's source, bound or not, for policy rules. */
  readonly from?: IpAddress;
  /** The packet must leave in one piece. */
  readonly whole?: boolean;
}

function audienceOf(dst: IpAddress, route: Route): Audience {
  if (isMulticast(dst)) return 'multicast';
  if (dst === LIMITED_BROADCAST || route.type === 'broadcast') return 'broadcast';
  return route.type === 'anycast' ? 'anycast' : 'unicast';
}

const USABLE: ReadonlySet<Route['type']> = new Set(['unicast', 'local', 'broadcast', 'anycast', 'multicast']);

/** Decides where to send. */
export function routeOutput(question: OutputQuestion, book: AddressBook): OutputDecision {
  const { dst, src, link, device: bound, mark = 0 } = question;
  const { routes, devices } = book;
  // An unspecified destination means this host (RFC 1122 §3.2.1.3); in IPv6 to sockets only (rawv6_sendmsg).
  if (isUnspecified(dst) && (typeof dst === 'number' || src === undefined)) {
    return { kind: 'send', device: 'lo', nextHop: dst, audience: 'unicast', loopsBack: false };
  }
  const from = question.from ?? src;
  const flow = routes.hasPolicy ? { mark, ...(from === undefined ? {} : { src: from }) } : undefined;
  const route = routes.lookup(
    dst,
    bound ?? (link !== undefined && isLinkLocal(dst) ? link : undefined),
    flow,
  );
  if (route === undefined) return { kind: 'drop', reason: 'no-route' };
  if (!USABLE.has(route.type)) {
    return { kind: 'drop', reason: route.type === 'blackhole' ? 'blackhole' : 'no-route', route };
  }
  const name = route.type === 'local' || route.type === 'anycast' ? 'lo' : route.device;
  const device = devices.get(name);
  if (src !== undefined && typeof src === 'number' && isLoopback(src)) {
    if (name !== 'lo' && device?.routeLocalnet !== true) return { kind: 'drop', reason: 'martian', route };
  }
  const audience = audienceOf(dst, route);
  const forAll =
    audience === 'broadcast' || (audience === 'multicast' && device && book.hasJoined(dst, device));
  return {
    kind: 'send',
    device: name,
    // Groups and broadcasts have no gateway.
    nextHop: audience === 'unicast' || audience === 'anycast' ? nextHopOf(route, dst) : dst,
    audience,
    loopsBack: forAll === true && name !== 'lo',
    route,
  };
}
