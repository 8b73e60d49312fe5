/**
 * Address ranges with a length: IpPrefix (a network, host bits zero) and InterfaceAddress (an address
 * together with the prefix it lives in). The two are different types on purpose: `10.0.0.5/24` is a fine
 * interface address and a wrong network.
 */
import {
  AddressError,
  addressBits,
  compareAddress,
  familyOf,
  formatIpAddress,
  type IpAddress,
  ipv6,
  maskAddress,
  sameAddress,
  tryParseIpAddress,
} from './ip-address.ts';

/** A network: `address` has no bits set beyond the first `length`. */
export interface IpPrefix {
  readonly address: IpAddress;
  readonly length: number;
}

/** An address on a device and the length of the on-link prefix around it. */
export interface InterfaceAddress {
  readonly address: IpAddress;
  readonly length: number;
  /** The network around it is not made a route (`ip address add … noprefixroute`). */
  readonly noPrefixRoute?: true;
}

function maskWord(length: number): number {
  if (length <= 0) return 0;
  return length >= 32 ? 0xffffffff : (0xffffffff << (32 - length)) >>> 0;
}

/** The mask with the first `length` bits set, of the family of `like`. */
export function prefixMask(like: IpAddress, length: number): IpAddress {
  if (typeof like === 'number') return maskWord(length);
  return ipv6(maskWord(length), maskWord(length - 32), maskWord(length - 64), maskWord(length - 96));
}

/** The number of leading one bits when `mask` is contiguous, else undefined. */
export function maskLength(mask: IpAddress): number | undefined {
  for (let length = 0; length <= addressBits(familyOf(mask)); length++) {
    if (sameAddress(prefixMask(mask, length), mask)) return length;
  }
  return undefined;
}

/** The network of the first `length` bits of `address`; host bits are cleared. */
export function prefixOf(address: IpAddress, length: number): IpPrefix {
  return { address: maskAddress(address, prefixMask(address, length)), length };
}

/** The /32 or /128 of one address. */
export function hostPrefix(address: IpAddress): IpPrefix {
  return { address, length: addressBits(familyOf(address)) };
}

/** True when `address` lies in `prefix`; an address of the other family never does. */
export function prefixContains(prefix: IpPrefix, address: IpAddress): boolean {
  const { address: base, length } = prefix;
  if (typeof base === 'number') {
    return typeof address === 'number' && ((base ^ address) & maskWord(length)) === 0;
  }
  if (typeof address === 'number') return false;
  return (
    ((base.w0 ^ address.w0) & maskWord(length)) === 0 &&
    ((base.w1 ^ address.w1) & maskWord(length - 32)) === 0 &&
    ((base.w2 ^ address.w2) & maskWord(length - 64)) === 0 &&
    ((base.w3 ^ address.w3) & maskWord(length - 96)) === 0
  );
}

/** True when the two networks share an address. */
export function prefixesOverlap(a: IpPrefix, b: IpPrefix): boolean {
  return a.length <= b.length ? prefixContains(a, b.address) : prefixContains(b, a.address);
}

/** Orders by address, then shorter prefixes first. */
export function comparePrefix(a: IpPrefix, b: IpPrefix): number {
  return compareAddress(a.address, b.address) || a.length - b.length;
}

/** The highest address of the prefix: the IPv4 broadcast address, the last of an IPv6 subnet. */
export function lastAddress(prefix: IpPrefix): IpAddress {
  const mask = prefixMask(prefix.address, prefix.length);
  const { address } = prefix;
  if (typeof address === 'number') return (address | ~(mask as number)) >>> 0;
  if (typeof mask === 'number') throw new RangeError('address families differ');
  return ipv6(address.w0 | ~mask.w0, address.w1 | ~mask.w1, address.w2 | ~mask.w2, address.w3 | ~mask.w3);
}

/**
 * Parses `ADDRESS/LENGTH` (or a bare address, taken as a /32 or /128), keeping host bits.
 * Throws AddressError.
 */
export function parseInterfaceAddress(text: string): InterfaceAddress {
  const slash = text.indexOf('/');
  const address = tryParseIpAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) throw new AddressError(`'${text}' is not an address with a prefix length`);
  const bits = addressBits(familyOf(address));
  if (slash < 0) return { address, length: bits };
  const lengthText = text.slice(slash + 1);
  const length = /^(0|[1-9]\d*)$/.test(lengthText) ? Number(lengthText) : Number.NaN;
  if (!(length <= bits)) throw new AddressError(`'${text}' has a prefix length that is not 0 to ${bits}`);
  return { address, length };
}

/**
 * Parses a network. Throws AddressError, naming the right network, when host bits are set
 * (`10.0.0.5/24` is refused: `10.0.0.0/24` is meant).
 */
export function parseIpPrefix(text: string): IpPrefix {
  const { address, length } = parseInterfaceAddress(text);
  const network = prefixOf(address, length);
  if (!sameAddress(network.address, address)) {
    throw new AddressError(`'${text}' has host bits set; the network is ${formatIpPrefix(network)}`);
  }
  return network;
}

/** `ADDRESS/LENGTH`, canonical. */
export function formatIpPrefix(prefix: IpPrefix | InterfaceAddress): string {
  return `${formatIpAddress(prefix.address)}/${prefix.length}`;
}
