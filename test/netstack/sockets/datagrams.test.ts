/** UDP, ping and raw sockets: who gets what, and who hears of errors. */
import { describe, expect, it } from 'vitest';
import type { SocketErrorCode } from '../../../src/netstack/sockets/socket-error.ts';
import { parseIpAddress } from '../../../src/wire/ip-address.ts';
import type { Packet } from '../../../src/wire/packet.ts';
import { PROTOCOL } from '../../../src/wire/protocol.ts';
import { Pair } from './pair.ts';

const HELLO = new TextEncoder().encode('hello');

describe('a datagram', () => {
  it('arrives with both ends', () => {
    const pair = new Pair();
    const heard: unknown[] = [];
    pair.b.udp({ port: 53, onMessage: ({ data, from, to }) => heard.push([data.length, from.port, to]) });
    pair.a.udp({ port: 4000 }).send(HELLO, { address: pair.addressB, port: 53 });
    pair.scheduler.runUntilIdle();
    expect(heard).toEqual([[5, 4000, { address: pair.addressB, port: 53 }]]);
  });

  it('goes to the socket that asks for it most exactly', () => {
    const pair = new Pair();
    const heard: string[] = [];
    const open = (name: string, options: object) =>
      pair.b.udp({ reuseAddress: true, ...options, onMessage: () => heard.push(name) });
    open('any port', { port: 'any' });
    open('wildcard', { port: 53 });
    const specific = open('specific', { port: 53, address: pair.addressB });
    const connected = open('connected', { port: 53 });
    connected.connect({ address: pair.addressA, port: 4000 });
    const ask = (sport: number, port = 53) => {
      const socket = pair.a.udp({ port: sport });
      socket.send(HELLO, { address: pair.addressB, port });
      socket.close();
      pair.scheduler.runUntilIdle();
    };
    ask(4000);
    ask(4001);
    ask(4001, 54);
    specific.close();
    ask(4001);
    expect(heard).toEqual(['connected', 'specific', 'any port', 'wildcard']);
  });

  it('is cut up when it is long and refused when it is too long', () => {
    const pair = new Pair();
    const socket = pair.a.udp();
    const to = { address: pair.addressB, port: 9 };
    expect(socket.send(new Uint8Array(3000), to)).toBeUndefined();
    expect(pair.sent[0]?.packet.dontFragment).toBe(false);
    expect(socket.send(HELLO, to)).toBeUndefined();
    expect(pair.sent[1]?.packet.dontFragment).toBe(true);
    expect(socket.send(new Uint8Array(3000), to, { dontFragment: true })).toBe('EMSGSIZE');
    expect(socket.send(new Uint8Array(65_508), to)).toBe('EMSGSIZE');
  });
});

describe('an ICMP error about a datagram', () => {
  const cases: readonly (readonly [string, object, boolean, SocketErrorCode[]])[] = [
    ['is told to a connected socket', {}, true, ['ECONNREFUSED']],
    ['is not told to an unconnected one', {}, false, []],
    ['is told to an unconnected one that asks for errors', { receiveErrors: true }, false, ['ECONNREFUSED']],
  ];
  it.each(cases)('%s', (_, options, connects, expected) => {
    const pair = new Pair();
    const errors: SocketErrorCode[] = [];
    const socket = pair.a.udp({ ...options, onError: ({ code }) => errors.push(code) });
    const to = { address: pair.addressB, port: 9 };
    if (connects) socket.connect(to);
    socket.send(HELLO, to);
    pair.scheduler.runUntilIdle();
    expect(errors).toEqual(expected);
  });
});

describe('ports', () => {
  it('are taken once, unless both sockets share', () => {
    const { b, addressB } = new Pair();
    b.udp({ port: 53 });
    expect(() => b.udp({ port: 53 })).toThrow('Address already in use');
    expect(() => b.udp({ port: 53, address: addressB })).toThrow('Address already in use');
    expect(() => b.udp({ port: 54, address: parseIpAddress('192.0.2.1') })).toThrow(
      'Cannot assign requested address',
    );
    b.listen({ port: 80, onConnection: () => {} });
    expect(() => b.listen({ port: 80, onConnection: () => {} })).toThrow('Address already in use');
    b.udp({ port: 5353, reuseAddress: true });
    expect(b.udp({ port: 5353, reuseAddress: true }).port).toBe(5353);
  });

  it('are chosen from the range, each once, the same for one seed', () => {
    const sysctls = { 'net.ipv4.ip_local_port_range': '40000 40009' };
    const choose = (seed: number) => {
      const pair = new Pair({ seed, sysctls, fate: () => [] });
      const ports = Array.from(
        { length: 10 },
        () => pair.a.connect({ dst: pair.addressB, port: 80 }).local.port,
      );
      expect(() => pair.a.connect({ dst: pair.addressB, port: 80 })).toThrow(
        'Cannot assign requested address',
      );
      // Another destination may have them again.
      expect(pair.a.connect({ dst: pair.addressB, port: 81 }).local.port).toBeGreaterThanOrEqual(40_000);
      return ports;
    };
    const ports = choose(1);
    expect([...ports].sort()).toEqual([40000, 40001, 40002, 40003, 40004, 40005, 40006, 40007, 40008, 40009]);
    // Linux gives connect() the even half first.
    expect(ports.slice(0, 5).every((port) => port % 2 === 0)).toBe(true);
    expect(choose(1)).toEqual(ports);
    expect([2, 3, 4].some((seed) => choose(seed)[0] !== ports[0])).toBe(true);
  });
});

describe('ping', () => {
  it.each([
    ['ipv4', '10.0.0.1', '10.0.0.2'],
    ['ipv6', 'fd00::1', 'fd00::2'],
  ] as const)('hears the replies to its own requests (%s)', (family, a, b) => {
    const pair = new Pair({ addresses: [a, b] });
    const heard: string[] = [];
    const one = pair.a.ping({
      family,
      id: 7,
      onReply: ({ sequence, ttl, data }) => heard.push(`one ${sequence} ${ttl} ${data.length}`),
    });
    const two = pair.a.ping({ family, onReply: ({ sequence }) => heard.push(`two ${sequence}`) });
    one.send({ dst: pair.addressB, sequence: 1, data: HELLO });
    two.send({ dst: pair.addressB, sequence: 9, data: HELLO });
    pair.scheduler.runUntilIdle();
    expect(heard).toEqual(['one 1 64 5', 'two 9']);
    expect(() => pair.a.ping({ family, id: 7 })).toThrow('Address already in use');
  });

  it('hears of errors about them, with who says so', () => {
    const pair = new Pair();
    const router = parseIpAddress('10.0.0.254');
    const heard: unknown[] = [];
    const socket = pair.a.ping({
      family: 'ipv4',
      id: 7,
      onError: ({ code, from }) => heard.push([code, from]),
    });
    socket.send({ dst: pair.addressB, sequence: 1, data: HELLO, ttl: 1 });
    const [sent] = pair.sent;
    if (sent === undefined) throw new Error('nothing sent');
    expect(sent.packet.ttl).toBe(1);
    const message = {
      kind: 'icmp',
      type: 11,
      code: 0,
      id: 0,
      sequence: 0,
      data: HELLO,
      quoted: sent.packet,
    } as const;
    pair.deliver('a', { ...sent.packet, src: router, dst: pair.addressA, transport: message });
    expect(heard).toEqual([['EHOSTUNREACH', router]]);
  });
});

describe('a raw socket', () => {
  it('sees every packet of its protocol, and others answer as ever', () => {
    const pair = new Pair();
    const seen: Packet[] = [];
    const raw = pair.b.raw(PROTOCOL.icmp, (packet) => seen.push(packet));
    const heard: number[] = [];
    pair.a
      .ping({ family: 'ipv4', onReply: ({ sequence }) => heard.push(sequence) })
      .send({ dst: pair.addressB, sequence: 1, data: HELLO });
    pair.scheduler.runUntilIdle();
    expect(seen.length).toBe(1);
    expect(heard).toEqual([1]);
    raw.close();
    expect(pair.b.answer({ ...(seen[0] as Packet) })).toBeDefined();
    expect(seen.length).toBe(1);
  });
});
