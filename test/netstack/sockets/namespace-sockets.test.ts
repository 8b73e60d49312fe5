/** Sockets in namespaces: through neighbours, rules and wires, and to themselves. */
import { describe, expect, it } from 'vitest';
import type { Namespace } from '../../../src/netstack/namespace.ts';
import type { SocketErrorCode } from '../../../src/netstack/sockets/socket-error.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import { ADDRESS, neighbours } from './namespaces.ts';
import { bytesOf, joined } from './pair.ts';

/** `client` fetches `body` from `server`; how it ended, and when. */
function fetchBody(
  client: Namespace,
  server: Namespace,
  { dst, body }: { readonly dst: ReturnType<typeof parseIpAddress>; readonly body: Uint8Array },
) {
  const got: Uint8Array[] = [];
  const endings: string[] = [];
  server.sockets.listen({
    port: 80,
    onConnection: (connection) => {
      connection.callbacks = {
        onData: () => {
          connection.send(body);
          connection.close();
        },
      };
    },
  });
  client.sockets.connect({
    dst,
    port: 80,
    onConnect: (connection) => void connection.send(new Uint8Array(3)),
    onData: (data) => got.push(data),
    onEnd: (connection) => connection.close(),
    onClose: (error) => endings.push(error ?? 'ok'),
  });
  client.scheduler.runUntilIdle({ until: 1000 });
  return { endings, same: Buffer.compare(joined(got), body) === 0, seconds: client.scheduler.now() };
}

describe('a connection', () => {
  it.each([1, 2, 3, 4])('carries a megabyte over a lossy link (seed %i)', (seed) => {
    const { a, b } = neighbours(seed, { loss: 0.05, latency: 0.002 });
    const result = fetchBody(a, b, { dst: ADDRESS.b.ipv4, body: bytesOf(1_000_000, seed) });
    expect(result).toMatchObject({ endings: ['ok'], same: true });
    expect(result.seconds).toBeLessThan(30);
  });

  it('goes over IPv6, and through a link that repeats and reorders', () => {
    const { a, b } = neighbours(3, {
      latency: 0.01,
      jitter: 0.005,
      reorder: 0.1,
      duplicate: 0.1,
      loss: 0.02,
    });
    const result = fetchBody(a, b, { dst: ADDRESS.b.ipv6, body: bytesOf(200_000, 1) });
    expect(result).toMatchObject({ endings: ['ok'], same: true });
  });

  it.each([
    ['its own address', ADDRESS.a.ipv4],
    ['localhost', parseIpAddress('127.0.0.1')],
    ['::1', parseIpAddress('::1')],
  ])('reaches the host itself at %s', (_, dst) => {
    const { a } = neighbours(1);
    expect(fetchBody(a, a, { dst, body: bytesOf(300_000, 1) })).toMatchObject({
      endings: ['ok'],
      same: true,
    });
  });

  it('fills a slow link no further than its queue', () => {
    const { a, b } = neighbours(1, { bandwidth: 1_000_000, queue: 20, latency: 0.01 });
    const result = fetchBody(a, b, { dst: ADDRESS.b.ipv4, body: bytesOf(250_000, 1) });
    expect(result).toMatchObject({ endings: ['ok'], same: true });
    // Two megabits at one a second.
    expect(result.seconds).toBeGreaterThan(2);
    expect(result.seconds).toBeLessThan(5);
  });
});

describe('a host that is not there', () => {
  it('is unreachable after three ARP requests', () => {
    const { a, scheduler } = neighbours(1);
    const endings: (SocketErrorCode | undefined)[] = [];
    a.sockets.connect({
      dst: parseIpAddress('10.0.0.77'),
      port: 80,
      onClose: (error) => endings.push(error),
    });
    scheduler.runUntilIdle();
    expect(endings).toEqual(['EHOSTUNREACH']);
    expect(scheduler.now()).toBeGreaterThan(2.9);
    expect(scheduler.now()).toBeLessThan(4);
  });

  it('has no route', () => {
    const { a } = neighbours(1);
    const connect = () => a.sockets.connect({ dst: parseIpAddress('192.0.2.1'), port: 80 });
    expect(connect).toThrow('Network is unreachable');
    expect(a.sockets.udp().send(new Uint8Array(1), { address: parseIpAddress('192.0.2.1'), port: 9 })).toBe(
      'ENETUNREACH',
    );
  });
});

describe('programs that start late', () => {
  it('start with the first packet that is delivered, and once', () => {
    const { a, b, scheduler } = neighbours(1);
    let starts = 0;
    b.whenSocketsOpen((sockets) => {
      starts++;
      sockets.udp({
        port: 7,
        onMessage: ({ data, from, to }, socket) => void socket.send(data, from, { from: to }),
      });
    });
    const heard: number[] = [];
    const socket = a.sockets.udp({ onMessage: ({ data }) => heard.push(data.length) });
    expect(starts).toBe(0);
    for (const length of [1, 2]) socket.send(new Uint8Array(length), { address: ADDRESS.b.ipv4, port: 7 });
    scheduler.runUntilIdle();
    expect(starts).toBe(1);
    expect(heard).toEqual([1, 2]);
  });
});
