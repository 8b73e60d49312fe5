/** What `nft list ruleset` prints for rules that iptables-nft loaded, against our listing of the same rules. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RuleSet } from '../../src/netfilter/rule-set.ts';
import { toRuleSet } from '../../src/ruletext/load-rules.ts';
import { nftList } from '../../src/ruletext/nft-list.ts';
import { parseRules } from '../../src/ruletext/parse-rules.ts';
import { printRuleSet } from '../../src/ruletext/print-rules.ts';
import { InputError } from '../../src/sim/input-error.ts';
import { Random } from '../../src/sim/random.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';
import { FOREIGN_DUMPS } from '../foreign/dumps.ts';
import { nftTables } from '../ruletext/nft-tables.ts';
import { NORMALISED_MATCHES } from '../ruletext/normalised-matches.ts';
import { NORMALISED_TARGETS } from '../ruletext/normalised-targets.ts';
import { randomRule } from '../ruletext/random-rule.ts';

const CASES = join(import.meta.dirname, '../conformance/kube-proxy/iptables');
const SEED = Number(process.env.NFT_LIST_SEED ?? Date.now() % 1_000_000_000);
const RULES = 400;
const FAMILIES = ['ipv4', 'ipv6'] as const;
const RESTORE: Readonly<Record<IpFamily, string>> = {
  ipv4: 'iptables-nft-restore --counters',
  ipv6: 'ip6tables-nft-restore --counters',
};

interface Listing {
  readonly lines: readonly string[];
  readonly complaints: readonly string[];
}

/** Undefined when iptables-nft refuses the rules. */
function listedByNft(ruleSets: readonly RuleSet[], sets = ''): Listing | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'nft-list-'));
  try {
    writeFileSync(join(directory, 'sets'), sets);
    const restores = ruleSets.map((ruleSet, index) => {
      writeFileSync(join(directory, String(index)), printRuleSet(ruleSet, { counters: true }));
      return `${RESTORE[ruleSet.family]} < ${index} 2> refused`;
    });
    const script = ['ipset restore < sets', ...restores, 'nft list ruleset'].join(' && ');
    const run = spawnSync('unshare', ['-n', 'sh', '-c', script], {
      cwd: directory,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    if (run.status !== 0) return undefined;
    // A kernel that lacks the legacy module of an extension lists its rules all the same.
    const complaints = run.stderr.split('\n').filter((line) => !line.startsWith('Warning: Extension'));
    return { lines: run.stdout.split('\n'), complaints };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function listedByUs(ruleSets: readonly RuleSet[]): Listing {
  const { text, complaints } = nftList(ruleSets.flatMap(nftTables));
  return { lines: text.split('\n'), complaints: [...complaints, ''] };
}

function read(text: string, family: IpFamily): RuleSet {
  return toRuleSet(parseRules(text, { family }));
}

function expectSame(ruleSets: readonly RuleSet[], sets?: string): void {
  expect(listedByUs(ruleSets)).toEqual(listedByNft(ruleSets, sets));
}

const caseOf = (name: string) => [
  read(readFileSync(join(CASES, name, 'iptables.save'), 'utf8'), 'ipv4'),
  read(readFileSync(join(CASES, name, 'ip6tables.save'), 'utf8'), 'ipv6'),
];

describe('kube-proxy', () => {
  test.each(readdirSync(CASES))('%s', (name) => {
    expectSame(caseOf(name));
  });

  test('IPv6 rules that were loaded first', () => {
    expectSame(caseOf('dual-stack').reverse());
  });
});

test.each([...new Set(FOREIGN_DUMPS.map(({ program }) => program))])('rules of %s', (program) => {
  const dumps = FOREIGN_DUMPS.filter((dump) => dump.program === program);
  expectSame(
    dumps.map(({ text, family }) => read(text, family)),
    dumps[0]?.setsText,
  );
});

/** What nft itself would say. */
const notOurs = (complaint: string) => !complaint.startsWith('# Note: ');

const fileOf = (table: string, lines: readonly string[]) =>
  [`*${table}`, ':USER - [0:0]', ...lines, 'COMMIT', ''].join('\n');

describe('every extension', () => {
  const rules = [...NORMALISED_MATCHES, ...NORMALISED_TARGETS];
  test.each(rules)('$family: $given', ({ family, table, chain, given }) => {
    const ruleSets = [read(fileOf(table, [`-A ${chain} ${given}`]), family)];
    const ours = listedByUs(ruleSets);
    const real = listedByNft(ruleSets);
    // Byte rates of hashlimit are kept as text, and the listing says that it has no more than the name.
    if (/kb\/s/.test(given)) {
      expect(ours.complaints.join()).toContain('# Note: -m hashlimit ');
      expect(real?.lines.join()).toContain('kbytes/second');
    } else expect({ ...ours, complaints: ours.complaints.filter(notOurs) }).toEqual(real);
  });
});

describe.each(FAMILIES)('%s', (family) => {
  const random = new Random(SEED + FAMILIES.indexOf(family));
  const byTable = new Map<string, string[]>();
  for (let left = RULES; left > 0; left--) {
    const { table, line } = randomRule(random, family);
    // ip6tables-nft-restore 1.8.9 takes no counters, whatever its options.
    const counted = family === 'ipv6' ? line : `[${random.below(1000)}:${random.below(100_000)}] ${line}`;
    try {
      read(fileOf(table, [counted]), family);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      continue;
    }
    byTable.set(table, [...(byTable.get(table) ?? []), counted]);
  }
  test.each([...byTable])(`random rules in %s, seed ${SEED}`, (table, lines) => {
    const taken = lines.filter((line) => {
      const ruleSets = [read(fileOf(table, [line]), family)];
      const real = listedByNft(ruleSets);
      if (real !== undefined) expect({ line, ...listedByUs(ruleSets) }).toEqual({ line, ...real });
      return real !== undefined;
    });
    expect(taken.length).toBeGreaterThan(lines.length / 2);
  });
});
