/**
 * Addresses as Kubernetes reads them: netutils.ParseIPSloppy and ParseCIDRSloppy, which keep the habits of
 * Go before 1.17. Leading zeros are decimal (`010.001.002.003` is 10.1.2.3), IPv6 groups may be longer than
 * four digits as long as the number fits, and an IPv4-mapped IPv6 address *is* the IPv4 address.
 */
import { addressBits, familyOf, type IpAddress, ipv6, tryParseIpv4 } from '../wire/ip-address.ts';
import { type InterfaceAddress, type IpPrefix, prefixOf } from '../wire/ip-prefix.ts';

/** Go's dtoi gives up at this number, however many zeros precede it. */
const DECIMAL_LIMIT = 0xffffff;

function decimal(text: string, max: number): number | undefined {
  if (!/^[0-9]+$/.test(text)) return undefined;
  const value = Number(text);
  return value < DECIMAL_LIMIT && value <= max ? value : undefined;
}

function sloppyIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let address = 0;
  for (const part of parts) {
    const octet = decimal(part, 255);
    if (octet === undefined) return undefined;
    address = address * 256 + octet;
  }
  return address;
}

function sloppyGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (last && index === parts.length - 1 && part.includes('.')) {
      const tail = sloppyIpv4(part);
      if (tail === undefined) return undefined;
      groups.push(tail >>> 16, tail & 0xffff);
    } else {
      if (!/^0*[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

function sloppyIpv6(text: string): IpAddress | undefined {
  const gap = text.indexOf('::');
  const head = sloppyGroups(gap < 0 ? text : text.slice(0, gap), gap < 0);
  const tail = gap < 0 ? [] : sloppyGroups(text.slice(gap + 2), true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (gap < 0 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const word = (i: number) => (((groups[i] ?? 0) << 16) | (groups[i + 1] ?? 0)) >>> 0;
  const mapped = word(0) === 0 && word(2) === 0 && word(4) === 0xffff;
  return mapped ? word(6) : ipv6(word(0), word(2), word(4), word(6));
}

/** The address in `text`, or undefined when Kubernetes would not read one. */
export function tryParseSloppyIp(text: string): IpAddress | undefined {
  if (text.includes(':')) return sloppyIpv6(text);
  return tryParseIpv4(text) ?? sloppyIpv4(text);
}

/**
 * `ADDRESS/LENGTH` with the host bits kept, or undefined when Kubernetes would not read a CIDR. The length is
 * counted in the family it was written in: `::ffff:10.0.0.0/104` is 10.0.0.0/8.
 */
export function tryParseSloppyCidr(text: string): InterfaceAddress | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const written = text.slice(0, slash);
  const address = tryParseSloppyIp(written);
  if (address === undefined) return undefined;
  const bits = written.includes(':') ? 128 : 32;
  const length = decimal(text.slice(slash + 1), bits);
  if (length === undefined) return undefined;
  const surplus = bits - addressBits(familyOf(address));
  return length < surplus ? undefined : { address, length: length - surplus };
}

/** The network of `text` read as a CIDR, host bits cleared; undefined when it is none. */
export function tryParseSloppyPrefix(text: string): IpPrefix | undefined {
  const cidr = tryParseSloppyCidr(text);
  return cidr === undefined ? undefined : prefixOf(cidr.address, cidr.length);
}
