/** Other programs' rules do in the engine what those programs promise. */
import { describe, expect, test } from 'vitest';
import { buildHost, type HostRun } from '../../src/cluster/single-host/build-host.ts';
import { evaluate } from '../../src/cluster/single-host/evaluate.ts';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { FOREIGN_DUMPS } from './dumps.ts';
import { FATES } from './fates.ts';
import { fateText, packetLine } from './packet-text.ts';

function hostOf(program: string, backend: 'nft' | 'legacy', engine: 'linear' | 'compiled'): HostRun {
  const dumps = FOREIGN_DUMPS.filter((dump) => dump.program === program);
  const [dump] = dumps;
  if (dump === undefined) throw new Error(`no dump of ${program}`);
  const rules = dumps.map(({ text, family, file }) => toRuleSet(parseRules(text, { family, file })));
  const run = buildHost(dump.host, { rules, seed: 1, backend, engine });
  run.host.netfilter.loadSets(dump.sets);
  return run;
}

describe.each(FATES)('$program', ({ program, packets }) => {
  test.each([
    ['nft', 'linear'],
    ['nft', 'compiled'],
    ['legacy', 'linear'],
  ] as const)('order of iptables-%s, %s engine', (backend, engine) => {
    const lines = packets.map(([, packet], index) => packetLine(packet, index + 1));
    const results = [...evaluate(hostOf(program, backend, engine), lines, { explore: true })];
    const said = packets.map(([shows], index) => {
      const result = results[index];
      return `${shows}: ${result === undefined ? '' : fateText(result)}`;
    });
    expect(said).toEqual(packets.map(([shows, , fate]) => `${shows}: ${fate}`));
  });
});

test('every dump has its table of packets', () => {
  expect(FATES.map(({ program }) => program).toSorted()).toEqual([
    ...new Set(FOREIGN_DUMPS.map(({ program }) => program)),
  ]);
});
