/**
 * clusterIPs: those given are kept, missing ones come from the service subnets, as the Service REST strategy
 * and its allocators do (pkg/registry/core/service/storage/alloc.go, ipallocator).
 */
import { AddressPool } from '../../wire/address-pool.ts';
import { addressBits, familyOf, formatIpAddress, type IpFamily } from '../../wire/ip-address.ts';
import { formatIpPrefix, type IpPrefix, prefixContains } from '../../wire/ip-prefix.ts';
import type { Service } from '../objects.ts';
import { describeObject, describeOrigin, refusal } from '../refusal.ts';
import { tryParseSloppyIp } from '../sloppy-address.ts';

export interface ServiceNetwork {
  /** One a family, the cluster's primary family first. */
  readonly subnets: readonly IpPrefix[];
  /** True when the subnets are the user's word: then a clusterIP outside them is an error. */
  readonly explicit: boolean;
}

type ServiceFamily = Service['spec']['ipFamilies'][number];

const FAMILY_NAMES: Readonly<Record<IpFamily, ServiceFamily>> = { ipv4: 'IPv4', ipv6: 'IPv6' };

function familyOfText(text: string): ServiceFamily | undefined {
  const address = tryParseSloppyIp(text);
  return address === undefined ? undefined : FAMILY_NAMES[familyOf(address)];
}

/** KEP-3070: dynamic allocation keeps out of the low end, where people choose addresses by hand. */
function staticBand(subnet: IpPrefix): number {
  const size = 2 ** (addressBits(familyOf(subnet.address)) - subnet.length);
  return Math.min(Math.max(16, Math.floor(size / 16)), 256);
}

class ServicePool {
  readonly subnet: IpPrefix;
  readonly #pool: AddressPool;

  constructor(subnet: IpPrefix) {
    const isIpv4 = typeof subnet.address === 'number';
    const { lastOffset } = new AddressPool(subnet);
    this.subnet = subnet;
    // The first address is the `kubernetes` Service's, whether or not that is among the objects.
    this.#pool = new AddressPool(subnet, 2, isIpv4 ? lastOffset - 1 : lastOffset);
  }

  reserve(text: string): void {
    const address = tryParseSloppyIp(text);
    if (address !== undefined) this.#pool.reserve(address);
  }

  /** One past the band: x.y.1.0 would be as good an address, but reads like a network. */
  allocate(): string | undefined {
    const address = this.#pool.allocate(staticBand(this.subnet) + 1);
    return address === undefined ? undefined : formatIpAddress(address);
  }
}

const isHeadless = ({ spec }: Service) => spec.clusterIP === 'None';

/** The families a Service is to have, first one first. Throws InputError when the cluster lacks one. */
function wantedFamilies(service: Service, cluster: readonly ServiceFamily[]): ServiceFamily[] {
  const { ipFamilies, ipFamilyPolicy, clusterIPs } = service.spec;
  const ofAddresses = clusterIPs.flatMap((text) => familyOfText(text) ?? []);
  const asked = ipFamilies.length > 0 ? [...ipFamilies] : ofAddresses;
  for (const [index, family] of asked.entries()) {
    if (cluster.includes(family) || ofAddresses[index] === family) continue;
    throw refusal(service, ['spec', 'ipFamilies', index], `${family} is not configured on this cluster`);
  }
  if (ipFamilyPolicy === 'RequireDualStack' && cluster.length < 2 && ofAddresses.length < 2) {
    throw refusal(
      service,
      ['spec', 'ipFamilyPolicy'],
      'this cluster is not configured for dual-stack services',
    );
  }
  const first = asked.length > 0 ? asked : cluster.slice(0, 1);
  if (ipFamilyPolicy === undefined || ipFamilyPolicy === 'SingleStack') return first;
  return [...new Set([...first, ...cluster])];
}

/** clusterIPs are unique in the cluster. Throws InputError for one given twice, or outside an explicit subnet. */
function checkGiven(services: readonly Service[], { subnets, explicit }: ServiceNetwork): void {
  const owners = new Map<string, Service>();
  for (const service of services) {
    if (service.spec.type === 'ExternalName') continue;
    for (const [index, text] of service.spec.clusterIPs.entries()) {
      const address = tryParseSloppyIp(text);
      if (address === undefined) continue;
      const path = ['spec', 'clusterIPs', index];
      const other = owners.get(formatIpAddress(address));
      if (other !== undefined) {
        const where = `${describeObject(other)} (${describeOrigin(other.origin)})`;
        throw refusal(service, path, `failed to allocate IP ${text}: it is allocated to ${where}`);
      }
      owners.set(formatIpAddress(address), service);
      const ofFamily = subnets.filter((subnet) => familyOf(subnet.address) === familyOf(address));
      if (explicit && !ofFamily.some((subnet) => prefixContains(subnet, address))) {
        const range = subnets.map(formatIpPrefix).join(' and ');
        throw refusal(service, path, `the provided IP (${text}) is not in the valid range, ${range}`);
      }
    }
  }
}

/**
 * `services` with clusterIP, clusterIPs and ipFamilies complete. ExternalName Services get none, headless
 * ones families only, and those that an API server has completed are left alone. Addresses are the lowest
 * free ones above the static band.
 */
export function assignClusterIps(services: readonly Service[], network: ServiceNetwork): Service[] {
  checkGiven(services, network);
  const pools = new Map(
    network.subnets.map(
      (subnet) => [FAMILY_NAMES[familyOf(subnet.address)], new ServicePool(subnet)] as const,
    ),
  );
  for (const pool of pools.values()) {
    for (const { spec } of services) for (const text of spec.clusterIPs) pool.reserve(text);
  }
  return services.map((service) => {
    if (service.spec.type === 'ExternalName') return service;
    if (service.allocated) return withFamilies(service);
    const ipFamilies = wantedFamilies(service, [...pools.keys()]);
    if (isHeadless(service)) return { ...service, spec: { ...service.spec, ipFamilies } };
    const clusterIPs = ipFamilies.map((family, index) => {
      const given = service.spec.clusterIPs[index];
      return given ?? allocateFrom(pools.get(family), service);
    });
    return { ...service, spec: { ...service.spec, ipFamilies, clusterIPs, clusterIP: clusterIPs[0] ?? '' } };
  });
}

/** Without ipFamilies a Service is of the families of its addresses. */
function withFamilies(service: Service): Service {
  const { spec } = service;
  if (spec.ipFamilies.length > 0) return service;
  return {
    ...service,
    spec: { ...spec, ipFamilies: spec.clusterIPs.flatMap((text) => familyOfText(text) ?? []) },
  };
}

function allocateFrom(pool: ServicePool | undefined, service: Service): string {
  const address = pool?.allocate();
  if (pool !== undefined && address !== undefined) return address;
  const range = pool === undefined ? '' : ` in ${formatIpPrefix(pool.subnet)}`;
  throw refusal(service, [], `no cluster IP is left${range}`);
}
