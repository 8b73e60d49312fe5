import { describe, expect, test } from 'vitest';
import { balancingProbability } from '../../src/proxy/iptables/probability.ts';

describe('what iptables-save printed for 1/n', () => {
  test.each([
    [1, '1.00000000000'],
    [2, '0.50000000000'],
    [3, '0.33333333349'],
    [4, '0.25000000000'],
    [5, '0.20000000019'],
    [7, '0.14285714272'],
    [10, '0.10000000009'],
    [50, '0.02000000002'],
    [100, '0.00999999978'],
    [199, '0.00502512557'],
    [200, '0.00499999989'],
    [2048, '0.00048828125'],
    // An exact half in the twelfth decimal: printf rounds to even.
    [4096, '0.00024414062'],
    [16384, '0.00006103516'],
  ])('n = %i: %s', (n, printed) => {
    expect(balancingProbability(n)).toBe(printed);
  });
});

test('from 2 to 5000 it is the nearest multiple of 2^-31 to ten decimals', () => {
  for (let n = 2; n <= 5000; n++) {
    const printed = balancingProbability(n);
    expect(printed).toMatch(/^0\.\d{11}$/);
    const units = Math.round(Number(printed) * 2 ** 31);
    expect(Math.abs(units - Number((1 / n).toFixed(10)) * 2 ** 31)).toBeLessThanOrEqual(0.5);
    expect(Math.abs(units / 2 ** 31 - Number(printed))).toBeLessThanOrEqual(0.50001e-11);
  }
});
