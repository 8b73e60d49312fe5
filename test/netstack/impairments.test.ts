/** Wires: how long frames take, and which get lost, doubled or out of order. */
import { describe, expect, it } from 'vitest';
import type { Impairments } from '../../src/netstack/link/impairments.ts';
import { Segment } from '../../src/netstack/link/segment.ts';
import { createVethPair } from '../../src/netstack/link/veth.ts';
import { Namespace } from '../../src/netstack/namespace.ts';
import { Random } from '../../src/sim/random.ts';
import { Scheduler } from '../../src/sim/scheduler.ts';
import type { Frame } from '../../src/wire/frame.ts';
import { BROADCAST_MAC } from '../../src/wire/mac.ts';

/** One frame as it arrived: its number and when. */
interface Arrival {
  readonly number: number;
  readonly time: number;
}

interface Outcome {
  readonly arrivals: readonly Arrival[];
  readonly lost: readonly string[];
}

/** Sends `count` frames of `length` bytes, `gap` seconds apart, over a wire with `impairments`. */
function transfer(
  impairments: Impairments,
  {
    count = 1,
    gap = 0,
    length = 100,
    seed = 1,
  }: { count?: number; gap?: number; length?: number; seed?: number } = {},
): Outcome {
  const scheduler = new Scheduler();
  const a = new Namespace({ name: 'a', scheduler, seed });
  const b = new Namespace({ name: 'b', scheduler, seed });
  const { near, far } = createVethPair(
    { namespace: a, name: 'eth0', up: true, impairments },
    { namespace: b, name: 'eth0', up: true },
  );
  const arrivals: Arrival[] = [];
  const lost: string[] = [];
  far().addTap(({ frame, time }) => {
    if (frame?.payload.kind === 'other') arrivals.push({ number: frame.payload.etherType - 0x9000, time });
  });
  a.trace = (event) => {
    if (event.kind === 'frame-lost') lost.push(event.reason);
  };
  for (let number = 0; number < count; number++) {
    scheduler.after(number * gap, () => {
      const payload = {
        kind: 'other',
        etherType: 0x9000 + number,
        data: new Uint8Array(length - 14),
      } as const;
      const frame: Frame = { source: near.mac, destination: far().mac, payload };
      near.transmit(frame);
    });
  }
  scheduler.runUntilIdle();
  return { arrivals, lost };
}

const numbers = ({ arrivals }: Outcome) => arrivals.map(({ number }) => number);
const times = ({ arrivals }: Outcome) => arrivals.map(({ time }) => Math.round(time * 1e6) / 1e6);

describe('a wire', () => {
  it.each<[string, Impairments, Parameters<typeof transfer>[1], readonly number[]]>([
    ['takes no time by itself', {}, { count: 2 }, [0, 0]],
    ['takes its latency', { latency: 0.25 }, { count: 2, gap: 1 }, [0.25, 1.25]],
    ['takes as long as its bandwidth needs', { bandwidth: 8000 }, { count: 3 }, [0.1, 0.2, 0.3]],
    ['rests when there is nothing to send', { bandwidth: 8000 }, { count: 2, gap: 1 }, [0.1, 1.1]],
    ['adds latency to that', { bandwidth: 8000, latency: 1 }, { count: 2 }, [1.1, 1.2]],
  ])('%s', (_, impairments, load, arrived) => {
    expect(times(transfer(impairments, load))).toEqual(arrived);
  });

  it('with a short queue drops at its tail', () => {
    const outcome = transfer({ bandwidth: 8000, queue: 2 }, { count: 6 });
    expect(numbers(outcome)).toEqual([0, 1, 2]);
    expect(outcome.lost).toEqual(['queue-full', 'queue-full', 'queue-full']);
  });

  it('that is cut, or too narrow, lets nothing through', () => {
    expect(transfer({ up: false })).toEqual({ arrivals: [], lost: ['link-down'] });
    expect(transfer({ mtu: 85 }).lost).toEqual(['frame-too-long']);
    expect(transfer({ mtu: 86 }).lost).toEqual([]);
  });

  it('loses about as many as it is told to', () => {
    const { arrivals, lost } = transfer({ loss: 0.3 }, { count: 2000 });
    expect(arrivals.length + lost.length).toBe(2000);
    // Three standard deviations are 61.
    expect(Math.abs(lost.length - 600)).toBeLessThan(62);
    expect(new Set(lost)).toEqual(new Set(['lost']));
  });

  it('doubles about as many as it is told to, one behind the other', () => {
    const seen = numbers(transfer({ duplicate: 0.25 }, { count: 2000 }));
    expect(Math.abs(seen.length - 2500)).toBeLessThan(60);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it('jitters around its latency and keeps the order', () => {
    const outcome = transfer({ latency: 1, jitter: 0.5 }, { count: 300, gap: 10 });
    const delays = outcome.arrivals.map(({ number, time }) => time - number * 10);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(0.5);
    expect(Math.max(...delays)).toBeLessThanOrEqual(1.5);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(0.8);
    const close = numbers(transfer({ latency: 1, jitter: 0.9 }, { count: 300, gap: 0.01 }));
    expect(close).toEqual([...close.keys()]);
  });

  it('reorders when asked to, losing nobody', () => {
    const outcome = transfer({ latency: 1, reorder: 0.2 }, { count: 500, gap: 0.1 });
    const seen = numbers(outcome);
    expect(seen).not.toEqual([...seen.keys()]);
    expect([...seen].sort((a, b) => a - b)).toEqual([...seen.keys()]);
    const overtakers = outcome.arrivals.filter(({ number, time }) => time - number * 0.1 < 0.5);
    expect(Math.abs(overtakers.length - 100)).toBeLessThan(30);
  });

  it('does the same again with the same seed, and something else with another', () => {
    const impairments = {
      loss: 0.2,
      jitter: 0.1,
      latency: 0.2,
      reorder: 0.1,
      duplicate: 0.1,
      bandwidth: 1e6,
    };
    const run = (seed: number) => transfer(impairments, { count: 200, gap: 0.01, seed });
    expect(run(5)).toEqual(run(5));
    expect(run(5)).not.toEqual(run(6));
  });
});

describe('a switch', () => {
  const rig = () => {
    const scheduler = new Scheduler();
    const segment = new Segment({ name: 'lan', scheduler, random: new Random(3), mtu: 1400 });
    const reached: string[] = [];
    const plug = (
      name: string,
      impairments?: { readonly in?: Impairments; readonly out?: Impairments },
      mtu = 1500,
    ) => {
      const namespace = new Namespace({ name, scheduler });
      const device = segment.plug(namespace, {
        name: 'eth0',
        up: true,
        mtu,
        ...(impairments && { impairments }),
      });
      device.addTap(({ direction, time }) => direction === 'in' && reached.push(`${name}@${time}`));
      return device;
    };
    return { scheduler, segment, reached, plug };
  };
  const frame = (source: number, destination: number, length = 100): Frame => ({
    source,
    destination,
    payload: { kind: 'other', etherType: 0x9000, data: new Uint8Array(length) },
  });

  it('adds up the cables on both sides', () => {
    const { scheduler, reached, plug } = rig();
    const a = plug('a', { out: { latency: 1 }, in: { latency: 5 } });
    const b = plug('b', { in: { latency: 0.5 } });
    plug('c');
    a.transmit(frame(a.mac, b.mac));
    a.transmit(frame(a.mac, BROADCAST_MAC));
    scheduler.runUntilIdle();
    expect(reached.sort()).toEqual(['b@1.5', 'b@1.5', 'c@1']);
  });

  it('and its receivers have an MTU', () => {
    const { scheduler, reached, plug } = rig();
    const [a, b] = [plug('a'), plug('b', undefined, 1000)];
    for (const length of [1000, 1004, 1005, 1405]) a.transmit(frame(a.mac, b.mac, length));
    scheduler.runUntilIdle();
    expect(reached).toEqual(['b@0', 'b@0']);
    expect(a.counters).toMatchObject({ txPackets: 4, txDropped: 2 });
  });

  it('learns where a host has moved to', () => {
    const { scheduler, reached, plug } = rig();
    const [a, b, c] = [plug('a'), plug('b'), plug('c')];
    c.transmit(frame(b.mac, BROADCAST_MAC));
    scheduler.runUntilIdle();
    reached.length = 0;
    a.transmit(frame(a.mac, b.mac));
    scheduler.runUntilIdle();
    expect(reached).toEqual(['c@0']);
  });

  it('makes late devices when somebody calls for them', () => {
    const { scheduler, segment, reached, plug } = rig();
    const a = plug('a');
    const made: string[] = [];
    for (const [index, name] of ['x', 'y'].entries()) {
      const mac = 0x0200000000f0 + index;
      segment.plugLater({
        mac,
        addresses: [0x0a000010 + index],
        make: () => {
          made.push(name);
          const namespace = new Namespace({ name, scheduler });
          const device = segment.plug(namespace, { name: 'eth0', mac, up: true });
          device.addTap(({ direction }) => direction === 'in' && reached.push(name));
          return device;
        },
      });
    }
    a.transmit(frame(a.mac, BROADCAST_MAC));
    const request = {
      operation: 1,
      senderMac: a.mac,
      senderIp: 0x0a000001,
      targetMac: 0,
      targetIp: 0x0a000010,
    };
    a.transmit({ source: a.mac, destination: BROADCAST_MAC, payload: { kind: 'arp', message: request } });
    scheduler.runUntilIdle();
    expect([made, reached]).toEqual([['x'], ['x']]);
    a.transmit(frame(a.mac, 0x0200000000f1));
    a.transmit(frame(a.mac, 0x0200000000f1));
    scheduler.runUntilIdle();
    expect([made, reached]).toEqual([
      ['x', 'y'],
      ['x', 'y', 'y'],
    ]);
  });
});
