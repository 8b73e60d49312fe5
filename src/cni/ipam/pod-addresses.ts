/** The addresses of one node's pods: one of each of the node's pod networks. */

import { InputError } from '../../sim/input-error.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import { formatIpPrefix, type IpPrefix } from '../../wire/ip-prefix.ts';
import { RangeAllocator } from './range-allocator.ts';

export class PodAddresses {
  readonly #nodeName: string;
  readonly #allocators: readonly RangeAllocator[];

  /** `subnets`: the node's pod networks, one a family. Throws InputError when one is too small. */
  constructor(nodeName: string, subnets: readonly IpPrefix[]) {
    this.#nodeName = nodeName;
    this.#allocators = subnets.map((subnet) => new RangeAllocator(subnet));
  }

  /** Takes `address`. False when it is in none of the networks, taken, or not for pods (network, gateway, broadcast). */
  reserve(address: IpAddress): boolean {
    return this.#allocators.some((allocator) => allocator.reserve(address));
  }

  /**
   * One address of each network, in their order. Throws InputError, with `where`, when a network is
   * exhausted; nothing is taken then.
   */
  allocate(where: { readonly file: string; readonly line: number }): IpAddress[] {
    const addresses: IpAddress[] = [];
    for (const allocator of this.#allocators) {
      const address = allocator.allocate();
      if (address === undefined) {
        addresses.forEach((taken, index) => {
          this.#allocators[index]?.release(taken);
        });
        const network = formatIpPrefix(allocator.range.subnet);
        throw new InputError(
          `no address is left in ${network}, the pod network of Node ${this.#nodeName}`,
          where,
        );
      }
      addresses.push(address);
    }
    return addresses;
  }
}
