/** The event queue: order, background events, limits, tags, and the seam that reorders deliveries. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Scheduler } from '../../src/sim/scheduler.ts';
import { checkProperty } from '../wire/property.ts';

/** Runs `schedule` and tells what ran, in order. */
function log(schedule: (scheduler: Scheduler, say: (word: string) => () => void) => void): string[] {
  const scheduler = new Scheduler();
  const words: string[] = [];
  schedule(scheduler, (word) => () => words.push(`${scheduler.now()} ${word}`));
  scheduler.runUntilIdle();
  return words;
}

describe('events', () => {
  it('run by time, then in the order in which they were scheduled', () => {
    const ran = log((scheduler, say) => {
      scheduler.after(2, say('c'));
      scheduler.after(1, say('a'));
      scheduler.after(1, say('b'));
      scheduler.after(0, say('now'));
    });
    expect(ran).toEqual(['0 now', '1 a', '1 b', '2 c']);
  });

  it('that were due before the clock came here go before those scheduled here for now', () => {
    const ran = log((scheduler, say) => {
      scheduler.after(1, () => scheduler.after(0, say('late')));
      scheduler.after(1, say('early'));
    });
    expect(ran).toEqual(['1 early', '1 late']);
  });

  it('that are cancelled do not run, and do not keep anybody waiting', () => {
    const scheduler = new Scheduler();
    const timer = scheduler.after(5, () => expect.unreachable());
    expect(timer.pending).toBe(true);
    timer.cancel();
    timer.cancel();
    expect(timer.pending).toBe(false);
    expect(scheduler.runUntilIdle()).toEqual({ events: 0, idle: true });
    expect(scheduler.now()).toBe(0);
  });

  it('in the past are refused', () => {
    expect(() => new Scheduler().after(-1, () => {})).toThrow(RangeError);
    expect(() => new Scheduler().after(Number.NaN, () => {})).toThrow(RangeError);
  });

  it('any number of them run in the order a sort by time gives', () => {
    const events = fc.array(
      fc.record({
        delay: fc.integer({ min: 0, max: 9 }),
        next: fc.option(fc.integer({ min: 0, max: 9 })),
        cancel: fc.boolean(),
      }),
      { maxLength: 60 },
    );
    checkProperty(
      'scheduler order',
      fc.property(events, (list) => {
        const scheduler = new Scheduler();
        const ran: { due: number; sequence: number }[] = [];
        let sequence = 0;
        const schedule = (delay: number, next: number | null, cancel: boolean) => {
          const number = sequence++;
          const due = scheduler.now() + delay;
          const timer = scheduler.after(delay, () => {
            expect(scheduler.now()).toBe(due);
            ran.push({ due, sequence: number });
            if (next !== null) schedule(next, null, false);
          });
          if (cancel) timer.cancel();
        };
        for (const { delay, next, cancel } of list) schedule(delay, next, cancel);
        scheduler.runUntilIdle();
        const expected = list
          .filter(({ cancel }) => !cancel)
          .reduce((sum, { next }) => sum + (next === null ? 1 : 2), 0);
        expect(ran.length).toBe(expected);
        expect(ran).toEqual([...ran].sort((a, b) => a.due - b.due || a.sequence - b.sequence));
      }),
    );
  });
});

describe('background events', () => {
  it('run while others wait, but are not waited for', () => {
    const ran = log((scheduler, say) => {
      scheduler.after(1, say('sweep'), { background: true });
      scheduler.after(2, say('work'));
      scheduler.after(3, say('sweep again'), { background: true });
    });
    expect(ran).toEqual(['1 sweep', '2 work']);
  });

  it('run when time is let pass', () => {
    const scheduler = new Scheduler();
    let swept = 0;
    const sweep = () => {
      swept++;
      scheduler.after(10, sweep, { background: true });
    };
    sweep();
    expect(scheduler.runUntil(35)).toEqual({ events: 3, idle: true });
    expect([swept, scheduler.now()]).toEqual([4, 35]);
  });
});

describe('limits', () => {
  const ticking = () => {
    const scheduler = new Scheduler();
    const tick = () => {
      scheduler.after(1, tick);
    };
    tick();
    return scheduler;
  };

  it.each([
    ['a number of events', { events: 7 }, { events: 7, idle: false }, 7],
    ['a time', { until: 4.5 }, { events: 4, idle: false }, 4.5],
    ['the earlier of both', { until: 3, events: 9 }, { events: 3, idle: false }, 3],
  ])('%s ends a run', (_, limits, result, time) => {
    const scheduler = ticking();
    expect(scheduler.runUntilIdle(limits)).toEqual(result);
    expect(scheduler.now()).toBe(time);
  });

  it('step runs one event', () => {
    const scheduler = ticking();
    expect([scheduler.step(), scheduler.now(), scheduler.nextDue()]).toEqual([true, 1, 2]);
    expect(new Scheduler().step()).toBe(false);
  });
});

describe('the cause of an event', () => {
  it('is that of what scheduled it, however far down', () => {
    const scheduler = new Scheduler();
    const seen: unknown[] = [];
    scheduler.withCause('request', () => {
      scheduler.after(1, () => {
        scheduler.after(1, () => seen.push(scheduler.cause));
      });
    });
    scheduler.after(1.5, () => seen.push(scheduler.cause));
    scheduler.runUntilIdle();
    expect(seen).toEqual([undefined, 'request']);
    expect(scheduler.cause).toBe(undefined);
  });

  it('is put back when an event throws', () => {
    const scheduler = new Scheduler();
    scheduler.withCause('bad', () =>
      scheduler.after(0, () => {
        throw new Error('boom');
      }),
    );
    expect(() => scheduler.runUntilIdle()).toThrow('boom');
    expect([scheduler.cause, scheduler.idle]).toEqual([undefined, true]);
  });
});

describe('pick', () => {
  function deliveries(scheduler: Scheduler, delays: readonly number[]): string[] {
    const ran: string[] = [];
    for (const [index, delay] of delays.entries()) {
      scheduler.after(delay, () => ran.push(`${index}@${scheduler.now()}`), { delivery: index });
    }
    return ran;
  }

  it('is offered what is due at the same time, in its natural order, until one is left', () => {
    const offered: unknown[] = [];
    const scheduler = new Scheduler({
      pick: (candidates) => {
        offered.push(candidates.map(({ delivery }) => delivery));
        return candidates.length - 1;
      },
    });
    const ran = deliveries(scheduler, [1, 1, 2, 1]);
    scheduler.runUntilIdle();
    expect(ran).toEqual(['3@1', '1@1', '0@1', '2@2']);
    expect(offered).toEqual([
      [0, 1, 3],
      [0, 1],
    ]);
  });

  it('may let later deliveries overtake inside the window; those passed over are late', () => {
    const scheduler = new Scheduler({ pick: (candidates) => candidates.length - 1, window: 0.5 });
    const ran = deliveries(scheduler, [1, 1.5, 2.5]);
    scheduler.runUntilIdle();
    expect(ran).toEqual(['1@1.5', '0@1.5', '2@2.5']);
  });

  it('is not asked about what is no delivery, nor beyond a limit of time', () => {
    const scheduler = new Scheduler({ pick: (candidates) => candidates.length - 1, window: 10 });
    const ran = deliveries(scheduler, [1, 3]);
    scheduler.after(1, () => ran.push('timer'));
    scheduler.runUntil(2);
    expect(ran).toEqual(['0@1', 'timer']);
  });

  it('that chooses nothing is an error', () => {
    const scheduler = new Scheduler({ pick: () => 5 });
    deliveries(scheduler, [1, 1]);
    expect(() => scheduler.runUntilIdle()).toThrow('pick chose 5 of 2');
  });

  it('whatever it chooses, everything runs once and time never goes back', () => {
    const script = fc.record({
      delays: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 }),
      choices: fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
      window: fc.integer({ min: 0, max: 3 }),
    });
    checkProperty(
      'scheduler pick',
      fc.property(script, ({ delays, choices, window }) => {
        let at = 0;
        const pick = ({ length }: { readonly length: number }) =>
          (choices[at++ % choices.length] ?? 0) % length;
        const scheduler = new Scheduler({ pick, window });
        const ran = deliveries(scheduler, delays);
        scheduler.runUntilIdle();
        const times = ran.map((entry) => Number(entry.split('@')[1]));
        expect(new Set(ran.map((entry) => entry.split('@')[0])).size).toBe(delays.length);
        expect(times).toEqual([...times].sort((a, b) => a - b));
        for (const entry of ran) {
          const [index = 0, time = 0] = entry.split('@').map(Number);
          expect(time).toBeGreaterThanOrEqual(delays[index] ?? 0);
          expect(time).toBeLessThanOrEqual((delays[index] ?? 0) + window);
        }
      }),
    );
  });
});
