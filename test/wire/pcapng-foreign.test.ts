/** pcapng files as other programs write them, block by block and in both byte orders. */
import { describe, expect, it } from 'vitest';
import { readPcapng } from '../../src/wire/pcapng-read.ts';
import { encodeBlocks, type ForeignBlock, type ForeignOrder } from './foreign-pcapng.ts';

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
