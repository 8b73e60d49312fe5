/** Text and objects round-trip: what is printed reads back as what was printed. */
import { describe, expect, test } from 'vitest';
import { formatRule } from '../../src/ruletext/format-rule.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { InputError } from '../../src/sim/input-error.ts';
import { Random } from '../../src/sim/random.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';
import { randomRule } from './random-rule.ts';

const SEED = Number(process.env.RULETEXT_SEED ?? 20_240_601);
const RULES = 2_000;

function rulesOf(family: IpFamily, table: string, lines: readonly string[]) {
  const text = [`*${table}`, ':USER - [0:0]', ...lines, 'COMMIT', ''].join('\n');
  const commands = parseRules(text, { family }).sections[0]?.commands ?? [];
  return commands.flatMap((command) => (command.kind === 'append' ? [command] : []));
}

describe.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
  test(`${RULES} random rules, seed ${SEED}`, () => {
    const random = new Random(SEED);
    let read = 0;
    for (let left = RULES; left > 0; left--) {
      const { table, line } = randomRule(random, family);
      try {
        const commands = rulesOf(family, table, [line]);
        const printed = commands.map(({ chain, rule }) => formatRule(chain, rule));
        const again = rulesOf(family, table, printed);
        expect({ line, rules: again.map(({ rule }) => rule) }).toEqual({
          line,
          rules: commands.map(({ rule }) => rule),
        });
        expect(again.map(({ chain, rule }) => formatRule(chain, rule))).toEqual(printed);
        read++;
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
      }
    }
    // Some of them are wrong: a random burst is more than the kernel can count, a port has no such name.
    expect(read).toBeGreaterThan(RULES * 0.8);
  });
});
