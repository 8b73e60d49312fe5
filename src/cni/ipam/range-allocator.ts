/** Hands out the addresses of one range, as the host-local plugin does from an empty store. */
import { AddressPool } from '../../wire/address-pool.ts';
import type { IpAddress } from '../../wire/ip-address.ts';
import type { IpPrefix } from '../../wire/ip-prefix.ts';
import { type IpamRange, rangeOf } from './range.ts';

export class RangeAllocator {
  readonly range: IpamRange;
  readonly #pool: AddressPool;

  /** The gateway is taken from the start. Throws InputError when the subnet is too small. */
  constructor(subnet: IpPrefix) {
    this.range = rangeOf(subnet);
    this.#pool = new AddressPool(subnet, this.range.firstOffset, this.range.lastOffset);
    this.#pool.reserve(this.range.gateway);
  }

  /** Takes `address`. False when it is taken, or none of the range (the network's, the broadcast address). */
  reserve(address: IpAddress): boolean {
    return this.#pool.reserve(address);
  }

  /** Gives `address` back. The gateway stays taken. */
  release(address: IpAddress): void {
    this.#pool.release(address);
    this.#pool.reserve(this.range.gateway);
  }

  /** Takes the lowest free address; undefined when there is none. */
  allocate(): IpAddress | undefined {
    return this.#pool.allocate();
  }
}
