/** The flat path against the reference: same seed, same packets, and everything equal after every batch. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FATE } from '../../../../src/netfilter/flat/path/path-batch.ts';
import { AHEAD } from '../../../../src/netfilter/flat/path/read-ahead.ts';
import type { RuleSet } from '../../../../src/netfilter/rule-set.ts';
import { mergeRuleSets, toRuleSet } from '../../../../src/ruletext/load-rules.ts';
import { parseRules } from '../../../../src/ruletext/parse-rules.ts';
import { Random } from '../../../../src/sim/random.ts';
import { loadManifests, rulesOf } from '../../../proxy/load-manifests.ts';
import { manifestOf, randomCluster } from '../../../proxy/random-cluster.ts';
import { Dice, randomTable } from '../random-rules.ts';
import { Traffic } from './arrivals.ts';
import { type Arrival, type HostShape, Twins } from './twins.ts';

const BATCHES = Number(process.env.PATH_BATCHES ?? 40);
const FIRST_SEED = Number(process.env.PATH_SEED ?? 1);
const SEEDS = Array.from({ length: Number(process.env.PATH_SEEDS ?? 12) }, (_, index) => FIRST_SEED + index);

function shapeOf(dice: Dice): HostShape {
  return {
    backend: dice.pick(['nft', 'legacy']),
    conntrackMax: dice.chance(80) ? 1 << 18 : 12,
    rpFilter: dice.pick([0, 0, 1, 2]),
    mtu: dice.pick([1500, 1500, 200]),
  };
}

/** What other programs put beside kube-proxy's rules: masquerading of a CNI plugin, policies, a host firewall. */
const NEIGHBOURS = [
  '*nat\n-A POSTROUTING -s 10.244.0.0/16 ! -d 10.0.0.0/8 -j MASQUERADE\nCOMMIT\n',
  '*filter\n-A FORWARD -p tcp -m tcp --dport 8080 -s 10.244.1.5 -j DROP\nCOMMIT\n',
  '*filter\n-A FORWARD -p tcp -j REJECT --reject-with tcp-reset -s 10.244.1.6\nCOMMIT\n',
  '*filter\n-A FORWARD -m conntrack --ctstate INVALID -m limit --limit 5/min -j LOG\nCOMMIT\n',
  '*mangle\n-A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu\nCOMMIT\n',
  '*mangle\n-A PREROUTING -i veth+ -m conntrack --ctstate NEW -j MARK --set-xmark 0x10/0x10\nCOMMIT\n',
  '*filter\n-A FORWARD -s 10.244.0.0/16 -j ACCEPT\nCOMMIT\n',
  '*nat\n-A POSTROUTING -s 10.244.1.0/24 -d 203.0.113.0/24 -j SNAT --to-source 172.18.0.9\nCOMMIT\n',
  '*raw\n-A PREROUTING -p udp -m udp --dport 53 -s 10.244.1.7 -j CT --notrack\nCOMMIT\n',
];

const tally = new Map<number, number>();

function play(ruleSet: RuleSet, seed: number, label: string): void {
  const dice = new Dice(new Random(seed));
  const twins = new Twins(ruleSet, seed, shapeOf(dice));
  const traffic = new Traffic(dice, ruleSet);
  for (let batch = 0; batch < BATCHES; batch++) {
    // Now and then more than the path reads ahead of.
    const length = dice.chance(4) ? AHEAD + 1 + dice.random.below(6) : 1 + dice.random.below(6);
    const arrivals: Arrival[] = Array.from({ length }, () => traffic.next());
    for (const passage of twins.play(arrivals, `${label}, batch ${batch}`)) traffic.learn(passage);
    if (dice.chance(30)) twins.wait(dice.pick([0.1, 1, 3, 11, 31, 121, 400]));
    // Loading the same rules again forgets counters and keeps flows.
    if (dice.chance(2)) twins.load({ ...ruleSet });
  }
  for (const [fate, count] of twins.fates) tally.set(fate, (tally.get(fate) ?? 0) + count);
}

function withNeighbours(text: string, seed: number): RuleSet {
  const dice = new Dice(new Random(seed));
  const policed = dice.chance(30) ? text.replace(':FORWARD ACCEPT', ':FORWARD DROP') : text;
  const texts = [...NEIGHBOURS.filter(() => dice.chance(25)), policed];
  return mergeRuleSets(texts.map((each) => parseRules(each, { family: 'ipv4' })));
}

describe('the flat path does what the reference does', { timeout: 120_000 }, () => {
  const CASES = join(import.meta.dirname, '../../../conformance/kube-proxy/iptables');

  const cases = readdirSync(CASES).map((name, index) => [name, FIRST_SEED + index] as const);
  test.each(cases)("on kube-proxy's rules: %s, seed %i", (name, seed) => {
    const text = readFileSync(join(CASES, name, 'iptables.save'), 'utf8');
    play(withNeighbours(text, seed), seed, `${name}, seed ${seed}`);
  });

  test.each(SEEDS)("on a random cluster's rules, seed %i", (seed) => {
    const loaded = loadManifests(manifestOf(randomCluster(seed)));
    play(withNeighbours(rulesOf(loaded, 'ipv4'), seed), seed, `seed ${seed}`);
  });

  test.each(SEEDS)('on random rules, seed %i', (seed) => {
    const dice = new Dice(new Random(seed));
    const text = `${randomTable(dice, 'nat', 'ipv4')}${randomTable(dice, 'filter', 'ipv4')}`;
    play(toRuleSet(parseRules(text, { family: 'ipv4' })), seed, `seed ${seed}`);
  });

  test('every fate came up', () => {
    const count = (fate: number) => tally.get(fate) ?? 0;
    const all = [...tally.values()].reduce((sum, each) => sum + each, 0);
    for (const fate of Object.values(FATE)) expect(count(fate), `fate ${fate}`).toBeGreaterThan(0);
    expect(count(FATE.forwarded)).toBeGreaterThan(all / 8);
  });
});
