import { describe, expect, it } from 'vitest';
import { crc32c, internetChecksum } from '../../src/wire/checksum.ts';

describe('the Internet checksum', () => {
  // RFC 1071 §3's example sums to 0xddf2 before it is complemented.
  it('of RFC 1071', () => {
    expect(internetChecksum(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(
      ~0xddf2 & 0xffff,
    );
  });
  it('pads an odd byte with zero', () => {
    expect(internetChecksum(Uint8Array.of(0x12, 0x34, 0x56))).toBe(
      internetChecksum(Uint8Array.of(0x12, 0x34, 0x56, 0)),
    );
  });
  it('of 64 KiB of ones folds its carries', () => {
    expect(internetChecksum(new Uint8Array(65536).fill(0xff))).toBe(0);
  });
});

describe('CRC32c', () => {
  // RFC 3720 appendix B.4, and the check value of the CRC catalogues.
  const cases: readonly [string, Uint8Array, number][] = [
    ['nothing', new Uint8Array(0), 0],
    ['"123456789"', new TextEncoder().encode('123456789'), 0xe3069283],
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['31 to 0', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ];
  it.each(cases)('of %s', (_, bytes, expected) => {
    expect(crc32c(bytes)).toBe(expected);
  });
});
