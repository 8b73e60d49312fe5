/** The real iptables-restore and iptables-save, in a network namespace that dies with them. */
import { spawnSync } from 'node:child_process';
import type { IpFamily } from '../../src/wire/ip-address.ts';

export const BACK_ENDS = ['legacy', 'nft'] as const;
export type BackEnd = (typeof BACK_ENDS)[number];

export interface Answer {
  readonly accepted: boolean;
  /** What iptables-save printed, without its comment lines; empty when refused. */
  readonly saved: string;
  readonly complaint: string;
}

const PROGRAM = { ipv4: 'iptables', ipv6: 'ip6tables' } as const;

/**
 * Restores `text` into a fresh namespace and saves `tables` again; `before` is shell text to run first and
 * `saveOptions` go to iptables-save.
 */
export function restoreAndSave(
  family: IpFamily,
  backEnd: BackEnd,
  text: string,
  options: { readonly tables: readonly string[]; readonly before?: string; readonly saveOptions?: string },
): Answer {
  const program = `${PROGRAM[family]}-${backEnd}`;
  const save = options.tables.map((table) => `${program}-save ${options.saveOptions ?? ''} -t ${table}`);
  const script = [options.before ?? ':', `${program}-restore`, ...save].join(' && ');
  const run = spawnSync('unshare', ['-n', 'sh', '-c', script], { input: text, encoding: 'utf8' });
  if (run.error !== undefined) throw run.error;
  const lines = run.stdout.split('\n').filter((line) => !line.startsWith('#'));
  return {
    accepted: run.status === 0,
    saved: run.status === 0 ? lines.join('\n') : '',
    complaint: run.stderr,
  };
}
