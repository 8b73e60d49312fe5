/** What the real iptables-restore says of a file, without and with loading it, in a namespace of its own. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { BackEnd } from '../../src/ruletext/lint/restore/refusal.ts';
import type { IpFamily } from '../../src/wire/ip-address.ts';
import type { Verdict } from '../ruletext/check-corpus/corpus-file.ts';

const PROGRAM = { ipv4: 'iptables', ipv6: 'ip6tables' } as const;

const directory = mkdtempSync(join(tmpdir(), 'kubewire-check-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The verdict of `backEnd` on `text`; `before` is shell text to run first in the namespace. */
export function realVerdict(
  {
    text,
    family,
    before = ':',
  }: { readonly text: string; readonly family: IpFamily; readonly before?: string },
  backEnd: BackEnd,
): { readonly verdict: Verdict; readonly complaint: string } {
  const rules = join(directory, 'rules');
  writeFileSync(rules, text);
  const restore = `${PROGRAM[family]}-${backEnd}-restore`;
  const script = `${before}; ${restore} --test <${rules} || exit 100; ${restore} <${rules} || exit 101`;
  const run = spawnSync('unshare', ['-n', 'sh', '-c', script], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, LC_ALL: 'C', XTABLES_LOCKFILE: '/dev/null' },
  });
  if (run.error !== undefined) throw run.error;
  switch (run.status) {
    case 0:
      return { verdict: 'accepted', complaint: run.stderr };
    case 100:
      return { verdict: 'refused', complaint: run.stderr };
    case 101:
      return { verdict: 'refused-at-load', complaint: run.stderr };
    default:
      throw new Error(`${restore} in a namespace: exit ${run.status}: ${run.stderr}`);
  }
}
