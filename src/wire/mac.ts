/**
 * MAC addresses (IEEE 802) as 48-bit numbers, first octet on top: they compare with `===`, key a Map, and
 * stay below 2^53. Text and bytes exist at the edges.
 */
import { read16, read32, write16, write32 } from './byte-order.ts';
import { AddressError, type IpAddress } from './ip-address.ts';

export type MacAddress = number;

export const NO_MAC: MacAddress = 0;
export const BROADCAST_MAC: MacAddress = 0xffffffffffff;

const OCTET_40 = 2 ** 40;
const WORD = 2 ** 32;

/** True for groups, the broadcast address among them (the first octet's lowest bit). */
export function isMulticastMac(mac: MacAddress): boolean {
  return (Math.floor(mac / OCTET_40) & 1) === 1;
}

/** 01-80-C2-00-00-0X: frames to these never pass a bridge (IEEE 802.1D §7.12.6). */
export function isLinkLocalGroupMac(mac: MacAddress): boolean {
  return mac - (mac % 16) === 0x0180c2000000;
}

/** The group address that frames to an IP group carry (RFC 1112 §6.4, RFC 2464 §7). */
export function groupMac(group: IpAddress): MacAddress {
  if (typeof group === 'number') return 0x01005e000000 + (group & 0x7fffff);
  return 0x3333 * WORD + group.w3;
}

const TEXT = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;

/** Parses `02:00:00:00:00:01`; undefined when `text` is anything else. */
export function tryParseMac(text: string): MacAddress | undefined {
  return TEXT.test(text) ? Number.parseInt(text.replaceAll(':', ''), 16) : undefined;
}

/** Parses `02:00:00:00:00:01`. Throws AddressError when `text` is anything else. */
export function parseMac(text: string): MacAddress {
  const mac = tryParseMac(text);
  if (mac === undefined) throw new AddressError(`'${text}' is not a MAC address`);
  return mac;
}

/** Six lower-case octets with colons. */
export function formatMac(mac: MacAddress): string {
  return mac
    .toString(16)
    .padStart(12, '0')
    .replace(/(..)(?!$)/g, '$1:');
}

/** The address in the six bytes at `offset`. */
export function readMac(bytes: Uint8Array, offset: number): MacAddress {
  return read16(bytes, offset) * WORD + read32(bytes, offset + 2);
}

/** Stores `mac` in the six bytes at `offset`. */
export function writeMac(bytes: Uint8Array, offset: number, mac: MacAddress): void {
  write16(bytes, offset, Math.floor(mac / WORD));
  write32(bytes, offset + 2, mac % WORD);
}

/**
 * A locally administered unicast address made of 48 bits: `high` gives the first two octets, `low` (unsigned
 * 32-bit) the others (what eth_random_addr makes of random bytes).
 */
export function localMac(high: number, low: number): MacAddress {
  return ((high & 0xfeff) | 0x0200) * WORD + (low >>> 0);
}
