/** Addresses of one subnet, each handed out at most once. */
import { addressBits, addToAddress, familyOf, formatIpAddress, type IpAddress } from './ip-address.ts';
import { type IpPrefix, prefixContains } from './ip-prefix.ts';
import { NumberPool } from './number-pool.ts';

/** Addresses beyond this offset are never handed out, only remembered when reserved: nobody fills a /64. */
const WINDOW = 2 ** 32;

export class AddressPool {
  readonly subnet: IpPrefix;
  /** Offset of the highest address of the subnet, or of the window. */
  readonly lastOffset: number;
  readonly #offsets: NumberPool;
  /** Reserved addresses beyond the window, by their text. */
  readonly #far = new Set<string>();

  /**
   * A pool of the addresses of `subnet` from the offset `first` to `last`, both included, counted from the
   * network's address; by default all of them.
   */
  constructor(subnet: IpPrefix, first = 0, last?: number) {
    const hostBits = addressBits(familyOf(subnet.address)) - subnet.length;
    this.subnet = subnet;
    this.lastOffset = Math.min(2 ** hostBits, WINDOW) - 1;
    this.#offsets = new NumberPool(first, Math.min(last ?? this.lastOffset, this.lastOffset));
  }

  /** Takes `address`. False, without effect, when it is not of the pool or is taken. */
  reserve(address: IpAddress): boolean {
    if (!prefixContains(this.subnet, address)) return false;
    const offset = this.#offsetOf(address);
    if (offset !== undefined) return this.#offsets.reserve(offset);
    const text = formatIpAddress(address);
    if (this.#far.has(text)) return false;
    this.#far.add(text);
    return true;
  }

  /** Gives `address` back; one that is not taken is ignored. */
  release(address: IpAddress): void {
    if (!prefixContains(this.subnet, address)) return;
    const offset = this.#offsetOf(address);
    if (offset === undefined) this.#far.delete(formatIpAddress(address));
    else this.#offsets.release(offset);
  }

  /** True when `address` is taken. */
  has(address: IpAddress): boolean {
    if (!prefixContains(this.subnet, address)) return false;
    const offset = this.#offsetOf(address);
    return offset === undefined ? this.#far.has(formatIpAddress(address)) : this.#offsets.has(offset);
  }

  /**
   * Takes the lowest free address at or after the offset `from`, going on at the first after the last.
   * Undefined when all are taken.
   */
  allocate(from?: number): IpAddress | undefined {
    const offset = this.#offsets.allocate(from);
    return offset === undefined ? undefined : addToAddress(this.subnet.address, offset);
  }

  /** Where `address` stands in the subnet; undefined beyond the window. */
  #offsetOf(address: IpAddress): number | undefined {
    const base = this.subnet.address;
    if (typeof address === 'number' || typeof base === 'number') return Number(address) - Number(base);
    const near = address.w0 === base.w0 && address.w1 === base.w1 && address.w2 === base.w2;
    return near ? address.w3 - base.w3 : undefined;
  }
}
