/**
 * IP addresses as values. An IPv4 address is an unsigned 32-bit number in host order (10.0.0.1 is
 * 0x0a000001), so it compares with `===` and keys a Map; an IPv6 address is four such words, most
 * significant first. Text exists only at the edges: `parseIpAddress` in, `formatIpAddress` out.
 */

export type IpFamily = 'ipv4' | 'ipv6';

export type Ipv4Address = number;

export interface Ipv6Address {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
}

export type IpAddress = Ipv4Address | Ipv6Address;

/** An address that is not one; `message` says what was found and what was expected. */
export class AddressError extends Error {
  override readonly name = 'AddressError';
}

/** The family of `address`. */
export function familyOf(address: IpAddress): IpFamily {
  return typeof address === 'number' ? 'ipv4' : 'ipv6';
}

/** Bits in an address of `family`: 32 or 128. */
export function addressBits(family: IpFamily): 32 | 128 {
  return family === 'ipv4' ? 32 : 128;
}

/** True when `a` and `b` are the same address of the same family. */
export function sameAddress(a: IpAddress, b: IpAddress): boolean {
  if (typeof a === 'number' || typeof b === 'number') return a === b;
  return a.w0 === b.w0 && a.w1 === b.w1 && a.w2 === b.w2 && a.w3 === b.w3;
}

/** Orders IPv4 before IPv6, then numerically; negative, zero or positive as in Array.sort. */
export function compareAddress(a: IpAddress, b: IpAddress): number {
  if (typeof a === 'number') return typeof b === 'number' ? a - b : -1;
  if (typeof b === 'number') return 1;
  return a.w0 - b.w0 || a.w1 - b.w1 || a.w2 - b.w2 || a.w3 - b.w3;
}

/** A 32-bit hash (signed) of `address`, for hash tables keyed by addresses and tuples. */
export function hashAddress(address: IpAddress): number {
  if (typeof address === 'number') return Math.imul(address, 0x9e3779b1);
  let hash = Math.imul(address.w0, 0x9e3779b1);
  hash = Math.imul(hash ^ address.w1, 0x85ebca6b);
  hash = Math.imul(hash ^ address.w2, 0xc2b2ae35);
  return Math.imul(hash ^ address.w3, 0x27d4eb2f);
}

/** The address whose words are given, each an unsigned 32-bit number, most significant first. */
export function ipv6(w0: number, w1: number, w2: number, w3: number): Ipv6Address {
  return { w0: w0 >>> 0, w1: w1 >>> 0, w2: w2 >>> 0, w3: w3 >>> 0 };
}

/** `address` plus `offset` (a non-negative integer below 2^32), wrapping inside the family. */
export function addToAddress(address: IpAddress, offset: number): IpAddress {
  if (typeof address === 'number') return (address + offset) >>> 0;
  const words = [address.w3, address.w2, address.w1, address.w0];
  let carry = offset;
  for (let i = 0; i < 4 && carry > 0; i++) {
    const sum = (words[i] ?? 0) + carry;
    words[i] = sum >>> 0;
    carry = sum > 0xffffffff ? 1 : 0;
  }
  return ipv6(words[3] ?? 0, words[2] ?? 0, words[1] ?? 0, words[0] ?? 0);
}

/** Bitwise AND of two addresses of one family. Throws RangeError when the families differ. */
export function maskAddress(address: IpAddress, mask: IpAddress): IpAddress {
  if (typeof address === 'number' && typeof mask === 'number') return (address & mask) >>> 0;
  if (typeof address === 'number' || typeof mask === 'number')
    throw new RangeError('address families differ');
  return ipv6(address.w0 & mask.w0, address.w1 & mask.w1, address.w2 & mask.w2, address.w3 & mask.w3);
}

const IPV4_OCTET = /^(0|[1-9]\d{0,2})$/;

/**
 * Parses strict dotted-quad text: four decimal octets, no leading zeros (inet_pton, not inet_aton).
 * Returns undefined when `text` is anything else.
 */
export function tryParseIpv4(text: string): Ipv4Address | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let address = 0;
  for (const part of parts) {
    if (!IPV4_OCTET.test(part)) return undefined;
    const octet = Number(part);
    if (octet > 255) return undefined;
    address = address * 256 + octet;
  }
  return address;
}

/** Parses the 16-bit groups of `text` (no `::`), the last of which may be dotted IPv4. */
function parseGroups(text: string, allowIpv4: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (allowIpv4 && index === parts.length - 1 && part.includes('.')) {
      const v4 = tryParseIpv4(part);
      if (v4 === undefined) return undefined;
      groups.push(v4 >>> 16, v4 & 0xffff);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

/**
 * Parses IPv6 text as RFC 4291 §2.2 allows it (`::` once, a dotted IPv4 tail; no zone).
 * Returns undefined when `text` is anything else.
 */
export function tryParseIpv6(text: string): Ipv6Address | undefined {
  const gap = text.indexOf('::');
  let groups: number[] | undefined;
  if (gap < 0) {
    groups = parseGroups(text, true);
  } else {
    const head = parseGroups(text.slice(0, gap), false);
    const tail = parseGroups(text.slice(gap + 2), true);
    // "::" stands for at least one group of zeros.
    if (head === undefined || tail === undefined || head.length + tail.length > 7) return undefined;
    groups = [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  }
  if (groups === undefined || groups.length !== 8) return undefined;
  const word = (i: number) => ((groups[i] ?? 0) * 0x10000 + (groups[i + 1] ?? 0)) >>> 0;
  return { w0: word(0), w1: word(2), w2: word(4), w3: word(6) };
}

/** Parses IPv4 or IPv6 text; undefined when it is neither. */
export function tryParseIpAddress(text: string): IpAddress | undefined {
  return text.includes(':') ? tryParseIpv6(text) : tryParseIpv4(text);
}

/** Parses IPv4 or IPv6 text. Throws AddressError when it is neither. */
export function parseIpAddress(text: string): IpAddress {
  const address = tryParseIpAddress(text);
  if (address === undefined) throw new AddressError(`'${text}' is not an IP address`);
  return address;
}

function formatIpv4(address: Ipv4Address): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

/** The first of the longest runs of two or more zero groups, as [start, end); RFC 5952 §4.2. */
function longestZeroRun(groups: readonly number[]): readonly [number, number] | undefined {
  let best: readonly [number, number] | undefined;
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start >= 2 && (best === undefined || end - start > best[1] - best[0])) best = [start, end];
    if (end > start) start = end;
  }
  return best;
}

function formatIpv6(address: Ipv6Address): string {
  const words = [address.w0, address.w1, address.w2, address.w3];
  // RFC 5952 §5: the well-known IPv4-mapped prefix is shown with a dotted tail, as inet_ntop does.
  if (address.w0 === 0 && address.w1 === 0 && address.w2 === 0xffff)
    return `::ffff:${formatIpv4(address.w3)}`;
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  const run = longestZeroRun(groups);
  if (run === undefined) return hex(groups);
  return `${hex(groups.slice(0, run[0]))}::${hex(groups.slice(run[1]))}`;
}

/** The canonical text of `address`: dotted quad, or RFC 5952 for IPv6. */
export function formatIpAddress(address: IpAddress): string {
  return typeof address === 'number' ? formatIpv4(address) : formatIpv6(address);
}
