import { describe, expect, test } from 'vitest';
import { costChart } from '../../../src/cli/bench/chart.ts';
import type { KernelResult } from '../../../src/cli/bench/kernel.ts';
import type { LookupResult } from '../../../src/cli/bench/lookup.ts';

function lookup(about: Pick<LookupResult, 'services' | 'engine' | 'spread' | 'nanoseconds'>): LookupResult {
  const { nanoseconds } = about;
  return {
    endpoints: 3,
    family: 'ipv4',
    perSecond: 1e9 / nanoseconds,
    p50: nanoseconds,
    p99: nanoseconds,
    burst: 1,
    best: nanoseconds,
    rulesTraversed: 1,
    packets: 1,
    rounds: 3,
    ...about,
  };
}

function kernel(about: Pick<KernelResult, 'services' | 'backend' | 'spread' | 'first'>): KernelResult {
  const { first } = about;
  const rest = { endpoints: 3, family: 'ipv4', firstP10: first, firstP90: first, later: 1 } as const;
  return { ...rest, handingOver: 1, packets: 1, rounds: 3, ...about };
}

/** Pairs of numbers in an attribute. */
function places(text: string | undefined): readonly (readonly [number, number])[] {
  return (text ?? '').split(' ').map((pair) => {
    const [x = Number.NaN, y = Number.NaN] = pair.split(',').map(Number);
    return [x, y];
  });
}

const lines = (svg: string) => [...svg.matchAll(/<polyline points="([^"]+)"/g)].map(([, at]) => places(at));
const bands = (svg: string) => [...svg.matchAll(/<polygon points="([^"]+)"/g)].map(([, at]) => places(at));
const labels = (svg: string) =>
  [...svg.matchAll(/<text x="[\d.]+" y="([\d.]+)" fill="[^"]+" font-weight="600">([^<]+)</g)].map(
    ([, y, label]) => ({ y: Number(y), label }),
  );

const SIZES = [100, 1000, 10_000];
const lookups = SIZES.flatMap((services) => [
  lookup({ services, engine: 'compiled', spread: 'uniform', nanoseconds: 20 }),
  lookup({ services, engine: 'linear', spread: 'first', nanoseconds: 200 }),
  lookup({ services, engine: 'linear', spread: 'uniform', nanoseconds: 2 * services }),
  lookup({ services, engine: 'linear', spread: 'last', nanoseconds: 4 * services }),
]);
const kernels = SIZES.flatMap((services) => [
  kernel({ services, backend: 'legacy', spread: 'uniform', first: 3 * services }),
  kernel({ services, backend: 'nft', spread: 'uniform', first: 3 * services }),
]);

describe('the chart', () => {
  const svg = costChart({ lookups, kernel: kernels, machine: 'a <fast> & cheap machine' });

  test('needs nothing else and is well-formed', () => {
    expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/http|<script|<image|<style|href/);
    const open: string[] = [];
    for (const [, close, name = '', empty] of svg.matchAll(/<(\/?)([a-z]+)[^<>]*?(\/?)>/g)) {
      if (close === '/') expect(open.pop()).toBe(name);
      else if (empty !== '/') open.push(name);
    }
    expect(open).toEqual([]);
    expect(svg).toContain('a &lt;fast&gt; &amp; cheap machine');
  });

  test('has a line for each engine and back end, through all sizes', () => {
    expect(labels(svg).map(({ label }) => label)).toEqual([
      'linear engine',
      'compiled engine',
      'Linux, iptables-legacy',
      'Linux, iptables-nft',
    ]);
    for (const line of lines(svg)) expect(line).toHaveLength(SIZES.length);
  });

  test('both axes are logarithmic', () => {
    const [linear = []] = lines(svg);
    const [a, b, c] = linear;
    const step = (from = [0, 0] as readonly number[], to = [0, 0] as readonly number[], side = 0) =>
      (to[side] ?? 0) - (from[side] ?? 0);
    expect(step(a, b, 0)).toBeCloseTo(step(b, c, 0), 0);
    expect(step(a, b, 1)).toBeCloseTo(step(b, c, 1), 0);
    expect(step(a, b, 1)).toBeLessThan(0);
  });

  test('bands reach from the cheapest destinations to the dearest', () => {
    const [band = []] = bands(svg);
    const [line = []] = lines(svg);
    // At the largest size: the last above the line, the first below it.
    const at = line[2];
    const heights = band.filter(([x]) => x === at?.[0]).map(([, y]) => y);
    expect(Math.min(...heights)).toBeLessThan(at?.[1] ?? 0);
    expect(Math.max(...heights)).toBeGreaterThan(at?.[1] ?? 0);
  });

  test('labels of lines that end together stand apart', () => {
    const heights = labels(svg)
      .map(({ y }) => y)
      .sort((a, b) => a - b);
    for (let index = 1; index < heights.length; index++) {
      expect((heights[index] ?? 0) - (heights[index - 1] ?? 0)).toBeGreaterThanOrEqual(19.9);
    }
  });

  test('one size of one engine is a chart too', () => {
    const one = costChart({ lookups: lookups.slice(0, 1), kernel: [], machine: 'm' });
    expect(one).not.toMatch(/NaN|Infinity|undefined/);
    expect(one).not.toContain('Dashed');
  });

  test('a cost below the noise does not break it', () => {
    const noise = kernel({ services: 1, backend: 'nft', spread: 'first', first: -3 });
    expect(costChart({ lookups: [], kernel: [noise], machine: 'm' })).not.toMatch(/NaN|Infinity/);
  });
});
