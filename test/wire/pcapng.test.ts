import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCaptureFile } from '../../src/wire/capture-file.ts';
import { LINKTYPE, writePcap } from '../../src/wire/pcap.ts';
import type { PcapngFile, PcapngPacket, PcapngSection } from '../../src/wire/pcapng.ts';
import { readPcapng } from '../../src/wire/pcapng-read.ts';
import { writePcapng } from '../../src/wire/pcapng-write.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { arbitraryIpv6 } from './arbitrary-packet.ts';
import { encodeBlocks, type ForeignBlock, type ForeignOrder } from './foreign-pcapng.ts';
import { checkProperty } from './property.ts';

/** Any text a comment may hold: no NUL, no half characters. */
const text = fc
  .array(fc.constantFrom('a', 'Z', '7', ' ', ':', '\n', 'é', '→', '𝄞', '/', '-'), { maxLength: 12 })
  .map((parts) => parts.join(''));
const uint32 = fc.integer({ min: 0, max: 0xffffffff });

const timedPacket = (interfaces: number): fc.Arbitrary<PcapngPacket> =>
  fc
    .record({
      interface: fc.nat({ max: interfaces - 1 }),
      time: fc.record({
        seconds: fc.integer({ min: 0, max: 18_446_744_072 }),
        nanoseconds: fc.integer({ min: 0, max: 999_999_999 }),
      }),
      data: fc.uint8Array({ maxLength: 70 }),
      missing: fc.nat({ max: 3 }),
      direction: fc.constantFrom('inbound' as const, 'outbound' as const, undefined),
      comments: fc.array(text, { maxLength: 3 }),
    })
    .map(({ missing, direction, ...packet }) => ({
      ...packet,
      ...(missing === 0 ? {} : { originalLength: packet.data.length + missing }),
      ...(direction === undefined ? {} : { direction }),
    }));

function simplePacket(snapLength: number): fc.Arbitrary<PcapngPacket> {
  return fc.uint8Array({ maxLength: 70 }).map((bytes) => {
    const data = snapLength === 0 ? bytes : bytes.slice(0, snapLength);
    return {
      interface: 0,
      data,
      comments: [],
      ...(data.length === bytes.length ? {} : { originalLength: bytes.length }),
    };
  });
}

const arbitrarySection: fc.Arbitrary<PcapngSection> = fc
  .array(
    fc.record(
      {
        linkType: fc.constantFrom(1, 101, 113, 276),
        snapLength: fc.constantFrom(0, 40, 262_144),
        name: text,
        description: text,
      },
      { requiredKeys: ['linkType', 'snapLength'] },
    ),
    { maxLength: 3 },
  )
  .chain((interfaces) => {
    const [first] = interfaces;
    const packet =
      first === undefined
        ? undefined
        : fc.oneof({ weight: 4, arbitrary: timedPacket(interfaces.length) }, simplePacket(first.snapLength));
    return fc.record(
      {
        comments: fc.array(text, { maxLength: 2 }),
        interfaces: fc.constant(interfaces),
        names: fc.array(
          fc.record({
            address: fc.oneof(uint32, arbitraryIpv6),
            names: fc.array(
              text.filter((name) => name !== ''),
              { minLength: 1, maxLength: 3 },
            ),
          }),
          { maxLength: 3 },
        ),
        packets: packet === undefined ? fc.constant([]) : fc.array(packet, { maxLength: 4 }),
        hardware: text,
        os: text,
        application: text,
      },
      { requiredKeys: ['comments', 'interfaces', 'names', 'packets'] },
    );
  });

const arbitraryFile: fc.Arbitrary<PcapngFile> = fc.record({
  sections: fc.array(arbitrarySection, { minLength: 1, maxLength: 3 }),
});

/** What reading does: the file, or the message of its refusal. */
function outcome(bytes: Uint8Array): PcapngFile | string {
  try {
    return readPcapng(bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    // "naming the offset": inside the file or right behind it.
    expect(error.offset).toBeGreaterThanOrEqual(0);
    expect(error.offset).toBeLessThanOrEqual(bytes.length);
    expect(error.message).toMatch(/ at byte \d+$/);
    return error.message;
  }
}

describe('pcapng files', () => {
  it('survive write and read', () => {
    checkProperty(
      'pcapng round trip',
      fc.property(arbitraryFile, (file) => {
        expect(readPcapng(writePcapng(file))).toEqual(file);
      }),
    );
  });

  it('are refused wherever they are cut off, except between two blocks', () => {
    checkProperty(
      'pcapng truncation',
      fc.property(arbitraryFile, (file) => {
        const bytes = writePcapng(file);
        const view = new DataView(bytes.buffer);
        const blockEnds = new Set<number>();
        for (let at = 0; at < bytes.length; blockEnds.add(at)) at += view.getUint32(at + 4, true);
        for (let length = 0; length <= bytes.length; length++) {
          const read = outcome(bytes.subarray(0, length));
          expect(typeof read !== 'string', `${length} of ${bytes.length} bytes`).toBe(blockEnds.has(length));
          if (typeof read === 'string') continue;
          const packets = file.sections.flatMap((section) => section.packets);
          const found = read.sections.flatMap((section) => section.packets);
          expect(found).toEqual(packets.slice(0, found.length));
        }
      }),
      60,
    );
  });

  it('with damaged bytes are read or refused, and nothing else', () => {
    const damage = fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 255))), {
      minLength: 1,
      maxLength: 6,
    });
    let refused = 0;
    checkProperty(
      'pcapng damage',
      fc.property(arbitraryFile, damage, (file, changes) => {
        const bytes = writePcapng(file);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        if (typeof outcome(bytes) === 'string') refused++;
      }),
      2000,
    );
    expect(refused).toBeGreaterThan(200);
  });

  it('made of random bytes behind a section header are read or refused', () => {
    checkProperty(
      'pcapng noise',
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, headed) => {
        const header = writePcapng({
          sections: [{ comments: [], interfaces: [], names: [], packets: [] }],
        });
        outcome(headed ? Uint8Array.from([...header, ...noise]) : noise);
      }),
      1000,
    );
  });
});

const SHB = (length = -1n): ForeignBlock => ({
  type: 0x0a0d0d0a,
  body: ['u32', 0x1a2b3c4d, 'u16', 1, 'u16', 0, 'i64', length],
});
const IDB = (...options: ForeignBlock['body']): ForeignBlock => ({
  type: 1,
  body: ['u16', 1, 'u16', 0, 'u32', 40, ...options],
});
const TSRESOL = (value: number) => ['u16', 9, 'u16', 1, 'bytes', [value, 0, 0, 0]] as const;
const TSOFFSET = (value: bigint) => ['u16', 14, 'u16', 8, 'i64', value] as const;

function readForeign(order: ForeignOrder, blocks: readonly ForeignBlock[]) {
  return readPcapng(encodeBlocks(order, blocks));
}

describe.each(['little', 'big'] as const)('pcapng files of other programs, %s-endian', (order) => {
  const times: readonly [string, readonly ForeignBlock['body'][], bigint, object][] = [
    ['microseconds without if_tsresol', [], 1_500_000n, { seconds: 1, nanoseconds: 500_000_000 }],
    ['seconds (10^0)', [TSRESOL(0)], 7n, { seconds: 7, nanoseconds: 0 }],
    ['milliseconds', [TSRESOL(3)], 1234n, { seconds: 1, nanoseconds: 234_000_000 }],
    ['nanoseconds', [TSRESOL(9)], 5_000_000_001n, { seconds: 5, nanoseconds: 1 }],
    ['picoseconds, cut to nanoseconds', [TSRESOL(12)], 1_000_000_001_999n, { seconds: 1, nanoseconds: 1 }],
    ['halves (2^-1)', [TSRESOL(0x81)], 3n, { seconds: 1, nanoseconds: 500_000_000 }],
    ['2^-32', [TSRESOL(0xa0)], (9n << 32n) | 0x4000_0000n, { seconds: 9, nanoseconds: 250_000_000 }],
    ['an offset', [TSRESOL(0), TSOFFSET(1000n)], 7n, { seconds: 1007, nanoseconds: 0 }],
    ['an offset before the epoch', [TSRESOL(0), TSOFFSET(-10n)], 7n, { seconds: -3, nanoseconds: 0 }],
  ];
  it.each(times)('timestamps in %s', (_, options, timestamp, time) => {
    const packet: ForeignBlock = {
      type: 6,
      body: [
        'u32',
        0,
        'u32',
        timestamp >> 32n,
        'u32',
        timestamp & 0xffffffffn,
        'u32',
        1,
        'u32',
        1,
        'bytes',
        [69, 0, 0, 0],
      ],
    };
    const { sections } = readForeign(order, [SHB(), IDB(...options.flat()), packet]);
    expect(sections[0]?.packets[0]?.time).toEqual(time);
  });

  it('an obsolete packet block: 16 bits of interface, drops, and options', () => {
    const packet: ForeignBlock = {
      type: 2,
      body: [
        ...['u16', 0, 'u16', 9, 'u32', 0, 'u32', 1_000_000, 'u32', 3, 'u32', 60, 'bytes', [1, 2, 3, 0]],
        ...['u16', 2, 'u16', 4, 'u32', 2, 'u16', 1, 'u16', 2, 'bytes', [0x68, 0x69, 0, 0]],
      ] as ForeignBlock['body'],
    };
    expect(readForeign(order, [SHB(), IDB(), packet]).sections[0]?.packets).toEqual([
      {
        interface: 0,
        time: { seconds: 1, nanoseconds: 0 },
        data: Uint8Array.of(1, 2, 3),
        originalLength: 60,
        direction: 'outbound',
        comments: ['hi'],
      },
    ]);
  });

  it('a simple packet block, cut off at the snap length of the first interface', () => {
    const packet: ForeignBlock = { type: 3, body: ['u32', 44, 'bytes', new Array<number>(40).fill(5)] };
    expect(readForeign(order, [SHB(), IDB(), packet]).sections[0]?.packets).toEqual([
      { interface: 0, data: new Uint8Array(40).fill(5), originalLength: 44, comments: [] },
    ]);
  });

  it('unknown blocks and options, statistics and secrets are skipped', () => {
    const unknown = [5, 10, 0xbad, 0x40000bad, 0x80000001].map((type) => ({
      type,
      body: ['u32', 7] as const,
    }));
    const option = ['u16', 77, 'u16', 3, 'bytes', [1, 2, 3, 0]] as const;
    const file = readForeign(order, [SHB(), ...unknown, IDB(...option, ...option), ...unknown]);
    expect(file.sections).toEqual([
      { comments: [], names: [], packets: [], interfaces: [{ linkType: 1, snapLength: 40 }] },
    ]);
  });

  it('a section may state its length', () => {
    const { sections } = readForeign(order, [SHB(40n), IDB(), IDB(), SHB(20n), IDB()]);
    expect(sections.map(({ interfaces }) => interfaces.length)).toEqual([2, 1]);
  });

  it('each section has interfaces of its own', () => {
    const files = readForeign(order, [SHB(), IDB(), IDB(), SHB(), IDB()]);
    expect(files.sections.map(({ interfaces }) => interfaces.length)).toEqual([2, 1]);
  });

  it('sections of different byte orders follow each other', () => {
    const other = order === 'little' ? 'big' : 'little';
    const parts = [...encodeBlocks(order, [SHB(), IDB()]), ...encodeBlocks(other, [SHB(), IDB()])];
    expect(readPcapng(Uint8Array.from(parts)).sections).toHaveLength(2);
  });

  const packetOf = (index: number, captured: number): ForeignBlock => ({
    type: 6,
    body: ['u32', index, 'u32', 0, 'u32', 0, 'u32', captured, 'u32', captured, 'u32', 0],
  });
  const longOption = IDB('u16', 2, 'u16', 9, 'u32', 0);
  const version2: ForeignBlock = {
    type: 0x0a0d0d0a,
    body: ['u32', 0x1a2b3c4d, 'u16', 2, 'u16', 0, 'i64', -1n],
  };
  const refusals: readonly [string, readonly ForeignBlock[], string][] = [
    ['another version', [version2], 'pcapng version 2, expected 1 at byte 12'],
    ['a packet of no interface', [SHB(), packetOf(0, 4)], 'interface 0, expected one of the 0 described'],
    [
      'a packet longer than its block',
      [SHB(), IDB(), packetOf(0, 5)],
      '5 bytes, expected at most 4 (the rest of its block) at byte 68',
    ],
    ['an option longer than its block', [SHB(), longOption], 'option 2 of 9 bytes, expected at most 4'],
    ['a tsresol of two bytes', [SHB(), IDB('u16', 9, 'u16', 2, 'u32', 0)], 'option 9 of 2 bytes, expected 1'],
    [
      'a section longer than the file',
      [SHB(24n), IDB()],
      'section cut off: 20 bytes, expected 24 at byte 48',
    ],
    ['a section length between words', [SHB(6n), IDB()], 'section length 6, expected -1 or a multiple of 4'],
    ['a negative section length', [SHB(-4n), IDB()], 'section length -4, expected -1 or a multiple of 4'],
    ["a block across its section's end", [SHB(16n), IDB()], 'expected the section to end at 44 at byte 28'],
    ['a block behind its section', [SHB(20n), IDB(), IDB()], 'expected a section header at byte 48'],
    ['a section inside a section', [SHB(48n), SHB(), IDB()], 'expected it at byte 76, found it at byte 28'],
    [
      'a short section header',
      [{ type: 0x0a0d0d0a, body: ['u32', 0x1a2b3c4d] }],
      'section header with 4 bytes, expected at least 16',
    ],
    [
      'a short interface description',
      [SHB(), { type: 1, body: ['u32', 0] }],
      'interface description with 4 bytes',
    ],
    ['a short packet block', [SHB(), IDB(), { type: 6, body: ['u32', 0] }], 'packet block with 4 bytes'],
    [
      'a name record without a name',
      [SHB(), { type: 4, body: ['u16', 1, 'u16', 4, 'u32', 7] }],
      'name record of 4 bytes, expected an address of 4 and a name',
    ],
  ];
  it.each(refusals)('refuse %s', (_, blocks, message) => {
    const bytes = encodeBlocks(order, blocks);
    expect(() => readPcapng(bytes)).toThrow(message);
  });

  it('refuse lengths that contradict each other', () => {
    const bytes = encodeBlocks(order, [SHB()]);
    const last = order === 'little' ? bytes.length - 4 : bytes.length - 1;
    bytes[last] = 32;
    expect(() => readPcapng(bytes)).toThrow(
      'block length 32 at its end, expected 28 as at its beginning at byte 24',
    );
  });
});

describe('the writer of pcapng', () => {
  const section: PcapngSection = {
    comments: [],
    interfaces: [{ linkType: 101, snapLength: 0 }],
    names: [],
    packets: [],
  };
  const write = (packet: Partial<PcapngPacket>) =>
    writePcapng({
      sections: [
        { ...section, packets: [{ interface: 0, data: Uint8Array.of(1), comments: [], ...packet }] },
      ],
    });
  const refusals: readonly [string, Partial<PcapngPacket>][] = [
    ['an interface that is not there', { interface: 1, time: { seconds: 0, nanoseconds: 0 } }],
    ['a time before the epoch', { time: { seconds: -1, nanoseconds: 0 } }],
    ['a time after 2554', { time: { seconds: 18_446_744_074, nanoseconds: 0 } }],
    ['a comment without a time', { comments: ['x'] }],
    ['a direction without a time', { direction: 'inbound' }],
    ['a packet without a time cut anywhere', { originalLength: 9 }],
  ];
  it.each(refusals)('refuses %s', (_, packet) => {
    expect(() => write(packet)).toThrow(RangeError);
  });

  it('cuts a comment that is too long between two characters', () => {
    const bytes = write({ time: { seconds: 0, nanoseconds: 0 }, comments: ['é'.repeat(40_000)] });
    expect(readPcapng(bytes).sections[0]?.packets[0]?.comments).toEqual(['é'.repeat(32_767)]);
  });
});

describe('capture files of either format', () => {
  const data = Uint8Array.of(0x45, 0, 0);
  const time = { seconds: 3, nanoseconds: 5000 };
  it('pcap', () => {
    const bytes = writePcap({ linkType: LINKTYPE.raw, resolution: 'micro', records: [{ ...time, data }] });
    expect(readCaptureFile(bytes)).toEqual([{ number: 1, linkType: 101, time, data, comments: [] }]);
  });
  it('pcapng: packets of all sections are numbered through', () => {
    const section: PcapngSection = {
      comments: [],
      names: [],
      interfaces: [{ linkType: 1, snapLength: 0, name: 'eth0' }],
      packets: [{ interface: 0, time, data, comments: ['why'] }],
    };
    expect(readCaptureFile(writePcapng({ sections: [section, section] }))).toEqual(
      [1, 2].map((number) => ({ number, linkType: 1, ifname: 'eth0', time, data, comments: ['why'] })),
    );
  });
  it.each([
    ['nothing', new Uint8Array(0), 'no capture file: found 0 bytes'],
    ['text', new TextEncoder().encode('apiVersion: v1'), 'no capture file: found 61706956'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readCaptureFile(bytes)).toThrow(message);
  });
});
