/** Reassembly and options, against slow and simple models on random input. */
import { describe, expect, it } from 'vitest';
import {
  parseTcpOptions,
  sackOptions,
  synOptions,
  timestampOptions,
} from '../../../src/netstack/sockets/tcp/options.ts';
import { ReceiveQueue } from '../../../src/netstack/sockets/tcp/receive-queue.ts';
import { SendQueue } from '../../../src/netstack/sockets/tcp/send-queue.ts';
import { Random } from '../../../src/sim/random.ts';
import { bytesOf, joined } from './pair.ts';

const SEED = Number(process.env.SEED ?? 1);

describe('reassembly', () => {
  it('gives the bytes back in order, wherever the sequence numbers wrap', () => {
    for (let seed = SEED; seed < SEED + 200; seed++) {
      const random = new Random(seed);
      const length = 1 + random.below(300);
      const body = bytesOf(length, seed);
      const start = (0xffffffff - random.below(length)) >>> 0;
      const queue = new ReceiveQueue();
      const present = new Set<number>();
      // The first byte is missing, so nothing is in order yet.
      for (let piece = 0; piece < 30; piece++) {
        const from = 1 + random.below(length);
        const to = Math.min(length, from + random.below(40));
        if (to <= from) continue;
        queue.add((start + from) >>> 0, body.subarray(from, to));
        for (let at = from; at < to; at++) present.add(at);
        const newest = queue.blocks[0];
        const covers =
          newest !== undefined &&
          ((start + from - newest.start) | 0) >= 0 &&
          ((newest.end - start - to) | 0) >= 0;
        expect(covers, `seed ${seed}: the block that changed comes first`).toBe(true);
      }
      expect(queue.bytes, `seed ${seed}`).toBe(present.size);
      let expected = 1;
      while (present.has(expected)) expected++;
      const taken = joined(queue.takeFrom((start + 1) >>> 0));
      expect(Buffer.compare(taken, body.subarray(1, expected)), `seed ${seed}`).toBe(0);
      expect(queue.bytes, `seed ${seed}`).toBe(present.size - taken.length);
    }
  });
});

describe('the send queue', () => {
  it('cuts what is written into segments and keeps count of what is in flight', () => {
    for (let seed = SEED; seed < SEED + 100; seed++) {
      const random = new Random(seed);
      const queue = new SendQueue();
      const body = bytesOf(2000, seed);
      for (let at = 0; at < body.length; ) {
        const next = at + 1 + random.below(400);
        queue.push(body.subarray(at, next));
        at = next;
      }
      queue.closing = true;
      let next = 0xffffff00;
      const sent: Uint8Array[] = [];
      while (queue.hasNews) {
        const flight = queue.sent(next, queue.take(1 + random.below(300)), 0);
        sent.push(flight.data);
        next = flight.end;
      }
      expect(Buffer.compare(joined(sent), body), `seed ${seed}`).toBe(0);
      expect(queue.finSent).toBe(true);
      const count = queue.packetsOut;
      for (const flight of [...queue.inFlight()]) {
        if (random.below(3) === 0) queue.markSacked(flight);
        else if (random.below(2) === 0) queue.markLost(flight);
        if (flight.lost && random.below(2) === 0) queue.markResent(flight, 1);
        if (random.below(4) === 0) queue.split(flight, 50);
      }
      const all = [...queue.inFlight()];
      expect(queue.sacked).toBe(all.filter(({ sacked }) => sacked).length);
      expect(queue.lost).toBe(all.filter(({ lost }) => lost).length);
      expect(queue.resent).toBe(all.filter(({ underWay }) => underWay).length);
      expect(queue.packetsOut).toBeGreaterThanOrEqual(count);
      expect(Buffer.compare(joined(all.map(({ data }) => data)), body)).toBe(0);
      queue.acknowledge(next, () => {});
      expect([queue.packetsOut, queue.sacked, queue.lost, queue.resent]).toEqual([0, 0, 0, 0]);
    }
  });
});

describe('options', () => {
  it.each([
    { mss: 1460, windowScale: 7, sackPermitted: true, timestamps: { value: 0xdeadbeef, echo: 7 } },
    { mss: 536, sackPermitted: false },
    { mss: 1220, windowScale: 0, sackPermitted: true },
    { mss: 8, sackPermitted: false, timestamps: { value: 1, echo: 0 } },
  ])('of a SYN are read back: %j', (options) => {
    const bytes = synOptions(options);
    expect(bytes.length % 4).toBe(0);
    const { mss, windowScale, sackPermitted, tsValue, tsEcho } = parseTcpOptions(bytes);
    expect({ mss, windowScale, sackPermitted, tsValue, tsEcho }).toEqual({
      mss: options.mss,
      windowScale: options.windowScale,
      sackPermitted: options.sackPermitted,
      tsValue: options.timestamps?.value,
      tsEcho: options.timestamps?.echo ?? 0,
    });
  });

  it('name as many blocks as fit beside time stamps', () => {
    const blocks = [1, 2, 3, 4, 5].map((n) => ({ start: n * 100, end: n * 100 + 50 }));
    expect(parseTcpOptions(sackOptions(new Uint8Array(0), blocks)).sack).toEqual(blocks.slice(0, 4));
    const stamped = sackOptions(timestampOptions(1, 2), blocks);
    expect(stamped.length).toBe(40);
    expect(parseTcpOptions(stamped)).toMatchObject({ tsValue: 1, tsEcho: 2, sack: blocks.slice(0, 3) });
  });

  it('never throw, whatever the bytes', () => {
    for (let seed = SEED; seed < SEED + 2000; seed++)
      parseTcpOptions(bytesOf(new Random(seed).below(41), seed));
  });
});
