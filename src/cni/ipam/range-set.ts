/**
 * Range sets of the host-local plugin: a set hands out one address of any of its ranges (plugins/ipam/host-local,
 * backend/allocator, range.go and range_set.go). Both ends of a range are included; its gateway is never handed out.
 */
import {
  AddressError,
  addressBits,
  addToAddress,
  compareAddress,
  familyOf,
  formatIpAddress,
  type IpAddress,
  type IpFamily,
} from '../../wire/ip-address.ts';
import { formatIpPrefix, type IpPrefix, prefixContains } from '../../wire/ip-prefix.ts';
import { rangeOf } from './range.ts';

/** A range as a configuration has it. */
export interface RangeSpec {
  readonly subnet: IpPrefix;
  readonly rangeStart?: IpAddress;
  readonly rangeEnd?: IpAddress;
  readonly gateway?: IpAddress;
}

/** A range with nothing left open. */
export interface AddressRange {
  readonly subnet: IpPrefix;
  readonly start: IpAddress;
  readonly end: IpAddress;
  readonly gateway: IpAddress;
}

/** At least one range, all of one family, none overlapping another. */
export type RangeSet = readonly [AddressRange, ...AddressRange[]];

/**
 * Completes `spec`: from the subnet's first address to its last (the broadcast address of IPv4 excepted), the
 * first one its gateway. Throws AddressError for a subnet of fewer than four addresses and for ends outside it.
 */
export function addressRange({ subnet, rangeStart, rangeEnd, gateway }: RangeSpec): AddressRange {
  const text = formatIpPrefix(subnet);
  if (addressBits(familyOf(subnet.address)) - subnet.length < 2) {
    throw new AddressError(`'${text}' is too small to allocate from`);
  }
  const whole = rangeOf(subnet);
  const start = rangeStart ?? addToAddress(subnet.address, whole.firstOffset);
  const end = rangeEnd ?? addToAddress(subnet.address, whole.lastOffset);
  for (const [name, address] of Object.entries({ rangeStart: start, rangeEnd: end })) {
    if (!prefixContains(subnet, address)) {
      throw new AddressError(`${name} ${formatIpAddress(address)} is not in ${text}`);
    }
  }
  if (compareAddress(start, end) > 0) {
    throw new AddressError(`rangeStart ${formatIpAddress(start)} is after rangeEnd ${formatIpAddress(end)}`);
  }
  return { subnet, start, end, gateway: gateway ?? whole.gateway };
}

/** Whether `address` may be handed out or asked for from `range`. */
export function rangeHolds({ start, end }: AddressRange, address: IpAddress): boolean {
  return (
    familyOf(start) === familyOf(address) &&
    compareAddress(start, address) <= 0 &&
    compareAddress(address, end) <= 0
  );
}

function overlap(a: AddressRange, b: AddressRange): boolean {
  return rangeHolds(a, b.start) || rangeHolds(a, b.end) || rangeHolds(b, a.start);
}

/** True when an address is in both sets. */
export function setsOverlap(a: RangeSet, b: RangeSet): boolean {
  return a.some((range) => b.some((other) => overlap(range, other)));
}

/** A set of `ranges`. Throws AddressError when there are none, of two families, or overlapping ones. */
export function rangeSet(ranges: readonly AddressRange[]): RangeSet {
  const [first, ...others] = ranges;
  if (first === undefined) throw new AddressError('a range set needs at least one range');
  if (others.some(({ start }) => familyOf(start) !== familyOf(first.start))) {
    throw new AddressError('the ranges of a set must be of one address family');
  }
  for (const [index, range] of ranges.entries()) {
    const other = ranges.slice(index + 1).find((each) => overlap(range, each));
    if (other !== undefined) {
      throw new AddressError(`ranges ${formatRange(range)} and ${formatRange(other)} overlap`);
    }
  }
  return [first, ...others];
}

/** The family of the addresses that `set` hands out. */
export function familyOfSet([{ start }]: RangeSet): IpFamily {
  return familyOf(start);
}

/** `10.244.1.1-10.244.1.254` */
export function formatRange({ start, end }: AddressRange): string {
  return `${formatIpAddress(start)}-${formatIpAddress(end)}`;
}

/** The ranges of `set`, with commas. */
export function formatRangeSet(set: RangeSet): string {
  return set.map(formatRange).join(',');
}
