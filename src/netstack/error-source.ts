/** Which address an ICMP error of the host comes from (icmp.c __icmp_send; ip6_icmp.c icmp6_send). */
import type { IpAddress, Ipv6Address } from '../wire/ip-address.ts';
import type { Packet } from '../wire/packet.ts';
import type { AddressBook } from './addressing.ts';
import { lookupOnLink } from './input-route.ts';
import { routeOutput } from './output-route.ts';
import { selectIpv4 } from './select-ipv4.ts';
import { selectIpv6 } from './select-ipv6.ts';

/** INADDR_DUMMY: an error must come from somewhere, even when the host has no address (RFC 7600 §4.8). */
const DUMMY_V4 = 0xc0000008;

/** The address that was asked, or one of the device the error leaves by. */
function ipv4Source({ src, dst }: Packet, book: AddressBook): IpAddress | undefined {
  if (book.routes.lookup(dst)?.type === 'local') return dst;
  const back = routeOutput({ dst: src }, book);
  if (back.kind === 'drop') return undefined;
  return back.route?.src ?? selectIpv4(book.devices, back.device, back.route?.gateway) ?? DUMMY_V4;
}

/**
 * The address that was asked, or the one the incoming device would choose towards the packet's source; for a
 * packet made here, the device by which the error leaves.
 */
function ipv6Source(
  { src, dst }: Packet & { readonly src: Ipv6Address },
  device: string | undefined,
  { routes, devices }: AddressBook,
): IpAddress | undefined {
  const asked = lookupOnLink(routes, dst, device);
  if (asked?.type === 'local' || asked?.type === 'anycast') return dst;
  const back = lookupOnLink(routes, src, device);
  if (back?.type === 'unicast' && back.src !== undefined) return back.src;
  const leavesBy = back?.type === 'local' ? 'lo' : back?.device;
  return selectIpv6(devices, device ?? leavesBy ?? 'lo', src);
}

/**
 * The source of an error about `packet`, which came in on `device` (undefined: made here); undefined when no
 * error can be sent, since there is no way back or no address.
 */
export function errorSource(
  packet: Packet,
  device: string | undefined,
  book: AddressBook,
): IpAddress | undefined {
  const { src } = packet;
  return typeof src === 'number' ? ipv4Source(packet, book) : ipv6Source({ ...packet, src }, device, book);
}
