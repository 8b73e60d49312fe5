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
import { parseIpAddress } from '../../src/wire/ip-address.ts';
import { NO_BYTES, type Packet, type Transport } from '../../src/wire/packet.ts';
import { LINKTYPE, writePcap } from '../../src/wire/pcap.ts';
import { writeDnsMessage } from './dns-messages.ts';
import {
  arbitraryArp,
  arbitraryMac,
  arbitraryPacket,
  arbitraryTcp,
  arbitraryUdp,
  packetOf,
} from './printable-packets.ts';

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
        source: arbitraryMac,
        destination: arbitraryMac,
        packet: fc.oneof(arbitraryPacket('ipv4'), arbitraryPacket('ipv6')),
      })
      .map(({ packet, ...rest }): Frame => ({ ...rest, payload: { kind: 'ip', packet } }));
    const frames = random(fc.oneof(ip, arbitraryArp), 600).map(emitFrame);
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
    const [inner] = random(packetOf('ipv4', arbitraryTcp), 1);
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
    const [whole] = random(packetOf('ipv4', arbitraryUdp), 1);
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
    const [whole] = random(packetOf('ipv6', arbitraryUdp), 1);
    if (whole === undefined) throw new Error('nothing was drawn');
    const transport = { kind: 'opaque', protocol: 17, data: new Uint8Array(24) } as const;
    const later: Packet = { ...whole, id: 9, fragment: { offset: 1448, more: false }, transport };
    const first: Packet = { ...whole, id: 9, fragment: { offset: 0, more: true } };
    compare([first, later].map(emitPacket), LINKTYPE.raw, false);
  });

  it('protocols that nobody knows', () => {
    const [packet] = random(packetOf('ipv4', arbitraryUdp), 1);
    if (packet === undefined) throw new Error('nothing was drawn');
    const unknown: Packet = {
      ...packet,
      transport: { kind: 'opaque', protocol: 253, data: new Uint8Array(24) },
    };
    compare([unknown].map(emitPacket), LINKTYPE.raw, false);
  });
});
