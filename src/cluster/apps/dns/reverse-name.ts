/** Names of addresses: `1.0.96.10.in-addr.arpa`, and nibbles under `ip6.arpa` (RFC 1035 §3.5, RFC 3596 §2.5). */
import { formatIpAddress, type IpAddress, tryParseIpAddress } from '../../../wire/ip-address.ts';

const V4 = '.in-addr.arpa';
const V6 = '.ip6.arpa';

/** The address that `name` (lower case) is the reverse name of; undefined for other names. */
export function addressOfReverseName(name: string): IpAddress | undefined {
  if (name.endsWith(V4)) return tryParseIpAddress(name.slice(0, -V4.length).split('.').reverse().join('.'));
  if (!name.endsWith(V6)) return undefined;
  const nibbles = name.slice(0, -V6.length).split('.').reverse();
  if (nibbles.length !== 32 || nibbles.some((nibble) => !/^[0-9a-f]$/.test(nibble))) return undefined;
  return tryParseIpAddress((nibbles.join('').match(/.{4}/g) ?? []).join(':'));
}

/** The reverse name of `address`. */
export function reverseNameOf(address: IpAddress): string {
  if (typeof address === 'number') return formatIpAddress(address).split('.').reverse().join('.') + V4;
  const words = [address.w0, address.w1, address.w2, address.w3];
  const digits = words.map((word) => word.toString(16).padStart(8, '0')).join('');
  return [...digits].reverse().join('.') + V6;
}
