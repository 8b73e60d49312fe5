/** Decoders for the text of addresses and networks; the text itself is kept, since others print and hash it. */
import { AddressError, familyOf, type IpFamily } from '../../wire/ip-address.ts';
import { parseIpPrefix } from '../../wire/ip-prefix.ts';
import { tryParseSloppyCidr, tryParseSloppyIp } from '../sloppy-address.ts';
import { type Cursor, type Decoder, fail } from './cursor.ts';
import { string } from './decoders.ts';

/** An IP address as the API server accepts it, leading zeros included. */
export function ipText(at: Cursor): string {
  const text = string(at);
  if (tryParseSloppyIp(text) !== undefined) return text;
  return fail(at, `${JSON.stringify(text)} is not an IP address`);
}

/** An IP address of one family. */
export function ipTextOf(family: IpFamily): Decoder<string> {
  return (at) => {
    const text = ipText(at);
    const address = tryParseSloppyIp(text);
    if (address !== undefined && familyOf(address) === family) return text;
    return fail(at, `${JSON.stringify(text)} is not an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address`);
  };
}

/** A CIDR that may be padded with blanks and have host bits set, as the API takes source ranges. */
export function paddedCidrText(at: Cursor): string {
  const text = string(at);
  if (tryParseSloppyCidr(text.trim()) !== undefined) return text;
  return fail(at, `${JSON.stringify(text)} is not a network in CIDR form, such as 192.0.2.0/24`);
}

/** A network, strictly: host bits must be clear, and the message names the network that was meant. */
export function networkText(at: Cursor): string {
  const text = string(at);
  if (!text.includes('/'))
    fail(at, `${JSON.stringify(text)} is not a network in CIDR form, such as 10.244.1.0/24`);
  try {
    parseIpPrefix(text);
    return text;
  } catch (error) {
    if (error instanceof AddressError) return fail(at, error.message);
    throw error;
  }
}
