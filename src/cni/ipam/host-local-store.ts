/**
 * What the host-local plugin keeps on disk: who has which address, and which address each range set gave out last,
 * so that the next one is another (backend/disk). One store a network.
 */
import { formatIpAddress, type IpAddress, sameAddress } from '../../wire/ip-address.ts';

/** The attachment that an address is for. */
export interface IpamOwner {
  readonly containerId: string;
  readonly ifName: string;
}

interface Reservation {
  readonly address: IpAddress;
  readonly owner: IpamOwner;
}

export const sameOwner = (a: IpamOwner, b: IpamOwner) =>
  a.containerId === b.containerId && a.ifName === b.ifName;

export class HostLocalStore {
  /** By the text of the address. */
  readonly #reservations = new Map<string, Reservation>();
  /** By the index of the range set. */
  readonly #last = new Map<number, IpAddress>();

  /** Takes `address` for `owner` from the range set of this index; false when it is taken. */
  reserve(address: IpAddress, owner: IpamOwner, rangeSet: number): boolean {
    const text = formatIpAddress(address);
    if (this.#reservations.has(text)) return false;
    this.#reservations.set(text, { address, owner });
    this.#last.set(rangeSet, address);
    return true;
  }

  /** What the range set of this index gave out last. */
  lastReserved(rangeSet: number): IpAddress | undefined {
    return this.#last.get(rangeSet);
  }

  isReserved(address: IpAddress): boolean {
    return this.#reservations.has(formatIpAddress(address));
  }

  /** The addresses of `owner`, in the order in which it got them. */
  addressesOf(owner: IpamOwner): IpAddress[] {
    const all = [...this.#reservations.values()];
    return all.filter((each) => sameOwner(each.owner, owner)).map(({ address }) => address);
  }

  /** Whose `address` is. */
  ownerOf(address: IpAddress): IpamOwner | undefined {
    const found = this.#reservations.get(formatIpAddress(address));
    return found !== undefined && sameAddress(found.address, address) ? found.owner : undefined;
  }

  /** Gives back every address of which `isStale` is true; what they were. */
  release(isStale: (owner: IpamOwner) => boolean): IpAddress[] {
    const stale = [...this.#reservations].filter(([, { owner }]) => isStale(owner));
    for (const [text] of stale) this.#reservations.delete(text);
    return stale.map(([, { address }]) => address);
  }
}
