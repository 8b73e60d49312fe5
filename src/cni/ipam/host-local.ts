/**
 * The host-local plugin's decisions: round robin through each range set, from the address after the one that was
 * given out last (backend/allocator, allocator.go). A container that crashes and comes back so has another address
 * until the whole set was gone through.
 */
import { addToAddress, formatIpAddress, type IpAddress, sameAddress } from '../../wire/ip-address.ts';
import type { HostLocalStore, IpamOwner } from './host-local-store.ts';
import { type AddressRange, formatRangeSet, type RangeSet, rangeHolds } from './range-set.ts';

/** An address, with the range it is of. */
export interface Allocation {
  readonly address: IpAddress;
  readonly range: AddressRange;
}

/** Why no address was given out. */
export class IpamError extends Error {
  override readonly name = 'IpamError';
}

function* from(range: AddressRange, first: IpAddress): Generator<Allocation> {
  for (let address = first; ; address = addToAddress(address, 1)) {
    if (!sameAddress(address, range.gateway)) yield { address, range };
    if (sameAddress(address, range.end)) return;
  }
}

/** Every address of `set` but the gateways, beginning with the one after `last`. */
function* candidates(set: RangeSet, last: IpAddress | undefined): Generator<Allocation> {
  const begin = last === undefined ? -1 : set.findIndex((range) => rangeHolds(range, last));
  const range = set[begin];
  if (range === undefined || last === undefined) {
    for (const each of set) yield* from(each, each.start);
    return;
  }
  if (!sameAddress(last, range.end)) yield* from(range, addToAddress(last, 1));
  for (let step = 1; step < set.length; step++) {
    const other = set[(begin + step) % set.length];
    if (other !== undefined) yield* from(other, other.start);
  }
  for (const each of from(range, range.start)) {
    yield each;
    if (sameAddress(each.address, last)) return;
  }
}

function requested(
  set: RangeSet,
  index: number,
  request: IpAddress,
  store: HostLocalStore,
  owner: IpamOwner,
): Allocation {
  const range = set.find((each) => rangeHolds(each, request));
  const text = formatIpAddress(request);
  if (range === undefined) throw new IpamError(`${text} is not in range set ${formatRangeSet(set)}`);
  if (sameAddress(request, range.gateway)) throw new IpamError(`${text} is the gateway of its subnet`);
  if (store.reserve(request, owner, index)) return { address: request, range };
  throw new IpamError(`${text} is not available in range set ${formatRangeSet(set)}`);
}

function allocateFrom(set: RangeSet, index: number, store: HostLocalStore, owner: IpamOwner): Allocation {
  const already = store.addressesOf(owner).find((address) => set.some((range) => rangeHolds(range, address)));
  if (already !== undefined) {
    throw new IpamError(`${formatIpAddress(already)} is allocated to ${owner.containerId} already`);
  }
  for (const candidate of candidates(set, store.lastReserved(index))) {
    if (store.reserve(candidate.address, owner, index)) return candidate;
  }
  throw new IpamError(`no address is free in range set ${formatRangeSet(set)}`);
}

/**
 * One address of each of `sets` for `owner`; of `requests` each is taken from the set that holds it. Throws
 * IpamError when a set has none left, a request cannot be met, or `owner` has addresses already; nothing new is
 * taken then.
 */
export function allocateAddresses(
  sets: readonly RangeSet[],
  store: HostLocalStore,
  { owner, requests = [] }: { readonly owner: IpamOwner; readonly requests?: readonly IpAddress[] },
): Allocation[] {
  const open = [...requests];
  const taken: Allocation[] = [];
  const undo = () => {
    if (taken.length > 0)
      store.release((other) => other.containerId === owner.containerId && other.ifName === owner.ifName);
  };
  try {
    for (const [index, set] of sets.entries()) {
      const at = open.findIndex((request) => set.some((range) => rangeHolds(range, request)));
      const [request] = at < 0 ? [] : open.splice(at, 1);
      taken.push(
        request === undefined
          ? allocateFrom(set, index, store, owner)
          : requested(set, index, request, store, owner),
      );
    }
    if (open.length > 0) {
      throw new IpamError(
        `no range set holds the address asked for: ${open.map(formatIpAddress).join(', ')}`,
      );
    }
  } catch (error) {
    undo();
    throw error;
  }
  return taken;
}

/** Whether every set of `sets` has an address that is free. */
export function hasFreeAddresses(sets: readonly RangeSet[], store: HostLocalStore): boolean {
  return sets.every((set, index) => {
    for (const { address } of candidates(set, store.lastReserved(index))) {
      if (!store.isReserved(address)) return true;
    }
    return false;
  });
}
