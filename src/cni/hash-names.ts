/** Names made from hashes, each as the program hashes that first used it. */
import { sha1 } from '@noble/hashes/legacy.js';
import { sha224, sha256, sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const BASE64_URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The first `length` digits of `bytes` read as a number of `width` bits a digit. */
function digits(bytes: Uint8Array, alphabet: string, width: 5 | 6, length: number): string {
  let name = '';
  let bits = 0;
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0x3fff;
    bits += 8;
    while (bits >= width) {
      bits -= width;
      name += alphabet[(held >>> bits) & ((1 << width) - 1)];
      if (name.length === length) return name;
    }
  }
  return name;
}

/** The first `length` (at most 51) base32 characters of the SHA-256 of `text` in UTF-8. */
export function base32Hash(text: string, length: number): string {
  return digits(sha256(utf8ToBytes(text)), BASE32, 5, length);
}

/** The SHA-512 of `text` in UTF-8, in lower-case hexadecimal: the CNI plugins' chains. */
export function sha512Hex(text: string): string {
  return bytesToHex(sha512(utf8ToBytes(text)));
}

/** The SHA-1 of `text` in UTF-8, in lower-case hexadecimal: Calico's device names. */
export function sha1Hex(text: string): string {
  return bytesToHex(sha1(utf8ToBytes(text)));
}

/**
 * The hashes with which Felix labels the rules of a chain: 16 base64url characters each, every one of them
 * over the one before, the first over the chain's name (felix/generictables, RuleHashes). `rules` are the
 * rules as Felix renders them with HASH in place of the hash.
 */
export function chainedHashes(chain: string, rules: readonly string[]): string[] {
  let before = sha224(utf8ToBytes(chain));
  return rules.map((rule) => {
    before = sha224(new Uint8Array([...before, ...utf8ToBytes(rule)]));
    return digits(before, BASE64_URL, 6, 16);
  });
}
