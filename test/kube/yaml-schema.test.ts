import { describe, expect, it } from 'vitest';
import { parseManifests } from '../../src/kube/manifest/manifest.ts';

/**
 * What kubectl 1.32 makes of a scalar: `kubectl label --local -f FILE -o json` with the scalar as a field of an
 * object of an unknown kind, which kubectl passes through.
 */
const KUBECTL: readonly (readonly [scalar: string, json: unknown])[] = [
  ['y', true],
  ['Y', true],
  ['N', false],
  ['on', true],
  ['Off', false],
  ['oN', 'oN'],
  ['yes', true],
  ['TRUE', true],
  ['tRUE', 'tRUE'],
  ['y1', 'y1'],
  ["'yes'", 'yes'],
  ['!!bool yes', true],
  ['~', null],
  ['null', null],
  ['nULL', 'nULL'],
  ['017', 15],
  ['0o17', 15],
  ['0O17', 15],
  ['-017', -15],
  ['0x1F', 31],
  ['0X1F', 31],
  ['-0x10', -16],
  ['0b101', 5],
  ['-0b1', -1],
  ['+0b1', 1],
  ['08', 8],
  ['00', 0],
  ['-0', 0],
  ['+12', 12],
  ['1_000', 1000],
  ['1__0', 10],
  ['0_7', 7],
  ['0x_1', 1],
  ['1_', 1],
  ['0.1_0', 0.1],
  ['_1', '_1'],
  ['0b2', '0b2'],
  ['0x', '0x'],
  ['0xG', '0xG'],
  ['0o', '0o'],
  ['1.5', 1.5],
  ['.5', 0.5],
  ['5.', 5],
  ['1.0', 1],
  ['1e3', 1000],
  ['1E3', 1000],
  ['1e+3', 1000],
  ['12e03', 12000],
  ['1.e1', 10],
  ['+.5e-3', 0.0005],
  ['.e1', '.e1'],
  ['1e', '1e'],
  ['1e400', '1e400'],
  ['10.96', 10.96],
  ['99999999999999999999', 1e20],
  ['9223372036854775808', 2 ** 63],
  ['0.0.0.0', '0.0.0.0'],
  ['010.001.002.003', '010.001.002.003'],
  ['fd00::1', 'fd00::1'],
  ['1:2:3', '1:2:3'],
  ['22:22', '22:22'],
  ['1:30:00', '1:30:00'],
  ['2024-01-01', '2024-01-01'],
  ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00Z'],
  ['+', '+'],
  ['.', '.'],
  ['..', '..'],
  ['=', '='],
  ['<<x', '<<x'],
  ['"8080"', '8080'],
  ['!!str 80', '80'],
  ['!!int "80"', 80],
];

function read(yaml: string): unknown {
  const [manifest] = parseManifests(`apiVersion: v1\nkind: ConfigMap\n${yaml}\n`, 'in.yaml');
  return manifest?.value;
}

describe('scalars resolve as kubectl resolves them', () => {
  it.each(KUBECTL)('%s', (scalar, json) => {
    expect(read(`v: ${scalar}`)).toMatchObject({ v: json });
  });

  it('merges << mappings and follows aliases', () => {
    expect(read('a: &a {p: 1, q: 2}\nb: {<<: *a, r: 3}\nc: *a')).toMatchObject({
      b: { p: 1, q: 2, r: 3 },
      c: { p: 1, q: 2 },
    });
  });

  it('turns keys into text after resolving them', () => {
    expect(read('m: {y: 1, 1: 2, 1.50: 3, 0x10: 5, off: 6}')).toMatchObject({
      m: { true: 1, 1: 2, 1.5: 3, 16: 5, false: 6 },
    });
  });

  it('keeps __proto__ an ordinary key', () => {
    expect(Object.hasOwn(read('__proto__: {x: 1}') as object, '__proto__')).toBe(true);
    expect(({} as { x?: number }).x).toBeUndefined();
  });
});
