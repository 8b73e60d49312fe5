/** Which node an address belongs to, without asking every node. */
import { familyOf, type IpAddress } from '../../wire/ip-address.ts';
import { formatIpPrefix, type IpPrefix, prefixOf } from '../../wire/ip-prefix.ts';

export class SubnetIndex<T> {
  readonly #values = new Map<string, T>();
  /** The lengths that occur in a family; a cluster has one or two. */
  readonly #lengths = { ipv4: new Set<number>(), ipv6: new Set<number>() };

  /** `entries`: networks that do not overlap, and what each stands for. */
  constructor(entries: Iterable<readonly [IpPrefix, T]>) {
    for (const [prefix, value] of entries) {
      this.#values.set(formatIpPrefix(prefix), value);
      this.#lengths[familyOf(prefix.address)].add(prefix.length);
    }
  }

  /** What the network that holds `address` stands for. */
  find(address: IpAddress): T | undefined {
    for (const length of this.#lengths[familyOf(address)]) {
      const value = this.#values.get(formatIpPrefix(prefixOf(address, length)));
      if (value !== undefined) return value;
    }
    return undefined;
  }
}
