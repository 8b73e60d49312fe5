/** Which IPv4 address speaks for a device (devinet.c inet_select_addr, in_dev_select_addr). */
import type { IpAddress } from '../wire/ip-address.ts';
import { type InterfaceAddress, prefixContains, prefixOf } from '../wire/ip-prefix.ts';
import type { Device } from './device.ts';
import { isLoopback } from './route-table.ts';

function isIpv4({ address }: InterfaceAddress): boolean {
  return typeof address === 'number';
}

/** An address whose subnet an earlier address of the device has opened is secondary. */
function primaryAddresses(device: Device): readonly InterfaceAddress[] {
  return device.addresses.filter(
    (candidate, index) =>
      isIpv4(candidate) &&
      !device.addresses
        .slice(0, index)
        .some(
          ({ address, length }) =>
            length === candidate.length && prefixContains(prefixOf(address, length), candidate.address),
        ),
  );
}

/** Loopback addresses have host scope: they never stand in for others. */
function usable(device: Device): readonly InterfaceAddress[] {
  return primaryAddresses(device).filter(({ address }) => !isLoopback(address));
}

/**
 * The address for packets that leave by `device`: the first primary one whose subnet holds `target`, else the
 * device's first, else the first of another device, lo before all others. Without a `target`, the first.
 */
export function selectIpv4(
  devices: ReadonlyMap<string, Device>,
  device: string,
  target: IpAddress | undefined,
): IpAddress | undefined {
  const own = devices.get(device);
  const candidates = own === undefined ? [] : usable(own);
  const onLink =
    target === undefined
      ? undefined
      : candidates.find(({ address, length }) => prefixContains(prefixOf(address, length), target));
  const chosen = onLink ?? candidates[0];
  if (chosen !== undefined) return chosen.address;
  for (const other of devices.values()) {
    const [first] = usable(other);
    if (first !== undefined) return first.address;
  }
  return undefined;
}
