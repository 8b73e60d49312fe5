import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { comparable } from './compare-saves.ts';
import { loadManifests, rulesOf } from './load-manifests.ts';

const CASES = join(import.meta.dirname, '../conformance/kube-proxy/iptables');
const SAVES = [
  { family: 'ipv4', file: 'iptables.save' },
  { family: 'ipv6', file: 'ip6tables.save' },
] as const;

const cases = readdirSync(CASES);

test('the cases are there', () => {
  expect(cases.length).toBeGreaterThanOrEqual(28);
});

describe.each(cases)('%s', (name) => {
  const read = (file: string) => readFileSync(join(CASES, name, file), 'utf8');

  test.each(SAVES)('$file is what kube-proxy programs', ({ family, file }) => {
    const rules = rulesOf(loadManifests(read('cluster.yaml')), family);
    expect(comparable(rules)).toEqual(comparable(read(file)));
  });
});
