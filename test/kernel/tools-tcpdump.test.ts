/** Lines of tcpdump against the real one's: random packets in a capture file, printed by both. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PacketPrinter } from '../../src/cluster/tools/tcpdump/packet-text.ts';
import { emitFrame, type Frame, parseFrame } from '../../src/wire/frame.ts';
import { emitPacket, parsePacket } from '../../src/wire/headers.ts';
import { type IpAddress, type IpFamily, parseIpAddress } from '../../src/wire/ip-address.ts';
import { NO_BYTES, type Packet, type Transport } from '../../src/wire/packet.ts';
import { LINKTYPE, writePcap } from '../../src/wire/pcap.ts';
import { writeDnsMessage } from './dns-messages.ts';

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kubewire-tcpdump-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The lines of the real tcpdump for frames. */
function real(frames: readonly Uint8Array[], linkType: number, ...flags: string[]): string[] {
  const path = join(directory, 'frames.pcap');
  const records = frames.map((data, index) => ({ seconds: index, nanoseconds: 0, data }));
  writeFileSync(path, writePcap({ linkType, resolution: 'micro', records }));
  const { stdout } = spawnSync('tcpdump', ['-nt', ...flags, '-r', path], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return stdout.trimEnd().split('\n');
}

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

const tcp: fc.Arbitrary<Transport> = fc.record({
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
const udp: fc.Arbitrary<Transport> = fc.record({
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

function packetOf(family: IpFamily, transport: fc.Arbitrary<Transport>): fc.Arbitrary<Packet> {
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

function arbitraryPacket(family: IpFamily): fc.Arbitrary<Packet> {
  const plain = packetOf(family, fc.oneof(tcp, udp));
  return fc.oneof({ weight: 4, arbitrary: plain }, packetOf(family, icmp(family, plain)));
}

const mac = fc.constantFrom(0x02000000000a, 0x02000000000b, 0xffffffffffff);
const arp: fc.Arbitrary<Frame> = fc
  .record({
    operation: fc.constantFrom(1, 2),
    senderMac: mac,
    senderIp: fc.constantFrom(0x0a000001, 0x0a000002),
    targetMac: fc.constantFrom(0, 0x02000000000b),
    targetIp: fc.constantFrom(0x0a000003, 0x0a000002),
  })
  .map((message) => ({
    source: message.senderMac,
    destination: 0xffffffffffff,
    payload: { kind: 'arp', message },
  }));

function ndp(type: number, ...options: number[]): Packet {
  const target = [0xfd, 0, ...new Array<number>(13).fill(0), 9];
  return {
    src: parseIpAddress('fe80::1'),
    dst: parseIpAddress('ff02::1:ff00:9'),
    ttl: 255,
    tos: 0,
    id: 0,
    dontFragment: false,
    transport: {
      kind: 'icmp',
      type,
      code: 0,
      id: 0x6000,
      sequence: 0,
      data: Uint8Array.from([...target, ...options]),
    },
  };
}

/** Compares line by line, with a fresh printer, so that relative numbers are tested too. */
function compare(frames: readonly Uint8Array[], linkType: number, link: boolean): void {
  const printer = new PacketPrinter();
  const ours = frames.map((bytes) => {
    const captured =
      linkType === LINKTYPE.raw
        ? ({ kind: 'packet', packet: parsePacket(bytes) } as const)
        : ({ kind: 'frame', frame: parseFrame(bytes) } as const);
    return printer.line(captured, { link });
  });
  expect(ours.flatMap((line) => line.split('\n'))).toEqual(real(frames, linkType, ...(link ? ['-e'] : [])));
}

function random<T>(arbitrary: fc.Arbitrary<T>, count: number): readonly T[] {
  const seed = Number(process.env.KUBEWIRE_SEED ?? Math.floor(Math.random() * 0x7fffffff));
  console.info(`seed ${seed}`);
  return fc.sample(arbitrary, { seed, numRuns: count });
}

describe('tcpdump prints what the real one prints', () => {
  it.each(['ipv4', 'ipv6'] as const)('random %s packets', (family) => {
    compare(random(arbitraryPacket(family), 1500).map(emitPacket), LINKTYPE.raw, false);
  });

  it('random frames, with their link header', () => {
    const ip = fc
      .record({
        source: mac,
        destination: mac,
        packet: fc.oneof(arbitraryPacket('ipv4'), arbitraryPacket('ipv6')),
      })
      .map(({ packet, ...rest }): Frame => ({ ...rest, payload: { kind: 'ip', packet } }));
    const frames = random(fc.oneof(ip, arp), 600).map(emitFrame);
    compare(frames, LINKTYPE.ethernet, true);
    compare(frames, LINKTYPE.ethernet, false);
  });

  it('neighbour discovery', () => {
    const lladdr = [1, 1, 2, 0, 0, 0, 0, 10];
    compare(
      [ndp(135, ...lladdr), ndp(135), ndp(136, 2, ...lladdr.slice(1))].map(emitPacket),
      LINKTYPE.raw,
      false,
    );
  });

  it('a TCP dialogue with HTTP', () => {
    const text = (value: string) => new TextEncoder().encode(value);
    const say = (fromClient: boolean, flags: number, seq: number, ack: number, body = NO_BYTES): Packet => ({
      src: parseIpAddress(fromClient ? '10.244.1.5' : '10.244.2.6'),
      dst: parseIpAddress(fromClient ? '10.244.2.6' : '10.244.1.5'),
      ttl: 64,
      tos: 0,
      id: 1,
      dontFragment: true,
      transport: {
        kind: 'tcp',
        sport: fromClient ? 40_000 : 8080,
        dport: fromClient ? 8080 : 40_000,
        seq,
        ack,
        flags,
        window: 502,
        options: NO_BYTES,
        data: body,
      },
    });
    const request = text('GET /hello HTTP/1.1\r\nHost: web\r\n\r\n');
    const answer = text('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nweb-0\n');
    const rest = text('no head here\n');
    compare(
      [
        say(true, 2, 1000, 0),
        say(false, 0x12, 9000, 1001),
        say(true, 0x10, 1001, 9001),
        say(true, 0x18, 1001, 9001, request),
        say(false, 0x18, 9001, 1001 + request.length, answer),
        say(false, 0x18, 9001 + answer.length, 1001 + request.length, rest),
        say(true, 0x11, 1001 + request.length, 9001 + answer.length + rest.length),
        say(false, 0x14, 9001 + answer.length, 0),
      ].map(emitPacket),
      LINKTYPE.raw,
      false,
    );
  });

  it('DNS messages', () => {
    const datagram = (payload: Uint8Array, asks: boolean): Packet => ({
      src: parseIpAddress(asks ? '10.244.1.5' : '10.96.0.10'),
      dst: parseIpAddress(asks ? '10.96.0.10' : '10.244.1.5'),
      ttl: 64,
      tos: 0,
      id: 1,
      dontFragment: false,
      transport: { kind: 'udp', sport: asks ? 33_333 : 53, dport: asks ? 53 : 33_333, data: payload },
    });
    const packets = writeDnsMessage().map(({ asks, bytes }) => datagram(bytes, asks));
    compare(packets.map(emitPacket), LINKTYPE.raw, false);
  });

  it('packets in tunnels', () => {
    const [inner] = random(packetOf('ipv4', tcp), 1);
    if (inner === undefined) throw new Error('nothing was drawn');
    const outer = (transport: Transport): Packet => ({ ...inner, transport });
    const frame = emitFrame({
      source: 0x02000000000a,
      destination: 0x02000000000b,
      payload: { kind: 'ip', packet: inner },
    });
    const vxlan = (dport: number) =>
      outer({ kind: 'udp', sport: 50_000, dport, data: Uint8Array.from([8, 0, 0, 0, 0, 0, 1, 0, ...frame]) });
    const ipip = outer({ kind: 'opaque', protocol: 4, data: emitPacket(inner) });
    compare([vxlan(8472), vxlan(4789), ipip].map(emitPacket), LINKTYPE.raw, false);
  });

  it('fragments', () => {
    const [whole] = random(packetOf('ipv4', udp), 1);
    if (whole === undefined) throw new Error('nothing was drawn');
    const later = (protocol: number): Packet => ({
      ...whole,
      fragment: { offset: 1480, more: false },
      transport: { kind: 'opaque', protocol, data: new Uint8Array(24) },
    });
    const first: Packet = { ...whole, fragment: { offset: 0, more: true } };
    compare([first, later(17), later(6), later(1)].map(emitPacket), LINKTYPE.raw, false);
  });

  it('fragments of IPv6', () => {
    const [whole] = random(packetOf('ipv6', udp), 1);
    if (whole === undefined) throw new Error('nothing was drawn');
    const transport = { kind: 'opaque', protocol: 17, data: new Uint8Array(24) } as const;
    const later: Packet = { ...whole, id: 9, fragment: { offset: 1448, more: false }, transport };
    const first: Packet = { ...whole, id: 9, fragment: { offset: 0, more: true } };
    compare([first, later].map(emitPacket), LINKTYPE.raw, false);
  });

  it('protocols that nobody knows', () => {
    const [packet] = random(packetOf('ipv4', udp), 1);
    if (packet === undefined) throw new Error('nothing was drawn');
    const unknown: Packet = {
      ...packet,
      transport: { kind: 'opaque', protocol: 253, data: new Uint8Array(24) },
    };
    compare([unknown].map(emitPacket), LINKTYPE.raw, false);
  });
});
