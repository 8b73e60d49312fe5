/** Names that kube-proxy makes from hashes: SHA-256, then standard base32 (RFC 4648 §6), then a few characters. */
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Endpoint } from './endpoints.ts';
import type { ServicePort } from './service-port.ts';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** The first `length` base32 characters of the SHA-256 of `text` (UTF-8). `length` is at most 51. */
export function hashText(text: string, length: number): string {
  const digest = sha256(utf8ToBytes(text));
  let name = '';
  let bits = 0;
  let held = 0;
  for (const byte of digest) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      name += BASE32[(held >>> bits) & 31];
      if (name.length === length) return name;
    }
  }
  return name;
}

const CHAIN_HASH_LENGTH = 16;

/** The 16 characters that the KUBE-SVC-, SVL-, EXT- and FW- chains of `port` share. */
export function servicePortHash({ name, protocol }: ServicePort): string {
  return hashText(name + protocol, CHAIN_HASH_LENGTH);
}

/** The KUBE-SEP- chain of `endpoint`; its address counts as the slice spells it. */
export function endpointChainName({ name, protocol }: ServicePort, endpoint: Endpoint): string {
  return `KUBE-SEP-${hashText(name + protocol + endpoint.text, CHAIN_HASH_LENGTH)}`;
}
