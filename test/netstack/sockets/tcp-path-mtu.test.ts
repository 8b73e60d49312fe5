/** A path that takes less than the device: segments are cut up again, or vanish when nobody says so. */
import { describe, expect, it } from 'vitest';
import { ipLength } from '../../../src/wire/headers.ts';
import type { Packet } from '../../../src/wire/packet.ts';
import { bytesOf, joined, Pair, type PairOptions } from './pair.ts';

const PATH_MTU = 1400;

function tooBig(packet: Packet, from: Packet['src']): Packet {
  const v4 = typeof packet.src === 'number';
  const { extensions: _, ...plain } = packet;
  return {
    ...plain,
    src: from,
    dst: packet.src,
    dontFragment: false,
    transport: {
      kind: 'icmp',
      type: v4 ? 3 : 2,
      code: v4 ? 4 : 0,
      id: 0,
      sequence: PATH_MTU,
      data: new Uint8Array(0),
      quoted: packet,
    },
  };
}

/** a sends `body` to b over a path whose router drops what is too long, and says so if `tells`. */
function send(options: PairOptions, { body, tells }: { readonly body: Uint8Array; readonly tells: boolean }) {
  const pair = new Pair(options);
  let lost = 0;
  pair.fate = (packet, by) => {
    if (ipLength(packet) <= PATH_MTU) return [0.005];
    lost++;
    if (tells && by === 'a') {
      pair.scheduler.after(0.001, () => {
        // The namespace hears of it first, and remembers.
        pair.pathMtu.set('a', PATH_MTU);
        pair.deliver('a', tooBig(packet, pair.addressB));
      });
    }
    return [];
  };
  const got: Uint8Array[] = [];
  const endings: string[] = [];
  pair.b.listen({
    port: 80,
    onConnection: (connection) => {
      connection.callbacks = { onData: (data) => got.push(data), onEnd: () => connection.close() };
    },
  });
  pair.a.connect({
    dst: pair.addressB,
    port: 80,
    onConnect: (connection) => {
      connection.send(body);
      connection.close();
    },
    onClose: (error) => endings.push(error ?? 'ok'),
  });
  pair.scheduler.runUntilIdle({ until: 2000 });
  return { got: joined(got), endings, lost, seconds: pair.scheduler.now() };
}

const FAMILIES: readonly (readonly [string, PairOptions])[] = [
  ['IPv4', {}],
  ['IPv6', { addresses: ['fd00::1', 'fd00::2'] }],
  ['IPv4 without SACK', { sysctls: { 'net.ipv4.tcp_sack': '0' } }],
];

describe('a smaller path', () => {
  it.each(FAMILIES)('costs one round trip when a router says so (%s)', (_, options) => {
    const body = bytesOf(200_000, 5);
    const { got, endings, lost, seconds } = send(options, { body, tells: true });
    expect(Buffer.compare(got, body)).toBe(0);
    expect(endings).toEqual(['ok']);
    // The first window of ten, and no more.
    expect(lost).toBe(10);
    expect(seconds).toBeLessThan(1);
  });

  it('lets the handshake and small segments through and swallows the rest when nobody says so', () => {
    const small = send({}, { body: bytesOf(500, 5), tells: false });
    expect(small.endings).toEqual(['ok']);
    const large = send({}, { body: bytesOf(5000, 5), tells: false });
    // The end of the body is short enough to arrive, and waits for what comes before it.
    expect(large.got.length).toBe(0);
    expect(large.endings).toEqual(['ETIMEDOUT']);
    expect(large.lost).toBeGreaterThan(8);
  });

  it('is not believed about what is not in flight', () => {
    const pair = new Pair();
    pair.b.listen({ port: 80, onConnection: () => {} });
    const connection = pair.a.connect({ dst: pair.addressB, port: 80 });
    pair.scheduler.runUntil(1);
    connection.pathShrank(600, (connection.block.sndNxt + 1000) >>> 0);
    expect(connection.block.mss).toBe(1448);
    connection.pathShrank(600, connection.block.sndUna);
    expect(connection.block.mss).toBe(548);
  });
});
