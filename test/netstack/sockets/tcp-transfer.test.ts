/** Bytes through bad networks: all of them arrive, in order, once, and in a time that Linux would need. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../../src/sim/random.ts';
import type { Packet } from '../../../src/wire/packet.ts';
import { bytesOf, type Fate, joined, line, Pair, type PairOptions } from './pair.ts';

interface Weather {
  /** Of a thousand packets. */
  readonly loss?: number;
  readonly duplicates?: number;
  /** Seconds. */
  readonly latency?: number;
  readonly jitter?: number;
}

function fateOf({ loss = 0, duplicates = 0, latency = 0.01, jitter = 0 }: Weather, random: Random): Fate {
  const delay = () => latency + (random.below(1_000_000) / 1_000_000) * jitter;
  return () => {
    if (random.below(1000) < loss) return [];
    return random.below(1000) < duplicates ? [delay(), delay()] : [delay()];
  };
}

interface Exchange {
  readonly upload: Uint8Array;
  readonly download: Uint8Array;
}

/** a sends `upload` and closes; b, when it has it all, sends `download` and closes. */
function exchange(pair: Pair, { upload, download }: Exchange) {
  const atA: Uint8Array[] = [];
  const atB: Uint8Array[] = [];
  const endings: string[] = [];
  pair.b.listen({
    port: 80,
    onConnection: (connection) => {
      connection.callbacks = {
        onData: (data) => atB.push(data),
        onEnd: () => {
          // In pieces of any size, as programs write.
          for (let at = 0; at < download.length; at += 7001)
            connection.send(download.subarray(at, at + 7001));
          connection.close();
        },
        onClose: (error) => endings.push(`b ${error ?? 'ok'}`),
      };
    },
  });
  pair.a.connect({
    dst: pair.addressB,
    port: 80,
    onConnect: (connection) => {
      connection.send(upload);
      connection.shutdown();
    },
    onData: (data) => atA.push(data),
    onEnd: (connection) => connection.close(),
    onClose: (error) => endings.push(`a ${error ?? 'ok'}`),
  });
  const { idle } = pair.scheduler.runUntilIdle({ until: 10_000, events: 1_000_000 });
  return { atA: joined(atA), atB: joined(atB), endings: endings.sort(), idle };
}

const WEATHERS: readonly (readonly [string, Weather, maxSeconds: number])[] = [
  ['a clean link', {}, 2],
  ['5 % loss', { loss: 50 }, 30],
  ['5 % loss at 100 ms', { loss: 50, latency: 0.1 }, 120],
  ['20 % loss', { loss: 200 }, 600],
  ['reordering', { jitter: 0.02 }, 30],
  ['duplicates', { duplicates: 300, jitter: 0.005 }, 30],
  ['everything at once', { loss: 80, duplicates: 80, jitter: 0.01 }, 300],
];

const FLAVOURS: readonly (readonly [string, PairOptions])[] = [
  ['', {}],
  [' without SACK', { sysctls: { 'net.ipv4.tcp_sack': '0' } }],
  [' without time stamps', { sysctls: { 'net.ipv4.tcp_timestamps': '0' } }],
  [
    ' with nothing but MSS',
    {
      sysctls: {
        'net.ipv4.tcp_sack': '0',
        'net.ipv4.tcp_timestamps': '0',
        'net.ipv4.tcp_window_scaling': '0',
      },
    },
  ],
  [' over IPv6 with a small MTU', { addresses: ['fd00::1', 'fd00::2'], mtu: 1280 }],
];

const SEED = Number(process.env.SEED ?? 1);

describe('a transfer both ways', () => {
  for (const [name, weather, maxSeconds] of WEATHERS) {
    for (const [flavour, options] of FLAVOURS) {
      it(`survives ${name}${flavour}`, () => {
        for (let seed = SEED; seed < SEED + 4; seed++) {
          const random = new Random(seed);
          const bodies = {
            upload: bytesOf(random.below(120_000), seed),
            download: bytesOf(random.below(120_000), seed + 1),
          };
          const pair = new Pair({ ...options, seed, fate: fateOf(weather, random) });
          const result = exchange(pair, bodies);
          const where = `seed ${seed}`;
          expect(result.endings, where).toEqual(['a ok', 'b ok']);
          expect(Buffer.compare(result.atB, bodies.upload), where).toBe(0);
          expect(Buffer.compare(result.atA, bodies.download), where).toBe(0);
          expect(result.idle, where).toBe(true);
          expect(pair.scheduler.now(), where).toBeLessThan(maxSeconds);
        }
      });
    }
  }

  it('is the same dialogue for the same seed', () => {
    const run = (seed: number) => {
      const pair = new Pair({ seed, fate: fateOf({ loss: 100, jitter: 0.004 }, new Random(seed)) });
      exchange(pair, { upload: bytesOf(50_000, 1), download: bytesOf(50_000, 2) });
      return pair.sent.map((sent) => `${sent.at} ${line(sent)}`);
    };
    expect(run(7)).toEqual(run(7));
    expect(run(7)).not.toEqual(run(8));
  });
});

describe('a megabyte at 5 % loss', () => {
  it.each([1, 2, 3, 4, 5])('arrives in seconds, with few segments sent twice (seed %i)', (seed) => {
    const pair = new Pair({ seed, fate: fateOf({ loss: 50, latency: 0.005 }, new Random(seed)) });
    const body = bytesOf(1_000_000, seed);
    const { atA } = exchange(pair, { upload: bytesOf(100, 1), download: body });
    expect(Buffer.compare(atA, body)).toBe(0);
    // A round trip of 10 ms and Reno at this loss carry some 400 kB/s; timeouts come on top.
    expect(pair.scheduler.now()).toBeLessThan(15);
    const dataSegments = pair.sent.filter(
      ({ by, packet: { transport } }) => by === 'b' && transport.kind === 'tcp' && transport.data.length > 0,
    );
    const needed = Math.ceil(body.length / 1448);
    expect(dataSegments.length).toBeLessThan(needed * 1.15);
  });
});

/** Loses the data segments whose numbers (from 0, in order of sending) are given. */
function losing(...numbers: readonly number[]): Fate {
  let next = 0;
  return ({ transport }: Packet, by) => {
    if (by === 'b' || transport.kind !== 'tcp' || transport.data.length === 0) return [0.01];
    return numbers.includes(next++) ? [] : [0.01];
  };
}

/** a sends `count` full segments; the times and relative numbers of what is sent more than once. */
function repeats(options: PairOptions, count: number, ...lost: readonly number[]) {
  const pair = new Pair({ ...options, fate: losing(...lost) });
  pair.b.listen({ port: 80, onConnection: () => {} });
  const connection = pair.a.connect({ dst: pair.addressB, port: 80 });
  connection.send(new Uint8Array(count * 1448));
  pair.scheduler.runUntil(20);
  const first = connection.block.initialSequence + 1;
  const seen = new Set<number>();
  const again: { segment: number; at: number }[] = [];
  for (const { at, by, packet } of pair.sent) {
    if (by === 'b' || packet.transport.kind !== 'tcp' || packet.transport.data.length === 0) continue;
    const segment = ((packet.transport.seq - first) >>> 0) / 1448;
    if (seen.has(segment)) again.push({ segment, at: Number(at.toFixed(3)) });
    seen.add(segment);
  }
  expect(connection.block.sndUna).toBe(connection.block.sndNxt);
  return again;
}

describe('what is sent again', () => {
  // The handshake takes 20 ms, so the first ten segments leave at 0.02 and are answered at 0.04.
  it('is one lost segment, as soon as others behind it are known to have arrived', () => {
    expect(repeats({}, 10, 2)).toEqual([{ segment: 2, at: 0.04 }]);
  });

  it('is each of several lost segments in one round trip', () => {
    expect(repeats({}, 10, 1, 4, 6).map(({ segment }) => segment)).toEqual([1, 4, 6]);
    expect(repeats({}, 10, 1, 4, 6).every(({ at }) => at === 0.04)).toBe(true);
  });

  it('is one hole a round trip without SACK', () => {
    const plain = { sysctls: { 'net.ipv4.tcp_sack': '0' } };
    expect(repeats(plain, 10, 2, 5)).toEqual([
      { segment: 2, at: 0.04 },
      { segment: 5, at: 0.06 },
    ]);
  });

  it('is the last segment, after a timeout of at least 200 ms', () => {
    // RFC 6298 with Linux's minimum: a round trip of 20 ms and 200 ms.
    const [only, ...more] = repeats({}, 1, 0);
    expect(more).toEqual([]);
    expect(only?.segment).toBe(0);
    expect(only?.at).toBeCloseTo(0.02 + 0.02 + 0.2, 2);
  });

  it('is a lost retransmission too', () => {
    expect(repeats({}, 30, 2, 10).filter(({ segment }) => segment === 2).length).toBeGreaterThanOrEqual(1);
  });
});
