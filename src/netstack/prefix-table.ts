/** Routes by prefix: one map for each prefix length in use, asked from the longest to the shortest. */
import { hashAddress, type IpAddress, maskAddress, sameAddress } from '../wire/ip-address.ts';
import { prefixMask } from '../wire/ip-prefix.ts';
import type { Route } from './route-table.ts';

/** Routes to one prefix, best first. */
interface Bucket {
  readonly prefix: IpAddress;
  readonly routes: Route[];
}

/** All prefixes of one family and length. IPv4 networks are their own keys, IPv6's are hashed. */
interface Level {
  readonly length: number;
  readonly mask: IpAddress;
  readonly buckets: Map<number, Bucket[]>;
}

function bucketOf(level: Level, network: IpAddress): Bucket | undefined {
  const chain = level.buckets.get(typeof network === 'number' ? network : hashAddress(network));
  if (chain === undefined) return undefined;
  for (const bucket of chain) if (sameAddress(bucket.prefix, network)) return bucket;
  return undefined;
}

export class PrefixTable {
  readonly #levels: Record<'ipv4' | 'ipv6', Level[]> = { ipv4: [], ipv6: [] };

  /** `routes` are in the order of preference among those to the same prefix. */
  constructor(routes: readonly Route[]) {
    for (const route of routes) this.#add(route);
    for (const levels of [this.#levels.ipv4, this.#levels.ipv6]) levels.sort((a, b) => b.length - a.length);
  }

  /** The best route of the longest prefix that holds `address`; with `device`, among routes of that device. */
  find(address: IpAddress, device?: string): Route | undefined {
    for (const level of typeof address === 'number' ? this.#levels.ipv4 : this.#levels.ipv6) {
      const bucket = bucketOf(level, maskAddress(address, level.mask));
      if (bucket === undefined) continue;
      for (const route of bucket.routes) if (device === undefined || route.device === device) return route;
    }
    return undefined;
  }

  #add(route: Route): void {
    const { address, length } = route.prefix;
    const levels = typeof address === 'number' ? this.#levels.ipv4 : this.#levels.ipv6;
    let level = levels.find((candidate) => candidate.length === length);
    if (level === undefined) {
      level = { length, mask: prefixMask(address, length), buckets: new Map() };
      levels.push(level);
    }
    const bucket = bucketOf(level, address);
    if (bucket !== undefined) {
      bucket.routes.push(route);
      return;
    }
    const key = typeof address === 'number' ? address : hashAddress(address);
    const chain = level.buckets.get(key);
    const made: Bucket = { prefix: address, routes: [route] };
    if (chain === undefined) level.buckets.set(key, [made]);
    else chain.push(made);
  }
}
