/**
 * What the proxy prints goes through the real iptables-restore and comes back from iptables-save the same,
 * for both back ends and both families. Needs root; every cluster has a network namespace of its own.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadManifests, rulesOf } from '../proxy/load-manifests.ts';
import { manifestOf, randomCluster } from '../proxy/random-cluster.ts';

const CASES = join(import.meta.dirname, '../conformance/kube-proxy/iptables');
const RANDOM_CLUSTERS = 150;
const SEED = Number(process.env.KUBEWIRE_SEED ?? 20240501);

const FAMILIES = [
  { family: 'ipv4', command: 'iptables' },
  { family: 'ipv6', command: 'ip6tables' },
] as const;
const BACKENDS = ['nft', 'legacy'] as const;

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'proxy-restore-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** `*TABLE` to `COMMIT` by table: the two back ends list tables in different orders. */
function sections(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [section, table] of text.matchAll(/^\*(\w+)\n[\s\S]*?^COMMIT\n/gm)) found[table ?? ''] = section;
  return found;
}

/** Restores both families with both back ends in one fresh namespace; what each then saves. */
function throughKernel(rules: Readonly<Record<'ipv4' | 'ipv6', string>>): Record<string, string> {
  const programs = FAMILIES.flatMap(({ family, command }) =>
    BACKENDS.map((backend) => ({ family, program: `${command}-${backend}` })),
  );
  for (const { family } of FAMILIES) writeFileSync(join(directory, family), rules[family]);
  const script = programs.map(
    ({ family, program }) =>
      `${program}-restore < ${directory}/${family} && ${program}-save 2>/dev/null > ${directory}/${program}`,
  );
  execFileSync('unshare', ['--net', 'sh', '-ec', script.join('\n')], { stdio: ['ignore', 'ignore', 'pipe'] });
  return Object.fromEntries(
    programs.map(({ program }) => [program, readFileSync(join(directory, program), 'utf8')]),
  );
}

function expectUnchanged(manifest: string): void {
  const loaded = loadManifests(manifest);
  const rules = { ipv4: rulesOf(loaded, 'ipv4'), ipv6: rulesOf(loaded, 'ipv6') };
  for (const text of Object.values(rules)) {
    expect(Object.keys(sections(text))).toEqual(['raw', 'mangle', 'filter', 'nat']);
  }
  const saved = throughKernel(rules);
  for (const { family, command } of FAMILIES) {
    for (const backend of BACKENDS) {
      const program = `${command}-${backend}`;
      expect({ program, ...sections(saved[program] ?? '') }).toEqual({ program, ...sections(rules[family]) });
    }
  }
}

describe('the kernel keeps the rules as printed', () => {
  test.each(readdirSync(CASES))('case %s', (name) => {
    expectUnchanged(readFileSync(join(CASES, name, 'cluster.yaml'), 'utf8'));
  });

  test(`${RANDOM_CLUSTERS} random clusters, seeds from ${SEED}`, () => {
    for (let seed = SEED; seed < SEED + RANDOM_CLUSTERS; seed++) {
      const manifest = manifestOf(randomCluster(seed));
      try {
        expectUnchanged(manifest);
      } catch (error) {
        throw new Error(`seed ${seed} (KUBEWIRE_SEED=${seed} runs it first)`, { cause: error });
      }
    }
  });
});
