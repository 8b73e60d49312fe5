/** Addresses, masks and ranges as iptables reads and prints them. */
import {
  addressBits,
  formatIpAddress,
  type IpAddress,
  type IpFamily,
  ipv6,
  maskAddress,
  sameAddress,
  tryParseIpv4,
  tryParseIpv6,
} from '../wire/ip-address.ts';
import { maskLength, prefixMask } from '../wire/ip-prefix.ts';
import { tryParseNumber } from './numbers.ts';
import type { RuleContext } from './rule-context.ts';

export interface AddressAndMask {
  readonly address: IpAddress;
  readonly mask: IpAddress;
}

const V6_ZERO = ipv6(0, 0, 0, 0);

function masksOf(like: IpAddress): readonly IpAddress[] {
  return Array.from({ length: addressBits(typeof like === 'number' ? 'ipv4' : 'ipv6') + 1 }, (_, length) =>
    prefixMask(like, length),
  );
}

/** By prefix length: parsing shares the mask values, so printing can tell them by identity. */
const MASKS = { ipv4: masksOf(0), ipv6: masksOf(V6_ZERO) } as const;

const MASK_TEXT: Readonly<Record<IpFamily, ReadonlyMap<IpAddress, string>>> = {
  ipv4: new Map(MASKS.ipv4.map((mask, length) => [mask, `/${length}`])),
  ipv6: new Map(MASKS.ipv6.map((mask, length) => [mask, `/${length}`])),
};

/** The mask of the first `length` bits. */
export function maskOf(family: IpFamily, length: number): IpAddress {
  return MASKS[family][length] ?? prefixMask(family === 'ipv4' ? 0 : V6_ZERO, length);
}

/** All ones. */
export function hostMask(family: IpFamily): IpAddress {
  return maskOf(family, addressBits(family));
}

/** Text of `family` only; undefined for anything else. */
export function tryParseFamilyAddress(family: IpFamily, text: string): IpAddress | undefined {
  return family === 'ipv4' ? tryParseIpv4(text) : tryParseIpv6(text);
}

/**
 * IPv4 the way `-s`, `-d` and iprange read it (libxtables/xtables.c, __numeric_to_ipaddr): octets in any
 * base, and missing ones are zero (`10` is 10.0.0.0, `172.16/12` a network). IPv6 strictly.
 */
function tryParseLooseAddress(family: IpFamily, text: string): IpAddress | undefined {
  const strict = tryParseFamilyAddress(family, text);
  if (strict !== undefined || family === 'ipv6') return strict;
  const octets = text.split('.').map((part) => tryParseNumber(part, 0, 255));
  if (octets.length > 4 || octets.includes(undefined)) return undefined;
  return [0, 1, 2, 3].reduce((address, index) => address * 256 + (octets[index] ?? 0), 0);
}

/**
 * IPv4 the way conntrack's options read it (getaddrinfo, so inet_aton): up to four numbers in any base, the
 * last of which fills the rest (`10.1` is 10.0.0.1). IPv6 strictly.
 */
function tryParseHost(family: IpFamily, text: string): IpAddress | undefined {
  const strict = tryParseFamilyAddress(family, text);
  if (strict !== undefined || family === 'ipv6') return strict;
  const parts = text.split('.');
  const last = parts.pop() ?? '';
  if (parts.length > 3) return undefined;
  const octets = parts.map((part) => tryParseNumber(part, 0, 255));
  const rest = tryParseNumber(last, 0, 256 ** (4 - parts.length) - 1);
  if (rest === undefined || octets.includes(undefined)) return undefined;
  return octets.reduce((sum: number, octet, index) => sum + (octet ?? 0) * 256 ** (3 - index), rest);
}

function complain(context: RuleContext, option: string, text: string): never {
  const want = context.family === 'ipv4' ? 'an IPv4' : 'an IPv6';
  const other = tryParseFamilyAddress(context.family === 'ipv4' ? 'ipv6' : 'ipv4', text);
  if (other === undefined)
    throw context.error(`bad address '${text}' for ${option}; expected ${want} address`);
  const found = context.family === 'ipv4' ? 'an IPv6' : 'an IPv4';
  throw context.error(
    `${found} address '${text}' for ${option}; this file holds ${context.family} rules, expected ${want} address`,
  );
}

/** One address of the file's family, no mask. */
export function parseAddress(context: RuleContext, option: string, text: string): IpAddress {
  return tryParseFamilyAddress(context.family, text) ?? complain(context, option, text);
}

/** One address as iprange takes it: missing octets are zero. */
export function parseLooseAddress(context: RuleContext, option: string, text: string): IpAddress {
  return tryParseLooseAddress(context.family, text) ?? complain(context, option, text);
}

/** A prefix length or a dotted mask, which `read` reads. */
export function parseMask(
  context: RuleContext,
  option: string,
  text: string,
  read: typeof tryParseFamilyAddress = tryParseFamilyAddress,
): IpAddress {
  const bits = addressBits(context.family);
  const length = tryParseNumber(text, 0, bits);
  if (length !== undefined) return maskOf(context.family, length);
  const mask = read(context.family, text);
  if (mask === undefined) {
    throw context.error(
      `bad mask '/${text}' for ${option}; expected a length from 0 to ${bits} or a dotted mask`,
    );
  }
  const contiguous = maskLength(mask);
  return contiguous === undefined ? mask : maskOf(context.family, contiguous);
}

/** One address as options of type XTTYPE_HOST take it. */
export function parseHost(context: RuleContext, option: string, text: string): IpAddress {
  return tryParseHost(context.family, text) ?? complain(context, option, text);
}

/** A mask as options of type XTTYPE_PLENMASK take it. */
export function parseHostMask(context: RuleContext, option: string, text: string): IpAddress {
  return parseMask(context, option, text, tryParseHost);
}

/** `ADDRESS[/MASK]` as conntrack's options take it, host bits kept. */
export function parseHostAndMask(context: RuleContext, option: string, text: string): AddressAndMask {
  const { family } = context;
  const slash = text.indexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const address = parseHost(context, option, host);
  if (slash < 0) return { address, mask: hostMask(family) };
  return { address, mask: parseHostMask(context, option, text.slice(slash + 1)) };
}

const LOCALHOST = { ipv4: '127.0.0.1', ipv6: '::1' } as const;

/**
 * `ADDRESS[/MASK]` as `-s` and `-d` take it, masked to the network. Under a mask of zero the address is not
 * looked at, as in `any/0`. Of names only `localhost` is known: no resolver is asked.
 */
export function parseNetwork(context: RuleContext, option: string, text: string): AddressAndMask {
  const { family } = context;
  const slash = text.lastIndexOf('/');
  const mask = slash < 0 ? hostMask(family) : parseMask(context, option, text.slice(slash + 1));
  if (sameAddress(mask, maskOf(family, 0))) return { address: mask, mask };
  const host = slash < 0 ? text : text.slice(0, slash);
  const named = host === 'localhost' ? LOCALHOST[family] : host;
  const address =
    tryParseLooseAddress(family, named) ?? tryParseHost(family, named) ?? complain(context, option, named);
  return { address: slash < 0 ? address : maskAddress(address, mask), mask };
}

/** `/LENGTH`, or `/MASK` when the mask has no length. */
export function formatMask(mask: IpAddress): string {
  const family = typeof mask === 'number' ? 'ipv4' : 'ipv6';
  const known = MASK_TEXT[family].get(mask);
  if (known !== undefined) return known;
  const length = maskLength(mask);
  return length === undefined ? `/${formatAddress(mask)}` : `/${length}`;
}

/** `ADDRESS/LENGTH`, also for a host. */
export function formatNetwork(network: AddressAndMask): string {
  return `${formatAddress(network.address)}${formatMask(network.mask)}`;
}

/**
 * As glibc's inet_ntop prints: canonical, except that IPv4-compatible addresses (the first 96 bits zero)
 * also get a dotted tail.
 */
export function formatAddress(address: IpAddress): string {
  if (typeof address !== 'number' && address.w0 === 0 && address.w1 === 0 && address.w2 === 0) {
    if (address.w3 > 0xffff) return `::${formatIpAddress(address.w3)}`;
  }
  return formatIpAddress(address);
}
