/** The neighbours of one namespace by device and address, and which of them are forgotten to make room. */
import { formatIpAddress, type IpAddress } from '../../wire/ip-address.ts';
import type { Interface } from '../link/interface.ts';
import type { Neighbour } from './neighbour.ts';

/** gc_thresh1..3 of a family. */
export interface Thresholds {
  /** Below this many nobody is forgotten. */
  readonly low: number;
  /** Above this many, the unused are forgotten when another comes. */
  readonly middle: number;
  /** There are never more. */
  readonly high: number;
}

/** Entries that changed this recently survive when room is made (neigh_forced_gc). */
const RECENT = 5;

export class NeighbourCache {
  readonly #ipv4 = new Map<Interface, Map<number, Neighbour>>();
  readonly #ipv6 = new Map<Interface, Map<string, Neighbour>>();
  readonly #sizes = { ipv4: 0, ipv6: 0 };

  find(address: IpAddress, device: Interface): Neighbour | undefined {
    return typeof address === 'number'
      ? this.#ipv4.get(device)?.get(address)
      : this.#ipv6.get(device)?.get(formatIpAddress(address));
  }

  add(neighbour: Neighbour): void {
    const { address, device } = neighbour;
    if (typeof address === 'number') {
      let own = this.#ipv4.get(device);
      if (own === undefined) {
        own = new Map();
        this.#ipv4.set(device, own);
      }
      own.set(address, neighbour);
      this.#sizes.ipv4++;
    } else {
      let own = this.#ipv6.get(device);
      if (own === undefined) {
        own = new Map();
        this.#ipv6.set(device, own);
      }
      own.set(formatIpAddress(address), neighbour);
      this.#sizes.ipv6++;
    }
  }

  remove(neighbour: Neighbour): void {
    const { address, device } = neighbour;
    neighbour.destroy();
    const removed =
      typeof address === 'number'
        ? this.#ipv4.get(device)?.delete(address)
        : this.#ipv6.get(device)?.delete(formatIpAddress(address));
    if (removed === true) this.#sizes[typeof address === 'number' ? 'ipv4' : 'ipv6']--;
  }

  size(family: 'ipv4' | 'ipv6'): number {
    return this.#sizes[family];
  }

  *all(family?: 'ipv4' | 'ipv6'): IterableIterator<Neighbour> {
    if (family !== 'ipv6') for (const own of this.#ipv4.values()) yield* own.values();
    if (family !== 'ipv4') for (const own of this.#ipv6.values()) yield* own.values();
  }

  /** Makes room for one more at `now`; false when the table stays full (neigh_alloc). */
  makeRoom(family: 'ipv4' | 'ipv6', { middle, high }: Thresholds, now: number): boolean {
    if (this.#sizes[family] < middle) return true;
    let excess = this.#sizes[family] - middle;
    for (const neighbour of [...this.all(family)]) {
      if (excess <= 0) break;
      const { state, updated } = neighbour;
      if (state === 'PERMANENT' || (state !== 'FAILED' && now - updated < RECENT)) continue;
      this.remove(neighbour);
      excess--;
    }
    return this.#sizes[family] < high;
  }

  /** Forgets entries that failed or were not used for long (neigh_periodic_work). */
  sweep(family: 'ipv4' | 'ipv6', { low }: Thresholds, isOld: (neighbour: Neighbour) => boolean): void {
    if (this.#sizes[family] < low) return;
    for (const neighbour of [...this.all(family)]) {
      const { state } = neighbour;
      if (state === 'FAILED' || (state === 'STALE' && isOld(neighbour))) this.remove(neighbour);
    }
  }
}
