import { expect, test } from 'vitest';
import { GOALS, judged } from '../../../src/cli/bench/ratios.ts';
import { ratiosText } from '../../../src/cli/bench/report.ts';

test('every goal has its name and its wording', () => {
  expect(Object.values(GOALS).map((goal) => judged(goal, null, 'none'))).toEqual(
    [
      ['compiled ÷ linear (flat array) engine, 10,000 Services', '≥ 100'],
      ['compiled ÷ linear (flat array) engine, 100,000 Services', '≥ 1000'],
      ['compiled at 100,000 ÷ compiled at 100 Services', '≥ 0.5'],
      ['compiled ÷ a flattened C lookup of the same work', '≥ 0.4'],
      ['two workers ÷ one', '≥ 1.8'],
      ['time to compile 10,000 Services ÷ iptables-legacy-restore of the same', '≤ 0.1'],
      ["one changed Service ÷ the kernel's --noflush restore of it", '≤ 0.01'],
      ['full new-flow path, packets per second', '≥ 1000000'],
    ].map(([name, goal]) => ({ name, value: null, goal, met: false, detail: 'none' })),
  );
});

test.each([
  ['just enough', GOALS.c, 0.4, true],
  ['not quite', GOALS.c, 0.3999, false],
  ['more', GOALS.at10k, 250, true],
  ['short enough', GOALS.compile, 0.1, true],
  ['too long', GOALS.compile, 0.1001, false],
  ['no time at all', GOALS.change, 0, true],
  ['not measured', GOALS.change, null, false],
  ['no number', GOALS.workers, Number.NaN, false],
] as const)('%s', (_, goal, value, met) => {
  expect(judged(goal, value, '')).toMatchObject({ value, met });
});

test('the table says what was missed, and what was not measured', () => {
  const text = ratiosText([judged(GOALS.c, 0.5, 'a against b'), judged(GOALS.forward, null, 'no time')]);
  const [, met, missed] = text.split('\n');
  expect(met).toMatch(/^met +0\.500 .*a against b$/);
  expect(missed).toMatch(/^not met +- .*no time$/);
});
