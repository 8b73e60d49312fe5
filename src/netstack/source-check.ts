/**
 * May a packet with this source come in on this device? Reverse-path filtering and martian sources of IPv4
 * (fib_frontend.c fib_validate_source). IPv6 has neither: the pure header checks are in input-route.ts.
 */
import { type AddressBook, isAssigned } from './addressing.ts';
import type { Device } from './device.ts';

export type SourceVerdict = 'ok' | 'martian' | 'rp_filter';

/**
 * Judges `src` on `device`. The kernel's own advice to use another router (ICMP redirects) is off here, so
 * packets that turn round on one device are judged like all others. `dst`: where the packet goes, for policy
 * rules.
 */
export function checkSource(
  src: number,
  device: Device,
  { devices, routes }: AddressBook,
  dst?: number,
): SourceVerdict {
  const strictness = device.rpFilter;
  if (strictness === 0) {
    return device.acceptLocal || !isAssigned(devices, src) ? 'ok' : 'martian';
  }
  const route = routes.lookup(src, undefined, dst === undefined ? undefined : { src: dst, iif: device.name });
  const known = route?.type === 'unicast' || route?.type === 'local' || route?.type === 'broadcast';
  if (route === undefined || !known) return 'rp_filter';
  const acceptable = route.type === 'unicast' || (route.type === 'local' && device.acceptLocal);
  if (!acceptable) return 'martian';
  if (route.device === device.name) return 'ok';
  // A device without addresses has no way back that could be compared.
  const hasAddress = device.addresses.some(({ address }) => typeof address === 'number');
  return strictness === 1 || !hasAddress ? 'rp_filter' : 'ok';
}
