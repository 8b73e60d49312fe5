/** Whether a test of the packet's addresses, devices or protocol follows from another. */
import type {
  AddressMatch,
  AddressRange,
  DeviceMatch,
  IprangeMatch,
  Match,
  ProtocolMatch,
} from '../../../netfilter/match.ts';
import { compareAddress, type IpAddress } from '../../../wire/ip-address.ts';
import { lastAddress, maskLength, prefixOf } from '../../../wire/ip-prefix.ts';
import { impliesSet, type Negatable, relateAddresses, type SetRelation } from './bit-tests.ts';

type Side = 'source' | 'destination';

interface RangeTest extends AddressRange, Negatable {}

/** The addresses of `match` from first to last; undefined when its mask leaves holes. */
function rangeOf({ address, mask, negate }: AddressMatch): RangeTest | undefined {
  const length = maskLength(mask);
  if (length === undefined) return undefined;
  const prefix = prefixOf(address, length);
  return { negate, from: prefix.address, to: lastAddress(prefix) };
}

function relateAddressRanges(a: AddressRange, b: AddressRange): SetRelation {
  const before = (x: IpAddress, y: IpAddress) => compareAddress(x, y) < 0;
  return {
    within: !before(a.from, b.from) && !before(b.to, a.to),
    contains: !before(b.from, a.from) && !before(a.to, b.to),
    disjoint: before(a.to, b.from) || before(b.to, a.from),
  };
}

/** What `match` says about the address of `side` as a range, if that is its kind. */
function rangeTest(match: Match, side: Side): RangeTest | undefined {
  if (match.kind === side) return rangeOf(match);
  return match.kind === 'iprange' ? match[side] : undefined;
}

/** Whether some match of `narrow` implies `-s` or `-d` of `wide`. */
export function impliesAddress(narrow: readonly Match[], wide: AddressMatch): boolean {
  return narrow.some((match) => {
    if (match.kind === wide.kind) return impliesSet(match, wide, relateAddresses(match, wide));
    if (match.kind !== 'iprange') return false;
    const have = match[wide.kind];
    const want = rangeOf(wide);
    return (
      have !== undefined && want !== undefined && impliesSet(have, want, relateAddressRanges(have, want))
    );
  });
}

function impliesRange(narrow: readonly Match[], side: Side, wide: RangeTest | undefined): boolean {
  if (wide === undefined) return true;
  return narrow.some((match) => {
    const have = rangeTest(match, side);
    return have !== undefined && impliesSet(have, wide, relateAddressRanges(have, wide));
  });
}

/** Whether matches of `narrow` imply both sides of an iprange match. */
export function impliesIprange(narrow: readonly Match[], wide: IprangeMatch): boolean {
  return impliesRange(narrow, 'source', wide.source) && impliesRange(narrow, 'destination', wide.destination);
}

/** How the names that `a` takes stand to those that `b` takes. */
function relateDevices(a: DeviceMatch, b: DeviceMatch): SetRelation {
  const aInB = b.wildcard ? a.ifname.startsWith(b.ifname) : !a.wildcard && a.ifname === b.ifname;
  const bInA = a.wildcard ? b.ifname.startsWith(a.ifname) : !b.wildcard && a.ifname === b.ifname;
  // Two prefixes share names only when one begins the other, and so does a prefix with a whole name.
  return { within: aInB, contains: bInA, disjoint: !aInB && !bInA };
}

/** Whether some match of `narrow` implies `-i` or `-o` of `wide`. */
export function impliesDevice(narrow: readonly Match[], wide: DeviceMatch): boolean {
  return narrow.some(
    (match) => match.kind === wide.kind && impliesSet(match, wide, relateDevices(match, wide)),
  );
}

/** Whether some match of `narrow` implies `-p` of `wide`. */
export function impliesProtocol(narrow: readonly Match[], wide: ProtocolMatch): boolean {
  if (wide.protocol === 0) return !wide.negate;
  return narrow.some((match) => {
    if (match.kind !== 'protocol' || match.protocol === 0) return false;
    const same = match.protocol === wide.protocol;
    return impliesSet(match, wide, { within: same, contains: same, disjoint: !same });
  });
}
