/** A rule that the linter calls dead is never matched: random chains and packets through the engine. */
import { describe, expect, test } from 'vitest';
import { buildHost } from '../../src/cluster/single-host/build-host.ts';
import { evaluate } from '../../src/cluster/single-host/evaluate.ts';
import { decodeHostSpec } from '../../src/cluster/single-host/host-spec.ts';
import { decodePackets, type PacketLine } from '../../src/cluster/single-host/packet-lines.ts';
import { checkRules } from '../../src/ruletext/lint/check-rules.ts';
import type { FindingCode } from '../../src/ruletext/lint/findings.ts';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { Random } from '../../src/sim/random.ts';
import { pick, type RandomMatches, randomMatches, ruleText } from './lint-random-matches.ts';

const SEED = Number(process.env.KUBEWIRE_SEED ?? 40_811_903);

const HOST = decodeHostSpec(
  `
interfaces:
- {name: eth0, addresses: [10.0.0.254/24]}
- {name: eth1, addresses: [10.0.1.254/24]}
- {name: veth0, addresses: [192.168.0.254/24]}
routes:
- {dst: default, via: 10.0.1.1, dev: eth1}
`,
  'host',
);

const CHAINS = ['PREROUTING', 'FORWARD', 'INPUT', 'A', 'B', 'C'];
/** Chains lead to later ones only. */
const CALLABLE: Readonly<Record<string, readonly string[]>> = { A: ['B', 'C'], B: ['C'], C: [] };

function randomTarget(random: Random, chain: string): string {
  const chains = CALLABLE[chain] ?? ['A', 'B', 'C'];
  const jumps = chains.flatMap((name) => [`-j ${name}`, `-j ${name}`, `-g ${name}`]);
  const marks = ['--set-xmark 0x1/0x1', '--set-xmark 0x0/0x3', '--set-xmark 0x2/0x0', '--set-mark 0x10'];
  return pick(random, [
    ...['-j ACCEPT', '-j ACCEPT', '-j DROP', '-j RETURN', '-j RETURN', ''],
    `-j MARK ${pick(random, marks)}`,
    '-j TOS --set-tos 0x10',
    '-j CONNMARK --save-mark',
    ...jumps,
  ]);
}

/** The matches of one more rule of a chain: new ones, or those of an earlier rule and perhaps one more. */
function nextMatches(random: Random, earlier: RandomMatches[]): RandomMatches {
  const fresh = randomMatches(random, 'ipv4');
  const few = { ...fresh, texts: fresh.texts.slice(0, random.below(3)) };
  const old = random.below(2) === 0 ? undefined : earlier[random.below(earlier.length)];
  const chosen =
    old === undefined ? few : { protocol: old.protocol, texts: [...old.texts, ...few.texts.slice(0, 1)] };
  earlier.push(chosen);
  return chosen;
}

function randomRules(random: Random): string {
  const lines = CHAINS.flatMap((chain) => {
    const earlier: RandomMatches[] = [];
    return Array.from(
      { length: 2 + random.below(8) },
      () => `-A ${chain} ${ruleText(nextMatches(random, earlier), 'ipv4')} ${randomTarget(random, chain)}`,
    );
  });
  // What cannot stand there, or needs the protocol that was left out, is left out too.
  const usable = lines.filter((line) => {
    try {
      toRuleSet(parseRules(`*mangle\n:A -\n:B -\n:C -\n${line}\nCOMMIT\n`, { family: 'ipv4' }));
      return true;
    } catch {
      return false;
    }
  });
  return `*mangle\n:A - [0:0]\n:B - [0:0]\n:C - [0:0]\n${usable.join('\n')}\nCOMMIT\n`;
}

const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.130', '10.0.1.1', '10.1.0.1', '192.168.0.1', '10.0.0.254'];

function randomPackets(random: Random, count: number): PacketLine[] {
  const lines = Array.from({ length: count }, () => {
    const proto = pick(random, ['tcp', 'tcp', 'udp', 'icmp']);
    const ports = { sport: pick(random, [80, 443, 53]), dport: pick(random, [80, 443, 53]) };
    const flags = { flags: pick(random, ['S', 'A', 'SA', 'F']) };
    return JSON.stringify({
      in: pick(random, ['eth0', 'eth1', 'veth0']),
      src: pick(random, ADDRESSES),
      dst: pick(random, ADDRESSES),
      proto,
      ttl: pick(random, [1, 63, 64, 65]),
      tos: pick(random, [0, 16, 24]),
      ...(proto === 'icmp' ? { type: pick(random, [8, 0, 3]), icmpId: 1 } : ports),
      ...(proto === 'tcp' ? flags : {}),
    });
  });
  return decodePackets(lines.join('\n'), 'packets');
}

const DEAD: readonly FindingCode[] = [
  'unreachable-rule',
  'shadowed-rule',
  'never-matches',
  'unreached-chain',
];

describe(`random chains, seed ${SEED}`, () => {
  test('dead rules are dead', () => {
    const random = new Random(SEED);
    const claimed = new Map<FindingCode, number>();
    let matched = 0;
    for (let round = 0; round < 150; round++) {
      const text = randomRules(random);
      const { findings, accepted } = checkRules(text, { family: 'ipv4', backEnd: 'nft' });
      if (!accepted) continue;
      const dead = findings.filter(({ code }) => DEAD.includes(code));
      for (const { code } of dead) claimed.set(code, (claimed.get(code) ?? 0) + 1);
      const isDead = (chain: string, rule: number) =>
        dead.some((each) => {
          if (each.chain !== chain) return false;
          if (each.code === 'unreached-chain') return true;
          return each.code === 'unreachable-rule' ? rule >= (each.rule ?? 0) : rule === each.rule;
        });
      const run = buildHost(HOST, {
        rules: [toRuleSet(parseRules(text, { family: 'ipv4' }))],
        seed: round,
        backend: 'nft',
      });
      for (const { path } of evaluate(run, randomPackets(random, 60), { explore: false })) {
        for (const { chain, rule } of path) {
          if (rule === undefined) continue;
          matched++;
          if (isDead(chain, rule)) expect({ text, chain, rule, findings: dead }).toBe('never matched');
        }
      }
    }
    // The test says something only while there are claims and matches.
    expect(matched).toBeGreaterThan(10_000);
    for (const code of DEAD) expect(`${code} ${(claimed.get(code) ?? 0) > 0}`).toBe(`${code} true`);
    expect(claimed.get('shadowed-rule')).toBeGreaterThan(100);
  });
});
