/** What TCP does when nothing comes: timeouts, probes, delayed ACKs, small segments that wait. */
import { describe, expect, it } from 'vitest';
import type { SocketErrorCode } from '../../../src/netstack/sockets/socket-error.ts';
import type { TcpConnection } from '../../../src/netstack/sockets/tcp/connection.ts';
import { givenUpAfter, RoundTrip } from '../../../src/netstack/sockets/tcp/round-trip.ts';
import { line, Pair, type PairOptions } from './pair.ts';

interface Setup {
  readonly pair: Pair;
  readonly a: TcpConnection;
  readonly b: TcpConnection;
  readonly endings: string[];
}

const STARTED = 1;

/** An established connection at one second; what was sent before is forgotten. */
function established(options: PairOptions = {}): Setup {
  const pair = new Pair(options);
  const endings: string[] = [];
  const onClose = (who: string) => (error: SocketErrorCode | undefined) =>
    endings.push(`${who} ${error ?? 'ok'}`);
  let b: TcpConnection | undefined;
  pair.b.listen({
    port: 80,
    onConnection: (connection) => {
      b = connection;
      connection.callbacks = { onClose: onClose('b') };
    },
  });
  const a = pair.a.connect({ dst: pair.addressB, port: 80, onClose: onClose('a') });
  pair.scheduler.runUntil(STARTED);
  if (b === undefined) throw new Error('not connected');
  pair.sent.length = 0;
  return { pair, a, b, endings };
}

const bytes = (length: number) => new Uint8Array(length);
const sentBy = (pair: Pair, who: 'a' | 'b') => pair.sent.filter(({ by }) => by === who);
const timesOf = (pair: Pair, who: 'a' | 'b') =>
  sentBy(pair, who).map(({ at }) => Number((at - STARTED).toFixed(3)));

describe('a peer that vanishes', () => {
  it('is sent the segment again at doubling intervals, at most two minutes', () => {
    const { pair, a } = established();
    pair.fate = () => [];
    a.send(bytes(10));
    pair.scheduler.runUntil(STARTED + 500);
    const times = timesOf(pair, 'a');
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    // A round trip of 2 ms and the smallest variation, 200 ms.
    expect(gaps[0]).toBeCloseTo(0.202, 3);
    for (const [index, gap] of gaps.entries()) {
      expect(gap).toBeCloseTo(Math.min(0.202 * 2 ** index, 120), 2);
    }
    expect(gaps.at(-1)).toBeCloseTo(120, 2);
  });

  it('is given up after a quarter of an hour (tcp_retries2 15), with what ICMP said if anything', () => {
    expect(givenUpAfter(15)).toBeCloseTo(924.6, 5);
    const silent = established();
    silent.pair.fate = () => [];
    silent.a.send(bytes(10));
    silent.pair.scheduler.runUntilIdle();
    expect(silent.endings).toEqual(['a ETIMEDOUT']);
    expect(silent.pair.scheduler.now()).toBeGreaterThan(924);
    expect(silent.pair.scheduler.now()).toBeLessThan(1060);
    const told = established();
    told.pair.fate = () => [];
    told.a.send(bytes(10));
    told.a.failed('EHOSTUNREACH', { seq: told.a.block.sndUna, fatal: false });
    expect(told.a.state).toBe('ESTABLISHED');
    told.pair.scheduler.runUntilIdle();
    expect(told.endings).toEqual(['a EHOSTUNREACH']);
  });

  it('is given up sooner once the program has closed', () => {
    const { pair, a } = established();
    pair.fate = () => [];
    a.send(bytes(10));
    a.close();
    pair.scheduler.runUntilIdle();
    expect(pair.scheduler.now()).toBeLessThan(250);
    expect([...pair.a.tcp.connections]).toEqual([]);
  });
});

describe('the round-trip estimate', () => {
  const cases: readonly (readonly [string, readonly number[], number])[] = [
    ['a first sample', [0.1], 0.1 + 0.2],
    ['a long first sample: twice it varies', [1], 1 + 2],
    ['a steady path comes down to 200 ms above it', Array.from({ length: 200 }, () => 0.5), 0.5 + 0.2],
    ['a short path', Array.from({ length: 50 }, () => 0.0001), 0.2001],
  ];
  it.each(cases)('of %s', (_, samples, rto) => {
    const roundTrip = new RoundTrip();
    for (const [index, sample] of samples.entries())
      roundTrip.sample(sample, index * 1000, index * 1000 + 500);
    expect(roundTrip.rto).toBeCloseTo(rto, 2);
  });
});

describe('a closed window', () => {
  it('fills, is probed at growing intervals, and opens when the program reads', () => {
    const { pair, a, b } = established();
    b.pause();
    const body = bytes(300_000);
    a.send(body);
    pair.scheduler.runUntil(STARTED + 30);
    // Half of tcp_rmem's 131072 bytes, and what rounding up to the window's unit gives away.
    expect(b.block.unread).toBeGreaterThan(60_000);
    expect(b.block.unread).toBeLessThan(70_000);
    expect(a.timers.running).toBe('persist');
    const probes = sentBy(pair, 'a').filter(
      ({ at, packet }) =>
        at > STARTED + 0.15 && packet.transport.kind === 'tcp' && packet.transport.data.length === 0,
    );
    const gaps = probes.slice(1).map(({ at }, index) => at - (probes[index]?.at ?? 0));
    for (const [index, gap] of gaps.entries()) {
      if (index > 0) expect(gap / (gaps[index - 1] ?? 1)).toBeCloseTo(2, 1);
    }
    expect(gaps.length).toBeGreaterThan(4);
    let received = 0;
    b.callbacks = {
      onData: (data) => {
        received += data.length;
      },
    };
    b.resume();
    pair.scheduler.runUntil(STARTED + 40);
    expect(received).toBe(body.length);
  });

  it('opens in spite of a lost window update', () => {
    const { pair, a, b } = established();
    b.pause();
    a.send(bytes(100_000));
    pair.scheduler.runUntil(STARTED + 5);
    let received = 0;
    b.callbacks = {
      onData: (data) => {
        received += data.length;
      },
    };
    pair.fate = (_, by) => (by === 'b' ? [] : [0.001]);
    b.resume();
    pair.scheduler.runUntil(STARTED + 5.1);
    pair.fate = () => [0.001];
    pair.scheduler.runUntil(STARTED + 60);
    expect(received).toBe(100_000);
  });

  it('keeps nobody busy who waits only for a program that does not read', () => {
    const { pair, a, b } = established();
    b.pause();
    a.send(bytes(100_000));
    const { idle } = pair.scheduler.runUntilIdle({ events: 10_000 });
    expect(idle).toBe(true);
    expect(a.state).toBe('ESTABLISHED');
    expect(a.block.queue.unsent).toBeGreaterThan(0);
  });
});

describe('acknowledgments', () => {
  it('of the first segments go out at once, of lone ones in a conversation after 40 ms', () => {
    const { pair, a, b } = established();
    a.send(bytes(10));
    pair.scheduler.runUntil(STARTED + 0.5);
    expect(timesOf(pair, 'b')).toEqual([0.001]);
    // b answers at once: from now on its ACKs wait for answers.
    b.callbacks = {
      onData: (data) => {
        if (data.length === 10) b.send(bytes(5));
      },
    };
    a.send(bytes(10));
    pair.scheduler.runUntil(STARTED + 1);
    pair.sent.length = 0;
    a.send(bytes(20));
    pair.scheduler.runUntil(STARTED + 1.5);
    expect(pair.sent.map(line)).toEqual(['a P. 20', 'b . 0']);
    expect(timesOf(pair, 'b')).toEqual([1.041]);
  });

  it('ride on answers', () => {
    const { pair, a, b } = established();
    b.callbacks = { onData: () => void b.send(bytes(5)) };
    for (let round = 0; round < 3; round++) {
      a.send(bytes(10));
      pair.scheduler.runUntil(STARTED + round + 1);
    }
    expect(pair.sent.slice(-3).map(line)).toEqual(['a P. 10', 'b P. 5', 'a . 0']);
  });
});

describe('small segments', () => {
  const count = (noDelay: boolean) => {
    const { pair, a } = established();
    a.noDelay = noDelay;
    for (let write = 0; write < 10; write++) a.send(bytes(10));
    pair.scheduler.runUntil(STARTED + 1);
    return sentBy(pair, 'a').map(line);
  };
  it('wait for the one on its way (Nagle)', () => {
    expect(count(false)).toEqual(['a P. 10', 'a P. 90']);
  });
  it('do not wait with TCP_NODELAY', () => {
    expect(count(true)).toEqual(Array.from({ length: 10 }, () => 'a P. 10'));
  });
});

describe('keep-alive', () => {
  it('is off unless asked for', () => {
    const { pair } = established();
    pair.scheduler.runUntil(20_000);
    expect(pair.sent).toEqual([]);
  });

  it('probes an idle peer, which answers', () => {
    const { pair, a } = established();
    a.keepAlive.set({ idle: 100, interval: 10, count: 3 });
    pair.scheduler.runUntil(STARTED + 250);
    expect(timesOf(pair, 'a')).toEqual([100, 200.002]);
    expect(sentBy(pair, 'b').length).toBe(2);
    expect(a.state).toBe('ESTABLISHED');
  });

  it('gives up a dead peer after so many probes', () => {
    const { pair, a, endings } = established();
    a.keepAlive.set({ idle: 100, interval: 10, count: 3 });
    pair.fate = () => [];
    pair.scheduler.runUntil(STARTED + 1000);
    expect(timesOf(pair, 'a')).toEqual([100, 110, 120, 130]);
    expect(pair.sent.map(line).at(-1)).toBe('a R. 0');
    expect(endings).toEqual(['a ETIMEDOUT']);
  });

  it('takes its times from the sysctls', () => {
    const { pair, a } = established();
    a.keepAlive.set({});
    pair.fate = () => [];
    pair.scheduler.runUntil(STARTED + 7200 + 10 * 75);
    expect(timesOf(pair, 'a')).toEqual([7200, 7275, 7350, 7425, 7500, 7575, 7650, 7725, 7800, 7875]);
  });
});
