/** Random packets of the kinds whose text is the same in every tcpdump: no ports with payloads it would decode. */
import fc from 'fast-check';
import type { Frame } from '../../src/wire/frame.ts';
import { type IpAddress, type IpFamily, parseIpAddress } from '../../src/wire/ip-address.ts';
import { NO_BYTES, type Packet, type Transport } from '../../src/wire/packet.ts';

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
/** Ports that tcpdump knows no payload of. */
const port = fc.constantFrom(40_000, 40_001, 40_002, 5432, 9090);
const hosts: Readonly<Record<IpFamily, readonly IpAddress[]>> = {
  ipv4: ['10.0.0.1', '10.0.0.2', '10.96.0.10', '192.168.255.254'].map(parseIpAddress),
  ipv6: ['fd00::1', 'fd00::2', 'fd00:10:96::a', '2001:db8:1:2:3:4:5:6'].map(parseIpAddress),
};
const data = fc.uint8Array({ maxLength: 40 });

const option = fc.oneof(
  fc.constant([1]),
  u16.map((mss) => [2, 4, mss >> 8, mss & 255]),
  fc.nat({ max: 14 }).map((scale) => [3, 3, scale]),
  fc.constant([4, 2]),
  fc.array(u32, { minLength: 2, maxLength: 4 }).map((edges) => {
    const used = edges.slice(0, edges.length - (edges.length % 2));
    return [
      5,
      2 + used.length * 4,
      ...used.flatMap((edge) => [edge >>> 24, (edge >> 16) & 255, (edge >> 8) & 255, edge & 255]),
    ];
  }),
  fc
    .tuple(u32, u32)
    .map((times) => [
      8,
      10,
      ...times.flatMap((time) => [time >>> 24, (time >> 16) & 255, (time >> 8) & 255, time & 255]),
    ]),
);
const options = fc.array(option, { maxLength: 3 }).map((list) => {
  const bytes = list.flat().slice(0, 40);
  while (bytes.length % 4 !== 0) bytes.push(1);
  return Uint8Array.from(list.flat().length > 36 ? [] : bytes);
});

export const arbitraryTcp: fc.Arbitrary<Transport> = fc.record({
  kind: fc.constant('tcp' as const),
  sport: port,
  dport: port,
  seq: u32,
  ack: u32,
  // The urgent pointer is not kept.
  flags: fc.nat({ max: 255 }).map((flags) => flags & ~0x20),
  window: u16,
  options,
  data,
});
export const arbitraryUdp: fc.Arbitrary<Transport> = fc.record({
  kind: fc.constant('udp' as const),
  sport: port,
  dport: port,
  data,
});

function icmp(family: IpFamily, quoted: fc.Arbitrary<Packet>): fc.Arbitrary<Transport> {
  const base = { kind: fc.constant('icmp' as const), id: u16, sequence: u16 };
  const v4 = family === 'ipv4';
  const echo = fc.record({
    ...base,
    type: fc.constantFrom(...(v4 ? [0, 8] : [128, 129])),
    code: fc.constant(0),
    data,
  });
  const kinds: readonly (readonly [number, number])[] = v4
    ? [
        [3, 0],
        [3, 1],
        [3, 2],
        [3, 3],
        [3, 4],
        [3, 5],
        [3, 6],
        [3, 7],
        [3, 9],
        [3, 10],
        [3, 13],
        [11, 0],
        [11, 1],
        [5, 0],
        [5, 1],
      ]
    : [
        [1, 0],
        [1, 1],
        [1, 2],
        [1, 3],
        [1, 4],
        [2, 0],
        [3, 0],
        [3, 1],
      ];
  const error = fc
    .record({
      ...base,
      kind: fc.constant('icmp' as const),
      about: fc.constantFrom(...kinds),
      quoted,
      data: fc.constant(NO_BYTES),
    })
    .map(({ about: [type, code], ...rest }) => ({ ...rest, type, code }));
  return fc.oneof(echo, error);
}

/** A packet of `family` between a few hosts. */
export function packetOf(family: IpFamily, transport: fc.Arbitrary<Transport>): fc.Arbitrary<Packet> {
  const address = fc.constantFrom(...hosts[family]);
  return fc.record({
    src: address,
    dst: address,
    ttl: fc.constant(64),
    tos: fc.constant(0),
    id: fc.constant(family === 'ipv4' ? 7 : 0),
    dontFragment: fc.constant(family === 'ipv4'),
    transport,
  });
}

/** A packet of `family` of any kind that tcpdump prints here. */
export function arbitraryPacket(family: IpFamily): fc.Arbitrary<Packet> {
  const plain = packetOf(family, fc.oneof(arbitraryTcp, arbitraryUdp));
  return fc.oneof({ weight: 4, arbitrary: plain }, packetOf(family, icmp(family, plain)));
}

export const arbitraryMac = fc.constantFrom(0x02000000000a, 0x02000000000b, 0xffffffffffff);
export const arbitraryArp: fc.Arbitrary<Frame> = fc
  .record({
    operation: fc.constantFrom(1, 2),
    senderMac: arbitraryMac,
    senderIp: fc.constantFrom(0x0a000001, 0x0a000002),
    targetMac: fc.constantFrom(0, 0x02000000000b),
    targetIp: fc.constantFrom(0x0a000003, 0x0a000002),
  })
  .map((message) => ({
    source: message.senderMac,
    destination: 0xffffffffffff,
    payload: { kind: 'arp', message },
  }));
