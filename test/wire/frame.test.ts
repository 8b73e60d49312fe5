/** MAC addresses, frames, ARP and neighbour discovery: values and bytes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emitArp, parseArp } from '../../src/wire/arp.ts';
import { ETHERTYPE } from '../../src/wire/ethernet.ts';
import { emitFrame, type Frame, frameLength, parseFrame } from '../../src/wire/frame.ts';
import { emitPacket, parsePacket } from '../../src/wire/headers.ts';
import { formatIpAddress, ipv6, parseIpAddress } from '../../src/wire/ip-address.ts';
import {
  BROADCAST_MAC,
  formatMac,
  groupMac,
  isLinkLocalGroupMac,
  isMulticastMac,
  localMac,
  parseMac,
  tryParseMac,
} from '../../src/wire/mac.ts';
import { type NdpMessage, ndpPacket, parseNdp, solicitedNodeGroup } from '../../src/wire/ndp.ts';
import { arbitraryPacket } from './arbitrary-packet.ts';
import { checkProperty } from './property.ts';

const mac = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const word = fc.integer({ min: 0, max: 0xffffffff });

describe('a MAC address', () => {
  it('survives format and parse', () => {
    checkProperty(
      'MAC text',
      fc.property(mac, (value) => {
        expect(parseMac(formatMac(value))).toBe(value);
      }),
    );
  });
  it.each(['', '02:00:00:00:00', '02:00:00:00:00:001', '02-00-00-00-00-00', '02:00:00:00:00:0g'])(
    '%j is none',
    (text) => {
      expect(tryParseMac(text)).toBe(undefined);
      expect(() => parseMac(text)).toThrow('not a MAC address');
    },
  );
  it.each([
    ['ff:ff:ff:ff:ff:ff', true],
    ['01:00:5e:00:00:01', true],
    ['33:33:00:00:00:01', true],
    ['02:00:00:00:00:01', false],
    ['fe:ff:ff:ff:ff:ff', false],
  ])('%s is a group: %s', (text, group) => expect(isMulticastMac(parseMac(text))).toBe(group));
  it.each([
    ['224.0.0.1', '01:00:5e:00:00:01'],
    ['239.255.1.2', '01:00:5e:7f:01:02'],
    ['ff02::1:ff00:abcd', '33:33:ff:00:ab:cd'],
  ])('group %s has %s', (group, text) => expect(formatMac(groupMac(parseIpAddress(group)))).toBe(text));
  it('link-local groups are the sixteen of a bridge', () => {
    expect([0x0180c2000000, 0x0180c200000f, 0x0180c2000010, BROADCAST_MAC].map(isLinkLocalGroupMac)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
  it('made of random bits is local and no group', () => {
    const property = fc.property(fc.nat(0xffff), word, (high, low) => {
      const made = localMac(high, low);
      expect([isMulticastMac(made), Math.floor(made / 2 ** 41) & 1, made % 2 ** 32]).toEqual([false, 1, low]);
    });
    checkProperty('local MACs', property);
  });
});

const arp = fc.record({
  operation: fc.nat(0xffff),
  senderMac: mac,
  senderIp: word,
  targetMac: mac,
  targetIp: word,
});
const address = fc.tuple(word, word, word, word).map((words) => ipv6(...words));
/** Neighbour discovery is about hosts. */
const target = address.filter(({ w0 }) => w0 >>> 24 !== 0xff);

describe('ARP', () => {
  it('survives emit and parse', () => {
    checkProperty(
      'ARP',
      fc.property(arp, (message) => {
        expect(parseArp(emitArp(message))).toEqual(message);
      }),
    );
  });
  it.each([
    ['cut off', (bytes: Uint8Array) => bytes.subarray(0, 27)],
    ['about other hardware', (bytes: Uint8Array) => bytes.with(1, 6)],
    ['about other addresses', (bytes: Uint8Array) => bytes.with(5, 16)],
  ])('%s is not read', (_, damage) => {
    const bytes = emitArp({ operation: 1, senderMac: 1, senderIp: 2, targetMac: 0, targetIp: 3 });
    expect(parseArp(damage(bytes))).toBe(undefined);
  });
});

describe('neighbour discovery', () => {
  const message: fc.Arbitrary<NdpMessage> = fc.oneof(
    fc.record({ kind: fc.constant('solicitation' as const), target, sourceMac: mac }),
    fc.record({ kind: fc.constant('solicitation' as const), target }),
    fc.record({
      kind: fc.constant('advertisement' as const),
      target,
      targetMac: mac,
      router: fc.boolean(),
      solicited: fc.boolean(),
      override: fc.boolean(),
    }),
  );
  it('survives emit and parse, bytes and all', () => {
    const property = fc.property(address, address, message, (src, dst, value) => {
      const packet = ndpPacket(src, dst, value);
      expect(parseNdp(parsePacket(emitPacket(packet)))).toEqual(value);
      expect(parseNdp({ ...packet, ttl: 254 })).toBe(undefined);
      expect(parseNdp({ ...packet, corrupt: 'transport-checksum' })).toBe(undefined);
    });
    checkProperty('NDP', property);
  });
  it('with an option of length 0 is ignored', () => {
    const packet = ndpPacket(ipv6(1, 0, 0, 1), ipv6(1, 0, 0, 2), {
      kind: 'solicitation',
      target: ipv6(1, 0, 0, 2),
      sourceMac: 5,
    });
    if (packet.transport.kind !== 'icmp') expect.unreachable();
    else {
      const data = packet.transport.data.with(17, 0);
      expect(parseNdp({ ...packet, transport: { ...packet.transport, data } })).toBe(undefined);
    }
  });
  it('asks in the group of the last 24 bits', () => {
    const group = solicitedNodeGroup(ipv6(0x20010db8, 0, 0x12345678, 0x9abcdef0));
    expect(formatIpAddress(group)).toBe('ff02::1:ffbc:def0');
  });
});

describe('a frame', () => {
  const frame: fc.Arbitrary<Frame> = fc.record({
    source: mac,
    destination: mac,
    payload: fc.oneof(
      arp.map((message) => ({ kind: 'arp' as const, message })),
      fc
        .oneof(arbitraryPacket('ipv4'), arbitraryPacket('ipv6'))
        .map((packet) => ({ kind: 'ip' as const, packet })),
      fc.uint8Array({ maxLength: 40 }).map((data) => ({ kind: 'other' as const, etherType: 0x88cc, data })),
    ),
  });
  it('survives emit and parse, and knows its length', () => {
    const property = fc.property(frame, (value) => {
      const bytes = emitFrame(value);
      expect(bytes.length).toBe(frameLength(value));
      expect(parseFrame(bytes)).toEqual(value);
    });
    checkProperty('frames', property);
  });
  it('whose payload is not what its type says keeps its bytes', () => {
    const junk: Frame = {
      source: 1,
      destination: 2,
      payload: { kind: 'other', etherType: ETHERTYPE.ipv4, data: Uint8Array.of(9, 9) },
    };
    expect(parseFrame(emitFrame(junk))).toEqual(junk);
    expect(() => parseFrame(new Uint8Array(13))).toThrow('cut off');
  });
});
