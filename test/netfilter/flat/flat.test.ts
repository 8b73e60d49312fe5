import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CompiledTable } from '../../../src/netfilter/flat/compile.ts';
import { FlatPool } from '../../../src/netfilter/flat/pool.ts';
import type { Hook } from '../../../src/netfilter/hooks.ts';
import type { RuleSet } from '../../../src/netfilter/rule-set.ts';
import { toRuleSet } from '../../../src/ruletext/load-rules.ts';
import { parseRules } from '../../../src/ruletext/parse-rules.ts';
import { Random } from '../../../src/sim/random.ts';
import type { IpFamily } from '../../../src/wire/ip-address.ts';
import { differences, newTally, type Tally } from './compare.ts';
import { randomPacket, targetsOf } from './packets.ts';
import { Dice, randomTable } from './random-rules.ts';
import { HOST_ADDRESSES, loadTable, type Place, textOf } from './reference.ts';

const HOOKS = {
  nat: ['prerouting', 'output'],
  filter: ['input', 'forward', 'output'],
} as const;

/** How many packets at each hook of each table. */
const PACKETS = Number(process.env.FLAT_PACKETS ?? 12);

function read(text: string, family: IpFamily): RuleSet {
  return toRuleSet(parseRules(text, { family }));
}

function placeOf(dice: Dice, table: 'nat' | 'filter', hook: Hook): Place {
  const inDevice = hook === 'output' ? '' : dice.pick(['eth0', 'veth7', 'cni0']);
  return { table, hook, locals: HOST_ADDRESSES, inDevice, outDevice: hook === 'input' ? '' : 'eth0' };
}

/** Compares the engines on `packets` random packets at every hook; the first difference fails the test. */
function compareAll(
  ruleSet: RuleSet,
  { dice, label, tally }: { dice: Dice; label: string; tally: Tally },
): void {
  for (const name of ['nat', 'filter'] as const) {
    const table = ruleSet.tables.get(name);
    if (table === undefined) continue;
    const targets = targetsOf(ruleSet, table);
    const compiled = new CompiledTable(table, ruleSet.family, new FlatPool(ruleSet.family));
    for (const hook of HOOKS[name]) {
      const loaded = loadTable(ruleSet, placeOf(dice, name, hook));
      // Every outcome of a thousand endpoints takes the reference a while.
      const packets = compiled.rules > 1000 ? Math.ceil(PACKETS / 6) : PACKETS;
      for (let n = 0; n < packets; n++) {
        const packet = randomPacket(dice, ruleSet, targets);
        const place = placeOf(dice, name, hook);
        const found = differences({ loaded, table: compiled }, packet, place, tally);
        expect(found, `${label}, ${name} ${hook}, ${JSON.stringify({ packet, place })}`).toEqual([]);
      }
    }
  }
}

describe("on kube-proxy's own rules", { timeout: 60_000 }, () => {
  const CASES = join(import.meta.dirname, '../../conformance/kube-proxy/iptables');
  const tally = newTally();

  test.each(readdirSync(CASES))('%s', (name) => {
    const dice = new Dice(new Random(7));
    for (const [file, family] of [
      ['iptables.save', 'ipv4'],
      ['ip6tables.save', 'ipv6'],
    ] as const) {
      const ruleSet = read(readFileSync(join(CASES, name, file), 'utf8'), family);
      compareAll(ruleSet, { dice, label: `${name} ${file}`, tally });
    }
  });

  test('many packets were dispatched, many drawn for', () => {
    expect(tally.dispatched).toBeGreaterThan(tally.packets / 20);
    expect(tally.random).toBeGreaterThan(tally.packets / 20);
    expect(tally.results.get('dnat')).toBeGreaterThan(100);
  });
});

describe('on random rules', { timeout: 60_000 }, () => {
  const tally = newTally();
  const first = Number(process.env.FLAT_SEED ?? 1);
  const seeds = Array.from({ length: Number(process.env.FLAT_SEEDS ?? 60) }, (_, index) => first + index);

  test.each(['ipv4', 'ipv6'] as const)('%s', (family) => {
    for (const seed of seeds) {
      const dice = new Dice(new Random(seed));
      const text = `${randomTable(dice, 'nat', family)}${randomTable(dice, 'filter', family)}`;
      compareAll(read(text, family), { dice, label: `seed ${seed}`, tally });
    }
  });

  test('every kind of result came up', () => {
    expect([...tally.results.keys()].sort()).toEqual(
      ['accept', 'dnat', 'drop', 'nat', 'policyAccept', 'policyDrop', 'reject', 'undecided'].sort(),
    );
    expect(tally.undecided).toBeLessThan(tally.packets / 3);
  });
});

test('answers have a text', () => {
  expect(textOf({ result: 'dnat', decision: 'A 1', mark: 0x4000, to: '10.0.0.1 80' })).toBe(
    'dnat by A 1, mark 0x4000, to 10.0.0.1 80',
  );
});
