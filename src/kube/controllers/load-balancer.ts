/** Who answers for Services of type LoadBalancer: spec.loadBalancerIP, or an address of a pool. */
import {
  addToAddress,
  compareAddress,
  familyOf,
  formatIpAddress,
  type IpAddress,
} from '../../wire/ip-address.ts';
import type { LoadBalancerIngress, Service } from '../objects.ts';
import { tryParseSloppyIp } from '../sloppy-address.ts';

/** Consecutive addresses of one family, both ends included. */
export interface AddressRange {
  readonly first: IpAddress;
  readonly last: IpAddress;
}

function* addressesOf({ first, last }: AddressRange): Generator<IpAddress> {
  for (let address = first; compareAddress(address, last) < 0; address = addToAddress(address, 1))
    yield address;
  yield last;
}

/** The addresses that Services have outside the cluster, which a pool must not hand out again. */
function externalAddresses(services: readonly Service[]): Set<string> {
  const texts = services.flatMap(({ spec, status }) => [
    ...spec.externalIPs,
    ...(spec.loadBalancerIP === undefined ? [] : [spec.loadBalancerIP]),
    ...status.loadBalancer.ingress.flatMap(({ ip }) => ip ?? []),
  ]);
  const addresses = texts.map(tryParseSloppyIp).filter((address) => address !== undefined);
  return new Set(addresses.map(formatIpAddress));
}

/**
 * `services` with an ingress for those of type LoadBalancer that have none: loadBalancerIP when it is given,
 * else the lowest free address of `pool` in each of the Service's families. A family without a free address
 * gets none, and a Service without any stays pending, as in a cluster without a provider.
 */
export function assignLoadBalancers(services: readonly Service[], pool: readonly AddressRange[]): Service[] {
  const used = externalAddresses(services);
  const sources = pool.map((range) => ({ family: familyOf(range.first), addresses: addressesOf(range) }));
  const next = (family: string): IpAddress | undefined => {
    for (const source of sources) {
      if (source.family !== family) continue;
      for (let step = source.addresses.next(); !step.done; step = source.addresses.next()) {
        if (!used.has(formatIpAddress(step.value))) return step.value;
      }
    }
    return undefined;
  };
  return services.map((service) => {
    const { spec, status } = service;
    if (spec.type !== 'LoadBalancer' || status.loadBalancer.ingress.length > 0) return service;
    const fromPool = () =>
      spec.ipFamilies.flatMap((family) => {
        const address = next(family.toLowerCase());
        return address === undefined ? [] : [formatIpAddress(address)];
      });
    // An API server's own word that the Service is pending counts for more than what was asked for.
    const asked = service.allocated ? undefined : spec.loadBalancerIP;
    const ips = asked === undefined ? fromPool() : [asked];
    const ingress = ips.map((ip): LoadBalancerIngress => ({ ip, ipMode: 'VIP' }));
    return { ...service, status: { loadBalancer: { ingress } } };
  });
}
