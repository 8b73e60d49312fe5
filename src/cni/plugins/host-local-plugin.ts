/** host-local as the plugins that need addresses call it. */
import { allocateAddresses, hasFreeAddresses, IpamError } from '../ipam/host-local.ts';
import { sameOwner } from '../ipam/host-local-store.ts';
import { formatRangeSet } from '../ipam/range-set.ts';
import { CniError } from './cni-error.ts';
import type { IpamConfiguration } from './ipam-configuration.ts';
import { type CniHost, type GcCall, ownerOf, type PluginCall } from './plugin.ts';
import type { ResultIp, ResultRoute } from './result.ts';

const PLUGIN = 'host-local';

export interface IpamResult {
  readonly ips: readonly ResultIp[];
  readonly routes: readonly ResultRoute[];
}

/** One address of each range set. Throws CniError when there is none. */
export function ipamAdd(ipam: IpamConfiguration, call: PluginCall): IpamResult {
  const store = call.host.store(ipam.dataDir, call.name);
  const requests = [...ipam.ips, ...(call.runtimeConfig.ips ?? [])];
  try {
    const allocations = allocateAddresses(ipam.ranges, store, { owner: ownerOf(call), requests });
    return {
      ips: allocations.map(({ address, range }) => {
        return { address: { address, length: range.subnet.length }, gateway: range.gateway };
      }),
      routes: ipam.routes,
    };
  } catch (error) {
    if (error instanceof IpamError) throw new CniError('failed', error.message, PLUGIN);
    throw error;
  }
}

/** Gives back what the attachment has; it may have nothing. */
export function ipamDel(ipam: IpamConfiguration, call: PluginCall): void {
  const owner = ownerOf(call);
  call.host.store(ipam.dataDir, call.name).release((other) => sameOwner(other, owner));
}

/** Throws CniError when the attachment has no address. */
export function ipamCheck(ipam: IpamConfiguration, call: PluginCall): void {
  const addresses = call.host.store(ipam.dataDir, call.name).addressesOf(ownerOf(call));
  if (addresses.length === 0) {
    throw new CniError('check-failed', `${call.containerId} ${call.ifName} has no address`, PLUGIN);
  }
}

/** Gives back what belongs to no valid attachment. */
export function ipamGc(ipam: IpamConfiguration, { host, name, valid }: GcCall): void {
  host.store(ipam.dataDir, name).release((owner) => !valid.some((other) => sameOwner(owner, other)));
}

/** Throws CniError when a range set has no address left. */
export function ipamStatus(ipam: IpamConfiguration, host: CniHost, name: string): void {
  if (hasFreeAddresses(ipam.ranges, host.store(ipam.dataDir, name))) return;
  const sets = ipam.ranges.map(formatRangeSet).join(' and ');
  throw new CniError('not-available', `no address is free in ${sets}`, PLUGIN);
}
