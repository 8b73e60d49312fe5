import { expect, test } from 'vitest';
import { interleave, quantile, samplesFor, samplesOf } from '../../../src/cli/bench/measure.ts';

test('quantiles', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([0, 0.5, 0.99, 1].map((part) => quantile(hundred, part))).toEqual([1, 51, 100, 100]);
  expect(quantile([], 0.5)).toBeNaN();
  expect(samplesOf([5, 1, 3])).toEqual({ median: 3, p10: 1, p90: 5, p99: 5, best: 1, rounds: 3 });
});

test('sides take turns, each prepared before its own', async () => {
  const log: string[] = [];
  const side = (name: string) => ({
    name,
    prepare: () => void log.push(`prepare ${name}`),
    run: () => void log.push(name),
  });
  const measured = await interleave([side('a'), side('b')], { rounds: 2, warmUp: 1 });
  expect(log).toEqual(Array(3).fill(['prepare a', 'a', 'prepare b', 'b']).flat());
  expect(samplesFor(measured, 'a').rounds).toBe(2);
  expect(() => samplesFor(measured, 'c')).toThrow('c was not measured');
});

test('a side that waits is timed to its end', async () => {
  const log: string[] = [];
  const slow = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    log.push('slow');
  };
  await interleave<string>(
    [
      { name: 'slow', run: slow },
      { name: 'quick', run: () => void log.push('quick') },
    ],
    { rounds: 2, warmUp: 0 },
  );
  expect(log).toEqual(['slow', 'quick', 'slow', 'quick']);
});
