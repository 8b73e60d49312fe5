/** Files with typing errors: each is read, or refused with one line that names a place in the file. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadCluster } from '../../src/cluster/load.ts';
import { InputError } from '../../src/sim/input-error.ts';
import { Random } from '../../src/sim/random.ts';

const ROOT = join(import.meta.dirname, '../..');
const REFERENCE = 'test/conformance/kube-proxy/iptables';
const FILES = [
  ...readdirSync(join(ROOT, 'topologies'))
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => `topologies/${name}`),
  ...['dual-stack', 'terminating-endpoints', 'skipped-services'].map(
    (name) => `${REFERENCE}/${name}/cluster.yaml`,
  ),
];
const TEXTS = FILES.map((file) => readFileSync(join(ROOT, file), 'utf8'));

const WORDS = [
  'null',
  '[]',
  '{}',
  '-1',
  '99999',
  '"x"',
  'yes',
  '1.5',
  '{a: b}',
  '[1]',
  "''",
  '10.0.0.5/24',
  '::',
];
const SYNTAX = [
  '- -',
  '*a',
  '&a b',
  '!!str x',
  '|',
  '>-',
  '"\\u0000"',
  '\t',
  'constructor',
  '__proto__: 1',
  '<<: 1',
];
const SPLICES = [...WORDS, ...SYNTAX];

type Mutate = (lines: string[], at: number, random: Random) => void;

const MUTATIONS: readonly Mutate[] = [
  (lines, at) => lines.splice(at, 1),
  (lines, at) => lines.splice(at, 0, lines[at] ?? ''),
  (lines, at) => {
    lines[at] = ` ${lines[at]}`;
  },
  (lines, at, random) => {
    lines[at] = (lines[at] ?? '').slice(0, random.below((lines[at] ?? '').length + 1));
  },
  (lines, at, random) => {
    lines[at] = (lines[at] ?? '').replace(/: .*$/, `: ${SPLICES[random.below(SPLICES.length)]}`);
  },
  (lines, at, random) => {
    const line = lines[at] ?? '';
    const tokens = [...line.matchAll(/[\w./:-]+/g)];
    const token = tokens[random.below(Math.max(1, tokens.length))];
    if (token === undefined) return;
    const word = SPLICES[random.below(SPLICES.length)];
    lines[at] = line.slice(0, token.index) + word + line.slice(token.index + token[0].length);
  },
];

function mutated(random: Random): string {
  const lines = (TEXTS[random.below(TEXTS.length)] ?? '').split('\n');
  for (let n = random.below(3) + 1; n > 0; n--) {
    MUTATIONS[random.below(MUTATIONS.length)]?.(lines, random.below(lines.length), random);
  }
  return lines.join('\n');
}

it('typing errors are refused with a place, or do no harm', () => {
  const seed = 20250611;
  const random = new Random(seed);
  let refused = 0;
  for (let round = 0; round < 1500; round++) {
    const text = mutated(random);
    try {
      loadCluster([{ file: 'in.yaml', text }]);
    } catch (error) {
      if (!(error instanceof InputError))
        throw new Error(`seed ${seed}, round ${round}:\n${text}`, { cause: error });
      const line = error.line ?? 0;
      const said = { seed, round, message: error.describe() };
      expect(said).toEqual({ ...said, message: expect.stringMatching(/^in\.yaml:[1-9]\d*: [^\n]+$/) });
      expect({ ...said, inFile: line <= text.split('\n').length }).toEqual({ ...said, inFile: true });
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(500);
  expect(refused).toBeLessThan(1500);
});
