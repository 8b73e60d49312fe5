/** No false alarms: real rule sets are clean, or what is found in them is told here with its reason. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkRules } from '../../src/ruletext/lint/check-rules.ts';
import { BACK_ENDS } from '../../src/ruletext/lint/restore/refusal.ts';
import { FOREIGN_DUMPS } from '../foreign/dumps.ts';
import { loadManifests, rulesOf } from '../proxy/load-manifests.ts';
import { manifestOf, randomCluster } from '../proxy/random-cluster.ts';

const CASES = join(import.meta.dirname, '../conformance/kube-proxy/iptables');
const SAVES = [
  ['iptables.save', 'ipv4'],
  ['ip6tables.save', 'ipv6'],
] as const;

const CLEAN = { accepted: true, acceptedByTest: true, findings: [] };

describe.each(BACK_ENDS)('with iptables-%s', (backEnd) => {
  describe.each(readdirSync(CASES))('kube-proxy case %s', (name) => {
    test.each(SAVES)('%s', (file, family) => {
      const text = readFileSync(join(CASES, name, file), 'utf8');
      expect(checkRules(text, { family, backEnd })).toEqual(CLEAN);
    });
  });

  /**
   * firewalld ends its zones with a target of their own, so that nothing gets past the jump to them; the two
   * rules that it puts behind never see a packet. The linter is right.
   */
  const FOUND: Readonly<Record<string, readonly string[]>> = {
    'firewalld/iptables.save': ['224 unreachable-rule', '230 unreachable-rule'],
    'firewalld/ip6tables.save': ['226 unreachable-rule', '233 unreachable-rule'],
  };

  test.each(FOREIGN_DUMPS)('$file', ({ file, text, family, sets }) => {
    const { accepted, findings } = checkRules(text, { family, backEnd, sets });
    expect(accepted).toBe(true);
    expect(findings.map(({ line, code }) => `${line} ${code}`)).toEqual(FOUND[file] ?? []);
  });
});

const SAMPLES = join(import.meta.dirname, '../../rules');

test.each(readdirSync(SAMPLES).filter((name) => name.endsWith('.save')))('the sample %s', (name) => {
  const family = name.includes('.ip6.') ? 'ipv6' : 'ipv4';
  expect(checkRules(readFileSync(join(SAMPLES, name), 'utf8'), { family, backEnd: 'nft' })).toEqual(CLEAN);
});

test.each(Array.from({ length: 40 }, (_, seed) => seed + 1))(
  'what is generated for random cluster %i',
  (seed) => {
    const loaded = loadManifests(manifestOf(randomCluster(seed)));
    for (const family of ['ipv4', 'ipv6'] as const) {
      expect(checkRules(rulesOf(loaded, family), { family, backEnd: 'nft' })).toEqual(CLEAN);
    }
  },
);
