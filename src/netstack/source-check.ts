/**
 * May a packet with this source come in on this device? Reverse-path filtering and martians
 * (fib_frontend.c fib_validate_source, route.c ip_route_input_slow). Pure decisions over addresses and routes.
 */
import type { IpAddress } from '../wire/ip-address.ts';
import { type AddressBook, isAssigned } from './addressing.ts';
import type { Device } from './device.ts';
import { isLoopback, isMulticast, isUnspecified, LIMITED_BROADCAST } from './route-table.ts';

export type SourceVerdict = 'ok' | 'martian' | 'rp_filter';

export interface Arrival {
  readonly src: IpAddress;
  readonly dst: IpAddress;
  readonly device: Device;
}

/** Addresses that make an IPv4 packet martian whatever the routes say; undefined: go on. */
export function checkAddresses({ src, dst, device }: Arrival): SourceVerdict {
  if (typeof src !== 'number') {
    const loops = isLoopback(src) || isLoopback(dst);
    return isMulticast(src) || (loops && device.name !== 'lo') ? 'martian' : 'ok';
  }
  if (isMulticast(src) || src === LIMITED_BROADCAST) return 'martian';
  if (dst === LIMITED_BROADCAST || (src === 0 && dst === 0)) return 'ok';
  if (isUnspecified(src) || isUnspecified(dst)) return 'martian';
  if ((isLoopback(dst) || isLoopback(src)) && !device.routeLocalnet) return 'martian';
  return 'ok';
}

/**
 * The reverse-path check of an IPv4 source. `leavesBy` is the device the packet will leave by, undefined for
 * local delivery: a packet that turns round on one device is always checked in full.
 */
export function checkReversePath(
  arrival: Arrival,
  leavesBy: string | undefined,
  book: AddressBook,
): SourceVerdict {
  const { src, device } = arrival;
  if (typeof src !== 'number' || isUnspecified(src)) return 'ok';
  if (device.rpFilter === 0 && leavesBy !== device.name) {
    return device.acceptLocal || !isAssigned(book.devices, src) ? 'ok' : 'martian';
  }
  const route = book.routes.lookup(src);
  const strictness = device.rpFilter;
  if (route === undefined) return strictness === 0 ? 'ok' : 'rp_filter';
  const acceptable = route.type === 'unicast' || (route.type === 'local' && device.acceptLocal);
  if (!acceptable) return 'martian';
  if (route.device === device.name) return 'ok';
  return strictness === 1 ? 'rp_filter' : 'ok';
}
