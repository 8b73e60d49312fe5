import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitPacket, ipLength, parsePacket, parseQuotedPacket } from '../../src/wire/headers.ts';
import { type IpFamily, parseIpAddress } from '../../src/wire/ip-address.ts';
import { NO_BYTES, type Packet } from '../../src/wire/packet.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { arbitraryLaterFragment, arbitraryPacket } from './arbitrary-packet.ts';
import { checkProperty } from './property.ts';

const FAMILIES: readonly IpFamily[] = ['ipv4', 'ipv6'];

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/[0-9a-f]{2}/g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Packets that a Linux 6.18 sent over loopback, as tcpdump showed them: their checksums are not our own. */
const CAPTURED = {
  tcpReset: fromHex(
    '4500 0028 0000 4000 4006 3cce 7f00 0001 7f00 0001 270e e7c8 0000 0000 cef6 c6ae 5014 0000 0d52 0000',
  ),
  portUnreachable: fromHex(
    '45c0 003b bfc8 0000 4001 bc37 7f00 0001 7f00 0001 0303 62aa 0000 0000 ' +
      '4500 001f c6ed 4000 4011 75de 7f00 0001 7f00 0001 a1b4 270f 000b fe1e 6f64 64',
  ),
  portUnreachable6: fromHex(
    `600a 2c9c 003b 3a40 ${'0000 '.repeat(7)} 0001 ${'0000 '.repeat(7)} 0001 0104 a867 0000 0000 ` +
      `6003 0b08 000b 1140 ${'0000 '.repeat(7)} 0001 ${'0000 '.repeat(7)} 0001 df27 270f 000b 001e 6f64 64`,
  ),
  /** Its checksum was left to the device; filled in here as tcpdump said it should be. */
  syn6: fromHex(
    `600d 1c72 0028 0640 ${'0000 '.repeat(7)} 0001 ${'0000 '.repeat(7)} 0001 80bc 270e fb2a f885 ` +
      '0000 0000 a002 ffc4 ee0e 0000 0204 ffc4 0402 080a a878 1c23 0000 0000 0103 030a',
  ),
};

const BASE = {
  src: parseIpAddress('10.0.1.9'),
  dst: parseIpAddress('10.0.2.9'),
  ttl: 64,
  tos: 0,
  id: 7,
  dontFragment: false,
} as const;

const SYN: Packet = {
  ...BASE,
  transport: {
    kind: 'tcp',
    sport: 40000,
    dport: 80,
    seq: 1,
    ack: 0,
    flags: 2,
    window: 65535,
    options: NO_BYTES,
    data: NO_BYTES,
  },
};

describe.each(FAMILIES)('%s packets', (family) => {
  it('survive emit and parse', () => {
    checkProperty(
      `${family} round trip`,
      fc.property(arbitraryPacket(family), (packet) => {
        expect(parsePacket(emitPacket(packet))).toEqual(packet);
      }),
    );
  });

  it('know their length', () => {
    checkProperty(
      `${family} length`,
      fc.property(arbitraryPacket(family), (packet) => {
        expect(ipLength(packet)).toBe(emitPacket(packet).length);
      }),
    );
  });

  it('survive as later fragments', () => {
    checkProperty(
      `${family} fragments`,
      fc.property(arbitraryLaterFragment(family), (packet) => {
        expect(parsePacket(emitPacket(packet))).toEqual(packet);
      }),
    );
  });

  it('survive being quoted in part, length and all', () => {
    checkProperty(
      `${family} quotations`,
      fc.property(arbitraryPacket(family, 0), fc.nat(), (packet, cutAt) => {
        const bytes = emitPacket(packet);
        const quoted = parseQuotedPacket(bytes.subarray(0, cutAt % (bytes.length + 1)));
        if (quoted === undefined) return;
        expect(ipLength(quoted)).toBe(bytes.length);
        expect(quoted.dst).toEqual(packet.dst);
        expect(parseQuotedPacket(emitPacket(quoted))).toEqual(quoted);
      }),
    );
  });

  it('parse from any bytes, or name the offset', () => {
    checkProperty(
      `${family} any bytes`,
      fc.property(fc.uint8Array({ maxLength: 120 }), (noise) => {
        noise[0] = ((noise[0] ?? 0) & 15) | (family === 'ipv4' ? 0x40 : 0x60);
        try {
          parsePacket(noise);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
          expect((error as WireError).offset).toBeLessThanOrEqual(noise.length);
        }
      }),
    );
  });

  it('with one bit of a TCP segment flipped are corrupt or different', () => {
    checkProperty(
      `${family} bit flips`,
      fc.property(fc.nat(), (where) => {
        const ends =
          family === 'ipv4' ? {} : { src: parseIpAddress('fd00::1'), dst: parseIpAddress('fd00::2') };
        const packet = { ...SYN, ...ends, ...(family === 'ipv6' ? { id: 0 } : {}) };
        const bytes = emitPacket(packet);
        const header = bytes.length - 20;
        const bit = where % 160;
        // Not the header length: that makes it no TCP header at all.
        if (bit >= 96 && bit < 100) return;
        bytes[header + (bit >> 3)] = (bytes[header + (bit >> 3)] ?? 0) ^ (0x80 >> (bit & 7));
        expect(parsePacket(bytes).corrupt).toBe('transport-checksum');
      }),
    );
  });
});

describe('packets that Linux sent', () => {
  const loopback = parseIpAddress('127.0.0.1');
  it('a TCP reset, to the last byte', () => {
    const packet = parsePacket(CAPTURED.tcpReset);
    expect(packet).toEqual({
      src: loopback,
      dst: loopback,
      ttl: 64,
      tos: 0,
      id: 0,
      dontFragment: true,
      transport: {
        kind: 'tcp',
        sport: 9998,
        dport: 59336,
        seq: 0,
        ack: 3472279214,
        flags: 0x14,
        window: 0,
        options: NO_BYTES,
        data: NO_BYTES,
      },
    });
    expect(emitPacket(packet)).toEqual(CAPTURED.tcpReset);
  });

  it('a port unreachable error and the datagram it quotes', () => {
    const packet = parsePacket(CAPTURED.portUnreachable);
    expect(packet.corrupt).toBeUndefined();
    expect(packet.transport).toMatchObject({ kind: 'icmp', type: 3, code: 3 });
    const quoted = packet.transport.kind === 'icmp' ? packet.transport.quoted : undefined;
    expect(quoted).toEqual({
      src: loopback,
      dst: loopback,
      ttl: 64,
      tos: 0,
      id: 0xc6ed,
      dontFragment: true,
      transport: { kind: 'udp', sport: 41396, dport: 9999, data: Uint8Array.of(0x6f, 0x64, 0x64) },
    });
  });

  it('the same of IPv6, whose checksum covers the pseudo-header', () => {
    const packet = parsePacket(CAPTURED.portUnreachable6);
    expect(packet.corrupt).toBeUndefined();
    expect(packet.transport).toMatchObject({
      type: 1,
      code: 4,
      quoted: { dst: parseIpAddress('::1'), transport: { kind: 'udp', sport: 57127, dport: 9999 } },
    });
  });

  it('a SYN with options over IPv6, all but the flow label', () => {
    const packet = parsePacket(CAPTURED.syn6);
    expect(packet.corrupt).toBeUndefined();
    expect(packet.transport).toMatchObject({ flags: 2, window: 65476, options: { length: 20 } });
    const expected = CAPTURED.syn6.slice();
    expected.set([0, 0, 0], 1);
    expect(emitPacket(packet)).toEqual(expected);
  });
});

describe('bytes that are no packet', () => {
  const whole = emitPacket(SYN);
  const cases: readonly [string, Uint8Array, string][] = [
    ['nothing', NO_BYTES, 'no bytes where an IP packet was expected at byte 0'],
    ['version 5', Uint8Array.of(0x55, ...whole.subarray(1)), 'IP version 5, expected 4 or 6 at byte 0'],
    ['half a header', whole.subarray(0, 12), 'IPv4 header cut off: 12 of 20 bytes at byte 12'],
    [
      'a header length of 16',
      Uint8Array.of(0x44, ...whole.subarray(1)),
      'IPv4 header length 16 below 20 at byte 0',
    ],
    ['a payload that ends early', whole.subarray(0, 30), 'IP packet cut off: 30 of 40 bytes at byte 30'],
    [
      'a total length of 10',
      Uint8Array.of(0x45, 0, 0, 10, ...whole.subarray(4)),
      "IPv4 total length 10 below the header's 20 at byte 2",
    ],
    ['an IPv6 header cut off', Uint8Array.of(0x60, 0, 0, 0), 'IPv6 header cut off: 4 of 40 bytes at byte 4'],
  ];
  it.each(cases)('%s', (_, bytes, message) => {
    expect(() => parsePacket(bytes)).toThrow(message);
  });
});

describe('odd packets', () => {
  it('parts of a packet read from a Buffer are copies', () => {
    const buffer = Buffer.from(
      emitPacket({ ...SYN, transport: { kind: 'opaque', protocol: 50, data: Uint8Array.of(1) } }),
    );
    const { transport } = parsePacket(buffer);
    buffer.fill(0);
    expect(transport.data).toEqual(Uint8Array.of(1));
  });

  it('a TCP header of 19 bytes is opaque', () => {
    const bytes = emitPacket({
      ...SYN,
      transport: { kind: 'opaque', protocol: 6, data: new Uint8Array(19) },
    });
    expect(parsePacket(bytes).transport).toEqual({ kind: 'opaque', protocol: 6, data: new Uint8Array(19) });
  });

  it('padding behind the total length is ignored', () => {
    const bytes = emitPacket(SYN);
    const padded = new Uint8Array(60);
    padded.set(bytes);
    padded.fill(0xee, bytes.length);
    expect(parsePacket(padded)).toEqual(SYN);
  });

  const udp: Packet = {
    ...BASE,
    transport: { kind: 'udp', sport: 1, dport: 53, data: Uint8Array.of(1, 2, 3) },
  };
  it('a UDP checksum of zero is none over IPv4', () => {
    const bytes = emitPacket(udp);
    bytes.set([0, 0], 26);
    expect(parsePacket(bytes)).toEqual(udp);
  });
  it('a UDP checksum of zero is wrong over IPv6', () => {
    const bytes = emitPacket({
      ...udp,
      id: 0,
      src: parseIpAddress('fd00::1'),
      dst: parseIpAddress('fd00::2'),
    });
    bytes.set([0, 0], 46);
    expect(parsePacket(bytes).corrupt).toBe('transport-checksum');
  });
  it.each([0, 7, 12, 2000])('a UDP length field of %i in a datagram of 11 is corrupt', (length) => {
    const bytes = emitPacket(udp);
    bytes.set([length >> 8, length & 255], 24);
    expect(parsePacket(bytes).corrupt).toBe('transport-checksum');
  });
  it('addresses of two families have no bytes', () => {
    expect(() => emitPacket({ ...SYN, dst: parseIpAddress('::1') })).toThrow(RangeError);
  });
});
