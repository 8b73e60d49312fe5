/** Segments that nobody sane would send, in every state: nothing throws, and the books stay balanced. */
import { describe, expect, it } from 'vitest';
import type { Sockets } from '../../../src/netstack/sockets/sockets.ts';
import { TcpConnection } from '../../../src/netstack/sockets/tcp/connection.ts';
import { Random } from '../../../src/sim/random.ts';
import type { Packet } from '../../../src/wire/packet.ts';
import { bytesOf, Pair } from './pair.ts';

const BODY = bytesOf(5000, 1);
const SEED = Number(process.env.SEED ?? 1);

function connectionsOf(sockets: Sockets): TcpConnection[] {
  return [...sockets.tcp.connections].filter((each) => each instanceof TcpConnection);
}

/** A segment for one of `connections` that is mostly near what it expects. */
function forged(random: Random, connection: TcpConnection): Packet {
  const { block, local, remote } = connection;
  const near = (value: number) =>
    (value + (random.below(3) === 0 ? random.uint32() : random.below(4000) - 2000)) >>> 0;
  const exact = random.below(2) === 0;
  return {
    src: remote.address,
    dst: local.address,
    ttl: 64,
    tos: 0,
    id: 0,
    dontFragment: true,
    transport: {
      kind: 'tcp',
      sport: remote.port,
      dport: local.port,
      seq: exact ? block.rcvNxt : near(block.rcvNxt),
      ack: exact ? block.sndUna : near(block.sndNxt),
      // No RST in place: that would end most runs at once.
      flags: random.below(256) & (exact ? ~4 : ~0),
      window: random.below(0x10000),
      options: random.below(3) === 0 ? bytesOf(random.below(11) * 4, random.uint32()) : new Uint8Array(0),
      data: random.below(4) === 0 ? BODY.subarray(0, random.below(3000)) : BODY.subarray(0, 0),
    },
  };
}

/** What does not add up in what is kept about the flight; empty: nothing. */
function imbalance({ block }: TcpConnection): string {
  const { queue } = block;
  const flight = [...queue.inFlight()];
  const [first] = flight;
  const checks: readonly (readonly [string, boolean])[] = [
    ['sacked', queue.sacked === flight.filter(({ sacked }) => sacked).length],
    ['lost', queue.lost === flight.filter(({ lost }) => lost).length],
    ['resent', queue.resent === flight.filter(({ underWay }) => underWay).length],
    ['first', first === undefined || first.start === block.sndUna],
    ['last', first === undefined || flight.at(-1)?.end === block.sndNxt],
    ['unread', block.unread >= 0],
    ['timeout', Number.isFinite(block.roundTrip.rto)],
    ['window', block.congestion.window >= 1],
  ];
  return checks.flatMap(([name, holds]) => (holds ? [] : [name])).join();
}

describe('forged segments', () => {
  it('neither throw nor upset what is kept about the flight', () => {
    for (let seed = SEED; seed < SEED + 100; seed++) {
      const random = new Random(seed);
      const lossy = random.below(3) * 100;
      const pair = new Pair({ seed, fate: () => (random.below(1000) < lossy ? [] : [0.001]) });
      pair.b.listen({
        port: 80,
        onConnection: (connection) => {
          connection.callbacks = {
            onData: () => void connection.send(BODY.subarray(0, random.below(5000))),
            onEnd: () => connection.close(),
          };
        },
      });
      const connection = pair.a.connect({ dst: pair.addressB, port: 80 });
      for (let step = 0; step < 60; step++) {
        if (random.below(4) === 0) connection.send(BODY.subarray(0, random.below(5000)));
        if (random.below(60) === 0) connection.shutdown();
        if (random.below(40) === 0) connection.pause();
        if (random.below(20) === 0) connection.resume();
        const side = random.below(2) === 0 ? 'a' : 'b';
        const targets = connectionsOf(side === 'a' ? pair.a : pair.b);
        const [target] = targets;
        if (target !== undefined) pair.deliver(side, forged(random, target));
        pair.scheduler.runUntil(pair.scheduler.now() + random.below(10) / 1000);
        for (const each of [...connectionsOf(pair.a), ...connectionsOf(pair.b)]) {
          const wrong = imbalance(each);
          if (wrong !== '') expect.fail(`seed ${seed}, step ${step}, ${each.state}: ${wrong}`);
        }
      }
      // Whatever was said, it comes to an end.
      connection.resume();
      connection.close();
      const { events } = pair.scheduler.runUntilIdle({ events: 20_000 });
      expect(events, `seed ${seed}`).toBeLessThan(20_000);
    }
  });

  it('do not survive the checks of a host: half-written ones are resets or nothing', () => {
    const pair = new Pair();
    pair.b.listen({ port: 'any', onConnection: () => {} });
    const random = new Random(SEED);
    for (let count = 0; count < 2000; count++) {
      pair.deliver('b', {
        src: pair.addressA,
        dst: pair.addressB,
        ttl: 1,
        tos: 0,
        id: 0,
        dontFragment: false,
        transport: {
          kind: 'tcp',
          sport: random.below(8),
          dport: random.below(8),
          seq: random.uint32(),
          ack: random.uint32(),
          flags: random.below(256),
          window: random.below(0x10000),
          options: bytesOf(random.below(11) * 4, random.uint32()),
          data: bytesOf(random.below(20), 1),
        },
      });
    }
    expect(pair.sent.length).toBeGreaterThan(100);
  });
});
