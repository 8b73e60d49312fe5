/** Opening connections: what goes on the wire, when, and what the program hears. */
import { describe, expect, it } from 'vitest';
import type { SocketErrorCode } from '../../../src/netstack/sockets/socket-error.ts';
import { SocketError } from '../../../src/netstack/sockets/socket-error.ts';
import { parseTcpOptions } from '../../../src/netstack/sockets/tcp/options.ts';
import type { Packet, TcpSegment } from '../../../src/wire/packet.ts';
import { TCP_FLAG } from '../../../src/wire/protocol.ts';
import { line, Pair, type PairOptions } from './pair.ts';

function segmentAt(pair: Pair, index: number): TcpSegment {
  const transport = pair.sent[index]?.packet.transport;
  if (transport?.kind !== 'tcp') throw new Error(`packet ${index} is no segment`);
  return transport;
}

const isSyn = ({ transport }: Packet) => transport.kind === 'tcp' && (transport.flags & TCP_FLAG.SYN) !== 0;

/** How a connection from a to a port of b ends, and when. */
function ending(pair: Pair, port = 80) {
  const result: { error?: SocketErrorCode | undefined; at?: number; connected: boolean } = {
    connected: false,
  };
  pair.a.connect({
    dst: pair.addressB,
    port,
    onConnect: () => {
      result.connected = true;
    },
    onClose: (error) => {
      result.error = error;
      result.at = pair.scheduler.now();
    },
  });
  pair.scheduler.runUntilIdle();
  return result;
}

describe('the SYN', () => {
  // tcpdump of Linux 6.18 on an Ethernet device: win 64240, options [mss 1460,sackOK,TS val … ecr 0,nop,wscale 7]
  // (wscale 7 with tcp_rmem's usual 6 MiB); the answer: win 65160.
  const cases: readonly (readonly [string, PairOptions, number, number, number])[] = [
    ['Ethernet', {}, 1460, 64240, 65160],
    ['a VXLAN pod network', { mtu: 1450 }, 1410, 64860, 64308],
    ['IPv6', { addresses: ['fd00::1', 'fd00::2'] }, 1440, 64800, 64260],
  ];
  it.each(cases)('on %s has the options and windows of Linux', (_, options, mss, win, answerWin) => {
    const pair = new Pair(options);
    pair.b.listen({ port: 80, onConnection: () => {} });
    ending(pair);
    const syn = segmentAt(pair, 0);
    expect([...syn.options.slice(0, 6)]).toEqual([2, 4, mss >> 8, mss & 255, 4, 2]);
    expect([syn.options[6], syn.options[7], syn.options.length]).toEqual([8, 10, 20]);
    expect([...syn.options.slice(16)]).toEqual([1, 3, 3, 7]);
    expect(syn.window).toBe(win);
    expect(segmentAt(pair, 1).window).toBe(answerWin);
    // 64240 >> 7 is 501.9: Linux rounds up.
    expect(segmentAt(pair, 2).window).toBe(Math.ceil(win / 128));
    expect(parseTcpOptions(segmentAt(pair, 1).options)).toMatchObject({
      mss,
      windowScale: 7,
      sackPermitted: true,
    });
  });

  it('offers what the sysctls allow, and both must want it', () => {
    const pair = new Pair({
      sysctls: {
        'net.ipv4.tcp_timestamps': '0',
        'net.ipv4.tcp_sack': '0',
        'net.ipv4.tcp_window_scaling': '0',
      },
    });
    pair.b.listen({ port: 80, onConnection: () => {} });
    ending(pair);
    expect([...segmentAt(pair, 0).options]).toEqual([2, 4, 5, 180]);
    expect(segmentAt(pair, 2).options.length).toBe(0);
    expect(segmentAt(pair, 2).window).toBe(64240);
  });
});

/** The times at which packets that `which` knows were sent. */
const times = (pair: Pair, which: (packet: Packet) => boolean) =>
  pair.sent.filter(({ packet }) => which(packet)).map(({ at }) => at);

describe('a silent peer', () => {
  const cases: readonly (readonly [string, Readonly<Record<string, string>>, readonly number[], number])[] = [
    ['by default', {}, [0, 1, 3, 7, 15, 31, 63], 127],
    ['with two retries', { 'net.ipv4.tcp_syn_retries': '2' }, [0, 1, 3], 7],
    // Measured on Linux 6.18, which has 4: 0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67 s, and the end at 131 s.
    [
      'with linear timeouts first',
      { 'net.ipv4.tcp_syn_linear_timeouts': '4' },
      [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67],
      131,
    ],
  ];
  it.each(cases)('is asked again %s, then given up', (_, sysctls, expected, end) => {
    const pair = new Pair({ fate: () => [], sysctls });
    const result = ending(pair);
    expect(times(pair, isSyn)).toEqual(expected);
    expect(result).toEqual({ connected: false, error: 'ETIMEDOUT', at: end });
    expect([...pair.a.tcp.connections]).toEqual([]);
  });

  it('makes the server repeat its SYN-ACK five times and forget', () => {
    const pair = new Pair({
      fate: (_, by) => (by === 'a' ? [0] : []),
      sysctls: { 'net.ipv4.tcp_syn_retries': '0' },
    });
    pair.b.listen({ port: 80, onConnection: () => {} });
    ending(pair);
    expect(pair.sent.filter(({ by }) => by === 'b').map(({ at }) => at)).toEqual([0, 1, 3, 7, 15, 31]);
    expect(pair.scheduler.now()).toBe(63);
    expect([...pair.b.tcp.connections]).toEqual([]);
  });
});

describe('a refusal', () => {
  it('by reset is told at once', () => {
    const pair = new Pair();
    expect(ending(pair)).toMatchObject({ error: 'ECONNREFUSED', at: 0.002 });
    expect(pair.sent.map(line)).toEqual(['a S 0', 'b R. 0']);
  });

  const icmp: readonly (readonly [string, number, number, SocketErrorCode])[] = [
    ['net unreachable', 3, 0, 'ENETUNREACH'],
    ['host unreachable', 3, 1, 'EHOSTUNREACH'],
    ['protocol unreachable', 3, 2, 'ENOPROTOOPT'],
    ['port unreachable', 3, 3, 'ECONNREFUSED'],
    ['administratively prohibited', 3, 13, 'EHOSTUNREACH'],
    ['time exceeded', 11, 0, 'EHOSTUNREACH'],
  ];
  it.each(icmp)('by ICMP %s ends the attempt', (_, type, code, error) => {
    const pair = new Pair({ fate: () => [] });
    pair.fate = (packet, by) => {
      if (by === 'a') {
        const transport = {
          kind: 'icmp',
          type,
          code,
          id: 0,
          sequence: 0,
          data: new Uint8Array(0),
          quoted: packet,
        } as const;
        const answer: Packet = { ...packet, src: packet.dst, dst: packet.src, transport };
        pair.scheduler.after(0.5, () => pair.put('b', answer));
        return [];
      }
      return [0];
    };
    expect(ending(pair)).toEqual({ connected: false, error, at: 0.5 });
  });

  it('for want of a route is thrown', () => {
    const pair = new Pair();
    pair.a.network.path = () => 'ENETUNREACH';
    const attempt = () => pair.a.connect({ dst: pair.addressB, port: 80 });
    expect(attempt).toThrow(SocketError);
    expect(attempt).toThrow('connect to 10.0.0.2:80: Network is unreachable');
  });
});

describe('both sides at once', () => {
  it('make one connection', () => {
    const pair = new Pair({ fate: () => [0.01] });
    const states: string[] = [];
    const onConnect = () => states.push('connected');
    const a = pair.a.connect({ dst: pair.addressB, port: 2000, sport: 1000, onConnect });
    const b = pair.b.connect({ dst: pair.addressA, port: 1000, sport: 2000, onConnect });
    pair.scheduler.runUntilIdle();
    expect([a.state, b.state, ...states]).toEqual(['ESTABLISHED', 'ESTABLISHED', 'connected', 'connected']);
    expect(pair.sent.slice(0, 4).map(line)).toEqual(['a S 0', 'b S 0', 'b S. 0', 'a S. 0']);
  });
});

describe('a listener that does not accept', () => {
  it('fills its queue, then drops SYNs until there is room', () => {
    const pair = new Pair();
    const accepted: number[] = [];
    const listener = pair.b.listen({
      port: 80,
      backlog: 1,
      onConnection: (connection) => accepted.push(connection.remote.port),
    });
    listener.pause();
    const connections = [1001, 1002, 1003].map((sport) =>
      pair.a.connect({ dst: pair.addressB, port: 80, sport }),
    );
    pair.scheduler.runUntil(0.5);
    // A backlog of one lets two wait (sk_acceptq_is_full asks for more than).
    expect(connections.map(({ state }) => state)).toEqual(['ESTABLISHED', 'ESTABLISHED', 'ESTABLISHED']);
    expect(listener.waiting).toBe(2);
    listener.resume();
    pair.scheduler.runUntil(5);
    expect(accepted).toEqual([1001, 1002, 1003]);
  });

  it('keeps what clients send meanwhile', () => {
    const pair = new Pair();
    const heard: string[] = [];
    const listener = pair.b.listen({
      port: 80,
      onConnection: (connection) => {
        connection.callbacks = { onData: (data) => heard.push(new TextDecoder().decode(data)) };
      },
    });
    listener.pause();
    pair.a.connect({
      dst: pair.addressB,
      port: 80,
      onConnect: (made) => void made.send(new Uint8Array([104, 105])),
    });
    pair.scheduler.runUntil(1);
    expect(heard).toEqual([]);
    listener.resume();
    expect(heard).toEqual(['hi']);
  });
});

describe('a half-open connection', () => {
  it('does not survive a wrong ACK: the sender is reset', () => {
    const pair = new Pair();
    pair.b.listen({ port: 80, onConnection: () => {} });
    pair.fate = (packet, by) => {
      const { transport } = packet;
      if (by === 'a' && transport.kind === 'tcp' && transport.flags === TCP_FLAG.ACK) {
        pair.deliver('b', { ...packet, transport: { ...transport, ack: transport.ack + 7 } });
        return [];
      }
      return [0.001];
    };
    pair.a.connect({ dst: pair.addressB, port: 80 });
    pair.scheduler.runUntil(0.1);
    expect(pair.sent.slice(0, 4).map(line)).toEqual(['a S 0', 'b S. 0', 'a . 0', 'b R 0']);
  });

  it('answers a repeated SYN with the same SYN-ACK', () => {
    let lost = 1;
    const pair = new Pair({ fate: (_, by) => (by === 'b' && lost-- > 0 ? [] : [0.001]) });
    pair.b.listen({ port: 80, onConnection: () => {} });
    const result = ending(pair);
    expect(result.connected).toBe(true);
    const answers = pair.sent.filter(({ by }) => by === 'b').map(({ packet }) => packet.transport);
    const numbers = answers.map((transport) => (transport.kind === 'tcp' ? transport.seq : -1));
    expect(new Set(numbers).size).toBe(1);
  });
});
