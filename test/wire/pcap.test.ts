import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ETHERTYPE, emitEthernet } from '../../src/wire/ethernet.ts';
import { ipBytesOf, LINKTYPE, type PcapFile, readPcap, writePcap } from '../../src/wire/pcap.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { checkProperty } from './property.ts';

const arbitraryFile: fc.Arbitrary<PcapFile> = fc
  .constantFrom('micro' as const, 'nano' as const)
  .chain((resolution) =>
    fc.record({
      resolution: fc.constant(resolution),
      linkType: fc.constantFrom(LINKTYPE.ethernet, LINKTYPE.raw),
      records: fc.array(
        fc
          .record({
            seconds: fc.integer({ min: 0, max: 0xffffffff }),
            nanoseconds: fc
              .integer({ min: 0, max: 999_999_999 })
              .map((ns) => (resolution === 'nano' ? ns : ns - (ns % 1000))),
            data: fc.uint8Array({ maxLength: 80 }),
            missing: fc.nat({ max: 3 }),
          })
          .map(({ missing, ...record }) =>
            missing === 0 ? record : { ...record, originalLength: record.data.length + missing },
          ),
        { maxLength: 5 },
      ),
    }),
  );

/** The file with every header field in the other byte order. */
function bigEndian(file: PcapFile): Uint8Array {
  const bytes = writePcap(file);
  const reverse = (start: number, length: number) => bytes.subarray(start, start + length).reverse();
  for (const [start, length] of [
    [0, 4],
    [4, 2],
    [6, 2],
    [16, 4],
    [20, 4],
  ] as const) {
    reverse(start, length);
  }
  let offset = 24;
  for (const { data } of file.records) {
    for (let field = 0; field < 4; field++) reverse(offset + field * 4, 4);
    offset += 16 + data.length;
  }
  return bytes;
}

const FILE: PcapFile = {
  linkType: LINKTYPE.raw,
  resolution: 'micro',
  records: [
    { seconds: 1, nanoseconds: 2000, data: Uint8Array.of(0x45, 1, 2) },
    { seconds: 3, nanoseconds: 0, data: Uint8Array.of(0x60) },
  ],
};

describe('pcap files', () => {
  it('survive write and read, in both byte orders and resolutions', () => {
    checkProperty(
      'pcap round trip',
      fc.property(arbitraryFile, (file) => {
        expect(readPcap(writePcap(file))).toEqual(file);
        expect(readPcap(bigEndian(file))).toEqual(file);
      }),
    );
  });

  it('are refused wherever they are cut off', () => {
    const bytes = writePcap(FILE);
    const whole = new Set([24, 24 + 16 + 3, bytes.length]);
    for (let length = 0; length <= bytes.length; length++) {
      const read = () => readPcap(bytes.subarray(0, length));
      if (whole.has(length)) expect(read).not.toThrow();
      else expect(read, `${length} bytes`).toThrow(WireError);
    }
  });

  const spoilt = (offset: number, ...values: number[]) => {
    const bytes = writePcap(FILE);
    bytes.set(values, offset);
    return bytes;
  };
  const refusals: readonly [string, Uint8Array, string][] = [
    [
      'a pcapng file',
      spoilt(0, 0x0a, 0x0d, 0x0d, 0x0a),
      'no pcap file: it begins with 0a0d0d0a, expected a1b2c3d4 or a1b23c4d at byte 0',
    ],
    ['version 3', spoilt(4, 3), 'pcap version 3, expected 2 at byte 4'],
    ['a million microseconds', spoilt(28, 0x40, 0x42, 0x0f, 0), 'expected below 1000000 at byte 28'],
    ['a record longer than the file', spoilt(32, 200), 'pcap record cut off: 20 of 200 bytes at byte 24'],
    [
      'a record longer than any',
      spoilt(32, 0, 0, 0, 1),
      'pcap record of 16777216 bytes, expected at most 262144 at byte 32',
    ],
  ];
  it.each(refusals)('refuse %s', (_, bytes, message) => {
    expect(() => readPcap(bytes)).toThrow(message);
  });

  it('are read alike by pcap-parser', async () => {
    const { parse } = (await import('pcap-parser')).default;
    const parser = parse(Readable.from([Buffer.from(writePcap(FILE))]));
    const seen: unknown[] = [];
    let linkType: unknown;
    parser.on('globalHeader', (header) => {
      linkType = header.linkLayerType;
    });
    parser.on('packet', ({ header, data }) => {
      seen.push({
        seconds: header.timestampSeconds,
        nanoseconds: header.timestampMicroseconds * 1000,
        data: Uint8Array.from(data),
      });
    });
    await EventEmitter.once(parser, 'end');
    expect(linkType).toBe(LINKTYPE.raw);
    expect(seen).toEqual(FILE.records);
  });
});

describe('frames of a capture', () => {
  const macs = { destination: 0x020202020202, source: 0x040404040404 };
  const payload = Uint8Array.of(0x45, 0, 0);
  it('raw: the packet itself', () => {
    expect(ipBytesOf(LINKTYPE.raw, payload)).toEqual(payload);
  });
  it('Ethernet: the packet behind the header', () => {
    const frame = emitEthernet({ ...macs, etherType: ETHERTYPE.ipv4, payload });
    expect(ipBytesOf(LINKTYPE.ethernet, frame)).toEqual(payload);
  });
  it('Ethernet with a VLAN tag: the packet behind the tag', () => {
    const tagged = emitEthernet({
      ...macs,
      etherType: ETHERTYPE.vlan,
      payload: Uint8Array.of(0, 7, 0x86, 0xdd, 0x60),
    });
    expect(ipBytesOf(LINKTYPE.ethernet, tagged)).toEqual(Uint8Array.of(0x60));
  });
  it('ARP: none', () => {
    expect(ipBytesOf(LINKTYPE.ethernet, emitEthernet({ ...macs, etherType: ETHERTYPE.arp, payload }))).toBe(
      undefined,
    );
  });
  it('another link type is refused', () => {
    expect(() => ipBytesOf(113, payload)).toThrow('link type 113');
  });
});
