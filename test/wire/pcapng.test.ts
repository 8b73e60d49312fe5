import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCaptureFile } from '../../src/wire/capture-file.ts';
import { LINKTYPE, writePcap } from '../../src/wire/pcap.ts';
import type { PcapngFile, PcapngPacket, PcapngSection } from '../../src/wire/pcapng.ts';
import { readPcapng } from '../../src/wire/pcapng-read.ts';
import { writePcapng } from '../../src/wire/pcapng-write.ts';
import { WireError } from '../../src/wire/wire-error.ts';
import { arbitraryIpv6 } from './arbitrary-packet.ts';
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
